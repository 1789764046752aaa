"""Check runs, check suites and the jobs of workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import checks
from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, user, via_app
from github_standin.shapes.commits import signature
from github_standin.shapes.repositories import repository
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.check_records import CheckRun, CheckSuite, WorkflowRun
    from github_standin.github import GitHub
    from github_standin.records import Issue, Repository


def actions_app(github: GitHub) -> JSON:
    """Return the App that workflows act as, https://api.github.com/apps/github-actions."""
    made = "2018-07-30T09:30:17Z"
    return {
        "id": 15_368,
        "client_id": "Iv1.05c79e9ad1f6bdfa",
        "slug": "github-actions",
        "node_id": "MDM6QXBwMTUzNjg=",
        "owner": user(github, github.need_account("github", "Organization")),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": "https://help.github.com/en/actions",
        "html_url": f"{github.links.root}/apps/github-actions",
        "created_at": made,
        "updated_at": made,
        "permissions": {"actions": "write", "checks": "write", "contents": "write", "metadata": "read"},
        "events": [],
    }


def _app(github: GitHub, suite: CheckSuite) -> JSON | None:
    return actions_app(github) if suite.by_actions else via_app(github, by_app=True)


def head_commit(github: GitHub, place: Repository, sha: str) -> JSON:
    """Return a suite's or run's commit."""
    commit = github.git(place).commit(sha)
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": commit.committer.date,
        **{
            name: {key: value for key, value in signature(person).items() if key != "date"}
            for name, person in (("author", commit.author), ("committer", commit.committer))
        },
    }


def pulls_at(github: GitHub, place: Repository, branch: str | None) -> list[JSON]:
    """Return the open pull requests from a branch of the repository itself; forks' are not among them."""
    return [
        _minimal(github, place, issue)
        for issue in github.issues_of(place)
        if issue.pull and issue.state == "open" and issue.pull.fork_id is None and issue.pull.head == branch
    ]


def _minimal(github: GitHub, place: Repository, issue: Issue) -> JSON:
    if issue.pull is None:
        raise ValueError(f"#{issue.number} is no pull request")
    here = {"id": place.id, "url": github.links.repo(place), "name": place.name}
    base = github.git(place).branch(issue.pull.base) or issue.pull.base_sha
    return {
        "url": github.links.repo(place, f"/pulls/{issue.number}"),
        "id": issue.pull.id,
        "number": issue.number,
        "head": {"ref": issue.pull.head, "sha": github.head_of(place, issue), "repo": here},
        "base": {"ref": issue.pull.base, "sha": base, "repo": here},
    }


def check_suite(github: GitHub, place: Repository, suite: CheckSuite, *, in_event: bool = False) -> JSON:
    """Return a check suite.

    Args:
        in_event: as webhooks carry it beside the repository.
    """
    status, conclusion = checks.state(github, suite)
    url = github.links.repo(place, f"/check-suites/{suite.id}")
    shaped: dict[str, Any] = {
        "id": suite.id,
        "node_id": node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": suite.before,
        "after": suite.head_sha,
        "pull_requests": pulls_at(github, place, suite.head_branch),
        "app": _app(github, suite),
        "created_at": stamp(suite.created_at),
        "updated_at": stamp(suite.updated_at),
        "rerequestable": True,
        "runs_rerequestable": not suite.by_actions,
        "latest_check_runs_count": len(checks.runs_of(github, suite)),
        "check_runs_url": f"{url}/check-runs",
        "head_commit": head_commit(github, place, suite.head_sha),
    }
    return shaped if in_event else {**shaped, "repository": repository(github, place)}


def check_run(github: GitHub, place: Repository, run: CheckRun, *, in_event: bool = False) -> JSON:
    """Return a check run.

    Args:
        in_event: with more about its suite.
    """
    output = run.fields.get("output") or {}
    url = github.links.repo(place, f"/check-runs/{run.id}")
    suite = github.store.check_suites[run.suite_id]
    whole = check_suite(github, place, suite, in_event=True)
    names = ("id", "node_id", "head_branch", "head_sha", "status", "conclusion", "url", "before", "after")
    more = ("pull_requests", "app", "created_at", "updated_at")
    job = None
    if run.run_id is not None:
        job = github.links.page(place, f"/actions/runs/{run.run_id}/job/{run.id}")
    return {
        "id": run.id,
        "node_id": node_id("CR", run.id),
        "head_sha": run.head_sha,
        "name": run.name,
        "external_id": run.fields.get("external_id", ""),
        "url": url,
        "html_url": job or github.links.page(place, f"/runs/{run.id}"),
        "details_url": job or run.fields.get("details_url") or github.links.root,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": {
            "title": output.get("title"),
            "summary": output.get("summary"),
            "text": output.get("text"),
            "annotations_count": len(output.get("annotations") or []),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {name: whole[name] for name in (*names, *more)} if in_event else {"id": suite.id},
        "app": whole["app"],
        "pull_requests": whole["pull_requests"],
    }


def job(github: GitHub, place: Repository, run: WorkflowRun, found: CheckRun) -> JSON:
    """Return a job of a workflow's run; it has the check run's id."""
    began, ended = stamp(found.started_at), stamp(found.completed_at)
    steps = [
        {"name": name, "status": "completed", "conclusion": conclusion, "number": number}
        | {"started_at": began, "completed_at": ended}
        for number, (name, conclusion) in enumerate(
            (("Set up job", "success"), (f"Run {found.name}", found.conclusion)), start=1
        )
    ]
    return {
        "id": found.id,
        "run_id": run.id,
        "run_url": github.links.repo(place, f"/actions/runs/{run.id}"),
        "run_attempt": found.attempt,
        "node_id": node_id("CR", found.id),
        "head_sha": found.head_sha,
        "head_branch": run.head_branch,
        "url": github.links.repo(place, f"/actions/jobs/{found.id}"),
        "html_url": github.links.page(place, f"/actions/runs/{run.id}/job/{found.id}"),
        "status": found.status,
        "conclusion": found.conclusion,
        "created_at": began,
        "started_at": began,
        "completed_at": ended,
        "name": found.name,
        "workflow_name": run.name,
        "steps": steps,
        "check_run_url": github.links.repo(place, f"/check-runs/{found.id}"),
        "labels": ["ubuntu-latest"],
        "runner_id": 1,
        "runner_name": "GitHub Actions 1",
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
    }

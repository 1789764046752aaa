"""Workflow runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.links import escape, node_id
from github_standin.shapes.accounts import JSON, maybe_user
from github_standin.shapes.checks import head_commit, pulls_at
from github_standin.shapes.repositories import repository
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.check_records import WorkflowRun
    from github_standin.github import GitHub
    from github_standin.records import Repository

_ADDRESSES = ("jobs", "logs", "cancel", "rerun", "artifacts")


def workflow_id(github: GitHub, run: WorkflowRun) -> int:
    """Return the id of a run's workflow, which is that of its first run."""
    runs = github.store.workflow_runs
    return min(it.id for it in runs if (it.repository_id, it.path) == (run.repository_id, run.path))


def workflow(github: GitHub, found: Repository, run: WorkflowRun) -> JSON:
    """Return a run's workflow."""
    number = workflow_id(github, run)
    made = stamp(github.store.workflow_runs[number].created_at)
    return {
        "id": number,
        "node_id": node_id("W", number),
        "name": run.name,
        "path": run.path,
        "state": "active",
        "created_at": made,
        "updated_at": made,
        "url": github.links.repo(found, f"/actions/workflows/{number}"),
        "html_url": github.links.page(found, f"/blob/{escape(found.default_branch)}/{escape(run.path)}"),
        "badge_url": github.links.page(found, f"/actions/{escape(run.path)}/badge.svg"),
    }


def workflow_run(github: GitHub, found: Repository, run: WorkflowRun) -> JSON:
    """Return a run."""
    commit = head_commit(github, found, run.head_sha)
    number = workflow_id(github, run)
    same = [it for it in github.store.workflow_runs if it.repository_id == found.id and it.path == run.path]
    made, address = stamp(run.created_at), github.links.repo(found, f"/actions/runs/{run.id}")
    head = found if run.fork_id is None else github.store.repositories.get(run.fork_id)
    earlier = f"{address}/attempts/{run.attempt - 1}" if run.attempt > 1 else None
    return {
        "id": run.id,
        "node_id": node_id("WFR", run.id),
        "name": run.name,
        "display_title": commit["message"].partition("\n")[0],
        "path": run.path,
        "run_number": sum(other.id <= run.id for other in same),
        "run_attempt": run.attempt,
        "workflow_id": number,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "head_commit": commit,
        "actor": maybe_user(github, run.actor_id),
        "triggering_actor": maybe_user(github, run.actor_id),
        "pull_requests": [] if run.fork_id else pulls_at(github, found, run.head_branch),
        "repository": repository(github, found),
        "head_repository": repository(github, head or found),
        "created_at": made,
        "updated_at": stamp(run.updated_at or run.created_at),
        "run_started_at": made,
        "previous_attempt_url": earlier,
        "url": address,
        "html_url": github.links.page(found, f"/actions/runs/{run.id}"),
        **{f"{name}_url": f"{address}/{name}" for name in _ADDRESSES},
        "workflow_url": github.links.repo(found, f"/actions/workflows/{number}"),
        "check_suite_id": run.suite_id,
        "check_suite_node_id": node_id("CS", run.suite_id),
        "check_suite_url": github.links.repo(found, f"/check-suites/{run.suite_id}"),
    }

"""Which workflows an event would run: GitHub's documented rules, without running anything.

https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs,
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Any

import yaml

from github_standin import checks, runs
from github_standin.auth import role_of
from github_standin.check_records import WorkflowRun
from github_standin.permissions import ROLES

if TYPE_CHECKING:
    from github_standin.git.repository import GitRepository
    from github_standin.github import GitHub
    from github_standin.records import Account, Issue, Repository

_STRINGS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
_TRAILER = re.compile(r"[A-Za-z0-9-]+\s*:.*")
_LAST = frozenset({"skip-checks:true", "skip-checks: true"})
_FOLDER = ".github/workflows/"
_EMPTY_LINES = 2


def skips(message: str) -> bool:
    """Tell whether a head commit's message keeps `push` and `pull_request` from running anything.

    One of the strings anywhere, or a `skip-checks` trailer: last of the trailers at the very end, which two
    empty lines precede.
    """
    return any(string in message for string in _STRINGS) or skips_checks(message)


def skips_checks(message: str) -> bool:
    """Tell whether a trailer of a head commit's message keeps check suites from being asked for, too."""
    lines = message.rstrip("\n").split("\n")
    if lines[-1] not in _LAST:
        return False
    while lines and _TRAILER.fullmatch(lines[-1]):
        lines.pop()
    return len(lines) > _EMPTY_LINES and not any(line.strip() for line in lines[-_EMPTY_LINES:])


def start(
    github: GitHub,
    repository: Repository,
    event: str,
    *,
    branch: str,
    head: str,
    actor: Account,
    source: str | None = None,
    issue: Issue | None = None,
) -> None:
    """Write down the runs of one event.

    Args:
        event: `push`, `pull_request` or `pull_request_target`.
        branch: which one was pushed to, or is to be merged into.
        source: the commit whose workflows count, if it is another one.
    """
    git = github.git(repository)
    if event != "pull_request_target" and skips(git.commit(head).message):
        return
    pull = issue.pull if issue else None
    for path, definition in _definitions(git, source or head):
        if not _listens(definition, event, branch):
            continue
        head_branch = pull.head if pull else branch
        suite = checks.begin(github, repository, head, head_branch, by_actions=True)
        run = github.store.workflow_runs.put(
            WorkflowRun(
                id=github.store.next_id("workflow_run"),
                repository_id=repository.id,
                event=event,
                path=path,
                name=str(definition.get("name") or path),
                head_branch=head_branch,
                head_sha=head,
                fork_id=pull.fork_id if pull else None,
                actor_id=actor.id,
                suite_id=suite.id,
                jobs=_jobs(definition),
                created_at=github.now(),
            )
        )
        if event == "pull_request" and run.fork_id and ROLES[role_of(repository, actor)] < ROLES["write"]:
            # Somebody has to look first: https://docs.github.com/en/actions/how-tos/manage-workflow-runs/approve-runs-from-forks
            run.status, run.conclusion = "completed", "action_required"
            github.store.workflow_runs.put(run)
        else:
            runs.begun(github, repository, run, actor)


def _jobs(definition: dict[str, Any]) -> list[str]:
    jobs = definition.get("jobs")
    if not isinstance(jobs, dict):
        return []
    return [
        str(job["name"]) if isinstance(job, dict) and "name" in job else str(key) for key, job in jobs.items()
    ]


def start_for_pull(github: GitHub, repository: Repository, issue: Issue, actor: Account) -> None:
    """Write down the runs of a pull request that was opened, reopened or got new commits."""
    if issue.pull is None:
        return
    git = github.git(repository)
    base = git.branch(issue.pull.base)
    common: dict[str, Any] = {"branch": issue.pull.base, "head": issue.pull.head_sha, "actor": actor}
    start(github, repository, "pull_request", issue=issue, **common)
    if base is not None:
        # Whatever the branch brings, these come from the base, with its secrets.
        start(github, repository, "pull_request_target", issue=issue, source=base, **common)


def _definitions(git: GitRepository, commit: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for entry in git.entries(commit, _FOLDER):
        if entry.type == "blob" and entry.path.endswith((".yml", ".yaml")):
            try:
                definition = yaml.safe_load(git.blob(entry.sha))
            except yaml.YAMLError:
                continue
            if isinstance(definition, dict):
                found.append((entry.path, definition))
    return found


def _listens(definition: dict[Any, Any], event: str, branch: str) -> bool:
    # YAML 1.1 reads `on` as true.
    triggers = definition.get("on", definition.get(True))
    if isinstance(triggers, str):
        return triggers == event
    if isinstance(triggers, list):
        return event in triggers
    if not isinstance(triggers, dict) or event not in triggers:
        return False
    patterns = (triggers[event] or {}).get("branches")
    return patterns is None or any(fnmatch.fnmatchcase(branch, pattern) for pattern in patterns)

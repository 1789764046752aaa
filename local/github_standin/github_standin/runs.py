"""Runs of workflows that come to an end: jobs, conclusions and logs as the control requests order them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import checking, checks, events
from github_standin.answers import forbidden
from github_standin.check_records import CheckRun

if TYPE_CHECKING:
    from github_standin.check_records import WorkflowRun
    from github_standin.github import GitHub
    from github_standin.records import Account, Repository


def jobs_of(github: GitHub, run: WorkflowRun, *, latest: bool = True) -> list[CheckRun]:
    """Return a run's jobs, which are check runs.

    Args:
        latest: only the newest of each name.
    """
    suite = github.store.check_suites.get(run.suite_id)
    return [] if suite is None else checks.runs_of(github, suite, latest=latest)


def begun(github: GitHub, repository: Repository, run: WorkflowRun, sender: Account) -> None:
    """Let a run end at once where outcomes are ordered and not put off; without them it stays queued."""
    if repository.outcomes is not None and not repository.outcomes_wait:
        finish(github, repository, run, sender)


def finish(github: GitHub, repository: Repository, run: WorkflowRun, sender: Account) -> None:
    """Let a run's jobs end as ordered; in a later attempt only those that had not succeeded."""
    if run.status == "completed" or not run.jobs:
        return
    done = {job.name for job in jobs_of(github, run) if job.conclusion == "success"}
    for name in run.jobs:
        if name not in done:
            _end(github, repository, run, name, sender)
    suite = github.store.check_suites[run.suite_id]
    run.status, run.updated_at = "completed", github.now()
    run.conclusion = checks.state(github, suite)[1]
    github.store.workflow_runs.put(run)
    events.check_suite_event(github, repository, suite, "completed", sender)
    events.workflow_run_event(github, repository, run, "completed", sender)


def _end(github: GitHub, repository: Repository, run: WorkflowRun, name: str, sender: Account) -> None:
    conclusion, log = _outcome(github, repository, run, name)
    now = github.now()
    job = github.store.check_runs.put(
        CheckRun(
            id=github.store.next_id("check_run"),
            repository_id=repository.id,
            head_sha=run.head_sha,
            name=name,
            status="completed",
            conclusion=conclusion,
            suite_id=run.suite_id,
            run_id=run.id,
            attempt=run.attempt,
            log=log,
            started_at=now,
            completed_at=now,
        )
    )
    checking.tell(github, repository, job, sender, fresh=True)


def _outcome(github: GitHub, repository: Repository, run: WorkflowRun, job: str) -> tuple[str, str]:
    for outcome in repository.outcomes or ():
        if outcome.workflow not in (None, run.path, run.name) or outcome.job not in (None, job):
            continue
        if outcome.path is not None and not _holds(github, repository, run, outcome.path, outcome.contains):
            continue
        return outcome.attempts[min(run.attempt, len(outcome.attempts)) - 1], outcome.log
    return "success", "Done.\n"


def _holds(github: GitHub, repository: Repository, run: WorkflowRun, path: str, text: str) -> bool:
    git = github.git(repository)
    entry = next((it for it in git.entries(run.head_sha, path) if it.type == "blob"), None)
    return entry is not None and text.encode() in git.blob(entry.sha)


def rerun_failed(github: GitHub, repository: Repository, run: WorkflowRun, sender: Account) -> None:
    """Begin another attempt with the jobs that failed.

    https://docs.github.com/en/rest/actions/workflow-runs#re-run-failed-jobs-from-a-workflow-run

    Raises:
        ApiError: 403, it is still running, or nothing failed.
    """
    if run.status != "completed" or run.conclusion in ("success", "action_required"):
        raise forbidden("This workflow run cannot be retried")
    run.attempt += 1
    run.status, run.conclusion, run.updated_at = "queued", None, github.now()
    github.store.workflow_runs.put(run)
    begun(github, repository, run, sender)

"""Checks of a commit, its statuses, and the runs of GitHub Actions behind them.

https://docs.github.com/en/rest/checks/runs, https://docs.github.com/en/rest/commits/statuses and
https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pullwright.errors import GitHubRefused
from pullwright.github.connection import PAGE_SIZE
from pullwright.github.payloads import Payload
from pullwright.workers.events import CONCLUSIONS, FAILED_CONCLUSIONS

if TYPE_CHECKING:
    from pullwright.github.client import GitHubClient

ACTIONS_SLUG = "github-actions"
_MOST_PAGES = 5


class CheckApp(Payload):
    """The App that a check is of."""

    id: int
    slug: str | None = None


class Suite(Payload):
    """The suite that a check belongs to."""

    id: int


class SeenCheck(Payload):
    """One check run, the newest of its name; a job of Actions has the same id.

    Attributes:
        text: what a status says of itself; check runs have logs.
    """

    id: int
    name: str
    status: str
    conclusion: str | None = None
    app: CheckApp | None = None
    check_suite: Suite | None = None
    text: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly, and not because somebody has to do something first."""
        return self.status == "completed" and self.conclusion in FAILED_CONCLUSIONS

    @property
    def is_of_actions(self) -> bool:
        """Whether it is a job of a workflow."""
        return self.app is not None and self.app.slug == ACTIONS_SLUG


class SeenChecks(Payload):
    """A page of check runs."""

    check_runs: tuple[SeenCheck, ...]


class SeenStatus(Payload):
    """The newest status of its context."""

    id: int
    context: str
    state: str
    description: str | None = None
    target_url: str | None = None

    def as_check(self) -> SeenCheck:
        """Return it as a check that ended so, which nothing can run again."""
        text = "\n".join(part for part in (self.description, self.target_url) if part)
        return SeenCheck(id=self.id, name=self.context, status="completed", conclusion=self.state, text=text)


class SeenStatuses(Payload):
    """A page of a commit's statuses, one of each context."""

    statuses: tuple[SeenStatus, ...]


class WorkflowRun(Payload):
    """One run of a workflow, in its latest attempt."""

    id: int
    status: str
    conclusion: str | None = None
    run_attempt: int = 1
    check_suite_id: int | None = None


class WorkflowRuns(Payload):
    """A page of runs."""

    workflow_runs: tuple[WorkflowRun, ...]


def failed_checks(client: GitHubClient, repository: str, commit: str, *, without: int) -> list[SeenCheck]:
    """Return the checks that failed on a commit, one of each name.

    Args:
        without: the App whose checks do not count: our own say what the session itself found.
    """
    failed: dict[str, SeenCheck] = {}
    for page in range(1, _MOST_PAGES + 1):
        query = urlencode({"filter": "latest", "per_page": PAGE_SIZE, "page": page})
        path = f"/repos/{repository}/commits/{commit}/check-runs?{query}"
        found = client.get(path, "read the checks of a commit", SeenChecks, [commit]).check_runs
        for check in found:
            is_ours = check.app is not None and check.app.id == without
            if check.has_failed and not is_ours:
                failed.setdefault(check.name, check)
        if len(found) < PAGE_SIZE:
            break
    return list(failed.values())


def failed_statuses(client: GitHubClient, repository: str, commit: str) -> list[SeenCheck]:
    """Return the statuses that are bad on a commit, as checks."""
    failed: list[SeenCheck] = []
    for page in range(1, _MOST_PAGES + 1):
        query = urlencode({"per_page": PAGE_SIZE, "page": page})
        path = f"/repos/{repository}/commits/{commit}/status?{query}"
        found = client.get(path, "read the statuses of a commit", SeenStatuses, [commit]).statuses
        failed += [it.as_check() for it in found if CONCLUSIONS.get(it.state) in FAILED_CONCLUSIONS]
        if len(found) < PAGE_SIZE:
            break
    return failed


def workflow_runs(client: GitHubClient, repository: str, commit: str) -> list[WorkflowRun]:
    """Return the runs of workflows on a commit."""
    query = urlencode({"head_sha": commit, "per_page": PAGE_SIZE})
    path = f"/repos/{repository}/actions/runs?{query}"
    return list(client.get(path, "list the runs of workflows", WorkflowRuns, [commit]).workflow_runs)


def log_end(client: GitHubClient, repository: str, job_id: int, end_bytes: int) -> str | None:
    """Return the end of a job's log; None if it is not kept any more.

    https://docs.github.com/en/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
    """
    path = f"/repos/{repository}/actions/jobs/{job_id}/logs"
    return client.text_elsewhere(path, "read the log of a job", end_bytes=end_bytes)


def run_again(client: GitHubClient, repository: str, run: WorkflowRun) -> bool:
    """Run the failed jobs of a run again; return whether they run, or have run again.

    https://docs.github.com/en/rest/actions/workflow-runs#re-run-failed-jobs-from-a-workflow-run
    """
    path = f"/repos/{repository}/actions/runs/{run.id}"
    try:
        client.call("POST", f"{path}/rerun-failed-jobs", "run a workflow again", body={})
    except GitHubRefused:
        # Too old, or somebody else was faster.
        now = client.get(path, "read the run of a workflow", WorkflowRun)
        return now.run_attempt > run.run_attempt or now.status != "completed"
    return True

"""Records of checks, runs of workflows and statuses."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from standin.store import Record


class CommitStatus(Record):
    """A status of a commit, as other programs than Apps give it."""

    repository_id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    user_id: int
    created_at: float


class WorkflowRun(Record):
    """A run that an event has started.

    Attributes:
        event: `push`, `pull_request` or `pull_request_target`.
        fork_id: the repository of the head, if it is a fork.
        jobs: names of the workflow's jobs.
        attempt: 1 for the first.
    """

    repository_id: int
    event: str
    path: str
    name: str
    head_branch: str
    head_sha: str
    fork_id: int | None = None
    actor_id: int
    suite_id: int = 0
    jobs: list[str] = Field(default_factory=list)
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    created_at: float
    updated_at: float | None = None


class CheckSuite(Record):
    """The check runs of the App on a commit, or those of one run of a workflow.

    Attributes:
        before: the branch's head before the push, if it is known.
    """

    repository_id: int
    by_actions: bool = False
    head_sha: str
    head_branch: str | None
    before: str | None = None
    created_at: float
    updated_at: float


class CheckRun(Record):
    """A check run on a commit.

    Attributes:
        fields: what its creator gave.
        run_id: the run of a workflow of which it is a job, with the attempt's number and the job's log.
    """

    repository_id: int
    head_sha: str
    name: str
    suite_id: int = 0
    status: str = "queued"
    conclusion: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict)
    run_id: int | None = None
    attempt: int = 1
    log: str = ""
    started_at: float
    completed_at: float | None = None

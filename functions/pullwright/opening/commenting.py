"""What is different for a worker that only comments: who may start it, and what it has a lock for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.apps import is_app
from pullwright.errors import AlreadyRunning, BranchBusy, NotAddressed, NotAllowed, PullwrightError
from pullwright.models import SessionStatus
from pullwright.record import moment
from pullwright.table import review_name

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright.github.app import GitHubApp
    from pullwright.models import SessionRequest
    from pullwright.opening.people import People
    from pullwright.opening.subject import Subject
    from pullwright.store import BranchRecord, Store
    from pullwright.workers.definition import WorkerDefinition


def check_sender(people: People, request: SessionRequest, worker: WorkerDefinition, app: GitHubApp) -> None:
    """Refuse a person without write permission, unless the worker is open to everybody.

    Who starts an execution in the AWS account has IAM's permission and needs no other.

    Raises:
        NotAddressed: it is our own App that asks, which the deployment lists by mistake.
        NotAllowed: the person may not start it.
    """
    login = request.requested_by
    if request.delivery_id is not None and is_app(login or "") and login == f"{app.app().slug}[bot]":
        raise NotAddressed("What a session does itself starts no other one.")
    if request.delivery_id is None or worker.allow == "everybody":
        return
    if login is None and request.jira is not None and request.jira.account is not None:
        # Jira is asked about them before the issue is read.
        return
    if login is None or not people.may_write(login):
        raise NotAllowed(f"{login or 'Whoever asked'} has no write permission to {people.repository}.")


def check_fork(subject: Subject, request: SessionRequest, worker: WorkerDefinition) -> None:
    """Refuse a pull request from a fork, unless the worker's file lets them in.

    Raises:
        NotAllowed: it does not.
    """
    if subject.is_fork and request.delivery_id is not None and not any(on.fork for on in worker.on):
        raise NotAllowed(
            f"The pull request #{subject.number} comes from a fork, and the worker {worker.id} takes none.",
            remedy="Ask somebody with write permission to set fork: true in the worker's file.",
        )


def name_of(subject: Subject, worker: WorkerDefinition) -> str:
    """Return what the lock and the record of a session are called after."""
    if subject.is_read and subject.number is not None:
        return review_name(subject.number, worker.id)
    return subject.branch


def busy(store: Store, repository: str, subject: Subject, worker: WorkerDefinition) -> PullwrightError:
    """Return why a session does not begin while another one holds its lock."""
    record = store.read_branch(repository, name_of(subject, worker))
    if worker.concurrency == "queue" and not subject.is_read:
        return BranchBusy(f"Another session still works on the branch {subject.branch}.")
    if subject.is_read and worker.concurrency == "queue" and not _reads_the_same(record, subject):
        return BranchBusy(f"Another session still reads an earlier commit of pull request #{subject.number}.")
    link = record.pull_request_url if record is not None else None
    if record is not None and link and record.comment_id:
        link = f"{link}#issuecomment-{record.comment_id}"
    where = link or f"the branch {subject.branch}"
    return AlreadyRunning(f"Another session already works on this: {where}")


def check_new(
    store: Store,
    repository: str,
    subject: Subject,
    worker: WorkerDefinition,
    *,
    session_id: str,
    asked: datetime,
) -> None:
    """Refuse to read again what another session has read since this one was asked for.

    Several pushes during a session leave several that wait: the first of them reads the newest commit.

    Args:
        asked: when this session's execution was started.

    Raises:
        AlreadyRunning: another session has done it.
    """
    record = store.read_branch(repository, name_of(subject, worker)) if subject.is_read else None
    if record is None or record.session_id == session_id or not _reads_the_same(record, subject):
        return
    begun = moment(record.opened_at)
    if begun is None or begun < asked:
        return
    if store.read_session(record.session_id).status is SessionStatus.SUCCEEDED:
        raise AlreadyRunning(f"Another session has read the same commit: {record.pull_request_url}")


def _reads_the_same(record: BranchRecord | None, subject: Subject) -> bool:
    pull = subject.pull_request
    # Of an issue there is nothing newer to read, whatever is pushed meanwhile.
    return record is not None and (pull is None or record.head_commit == pull.head.sha)

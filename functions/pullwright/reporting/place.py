"""Where on GitHub the outcome of a session belongs."""

import re
from dataclasses import dataclass
from typing import Any

from pullwright.artifacts import Artifacts
from pullwright.errors import InternalError
from pullwright.fields import REPOSITORY_PATTERN
from pullwright.log import logger
from pullwright.models import OpenedPullRequest
from pullwright.record import SessionRecord, whole
from pullwright.table import lock_of


@dataclass(frozen=True, slots=True)
class Place:
    """The repository, pull request and comment to report to.

    Attributes:
        pull_request: the session's pull request, if it got so far.
        number: issue or pull request that was asked about: where a refusal goes.
    """

    repository: str
    pull_request: int | None = None
    comment_id: int | None = None
    number: int | None = None
    installation_id: int | None = None
    branch: str | None = None

    @classmethod
    def of(cls, opened: OpenedPullRequest | None, record: SessionRecord) -> "Place | None":
        """Find the place from what OpenPullRequest answered; without it, from the execution's input.

        Without it no task has run, and what the record names besides is what OpenPullRequest came to before
        it failed. Even then its comment is looked for by its author and beginning, not by that number.
        The input may be wrong in any way, which may be the very reason why the session failed.
        """
        request = record.request
        number = _number(request.get("issue")) or _number(request.get("pull_request"))
        if opened is not None:
            return cls(
                repository=opened.repository,
                pull_request=opened.pull_request,
                comment_id=opened.comment_id,
                number=number,
                installation_id=opened.installation_id,
                branch=opened.branch,
            )
        repository = request.get("repository")
        if not isinstance(repository, str) or not re.fullmatch(REPOSITORY_PATTERN, repository):
            return None
        return cls(
            repository=repository,
            pull_request=record.pull_request if record.task_arn is None else None,
            number=number,
            installation_id=_number(request.get("installation_id")),
        )


def opened_before(artifacts: Artifacts, session_id: str, execution_arn: str) -> OpenedPullRequest | None:
    """Return what OpenPullRequest made, from the task's request, where its answer is lost.

    Not from the record: `request.json` no task can write, and before it is there no task runs.

    Raises:
        AwsUnavailable: S3 did not give it.
    """
    try:
        request = artifacts.read_request(session_id)
    except InternalError as error:
        logger.warning("the request cannot be read", session=session_id, error=error.sentence)
        return None
    if request is None or request.execution_arn != execution_arn:
        return None
    return OpenedPullRequest.of(
        request, lock_key=lock_of(request), timeout_seconds=0, max_sessions=0, max_sessions_of_repository=0
    )


def _number(value: Any) -> int | None:
    number = whole(value)
    return number if number is not None and number > 0 else None

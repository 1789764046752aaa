"""Where on GitHub the outcome of a session belongs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullwright.models import REPOSITORY_PATTERN, OpenedPullRequest


@dataclass(frozen=True, slots=True)
class Place:
    """Where to write.

    Attributes:
        pull_request: the session's pull request, if it got so far.
        comment_id: the tracking comment on it.
        number: issue or pull request that was asked about: where a refusal goes.
        installation_id: the App's, if it is known.
    """

    repository: str
    pull_request: int | None = None
    comment_id: int | None = None
    number: int | None = None
    installation_id: int | None = None

    @classmethod
    def of(cls, opened: OpenedPullRequest | None, record: Mapping[str, Any]) -> "Place | None":
        """Finds the place from what OpenPullRequest answered, or from what the record and its input say.

        The input may be wrong in any way, which may be the very reason why the session failed.
        """
        given = _decoded(record.get("input"))
        repository = opened.repository if opened is not None else record.get("repository")
        if not isinstance(repository, str) or not re.fullmatch(REPOSITORY_PATTERN, repository):
            return None
        return cls(
            repository=repository,
            pull_request=opened.pull_request if opened is not None else _number(record.get("pull_request")),
            comment_id=opened.comment_id if opened is not None else _number(record.get("comment_id")),
            number=_number(given.get("issue")) or _number(given.get("pull_request")),
            installation_id=_number(record.get("installation_id")) or _number(given.get("installation_id")),
        )


def _decoded(text: Any) -> dict[str, Any]:
    try:
        given = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _number(value: Any) -> int | None:
    """A positive whole number, also as DynamoDB gives it; nothing else, and no truth value."""
    if value is None or isinstance(value, bool | str | list | dict):
        return None
    return int(value) if value == int(value) and value > 0 else None

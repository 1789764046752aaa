"""What a task says of itself in its session's record: the only attributes there that a task can write.

Whatever stands in them may be a lie, of any type and length. So they are read here alone, and what is acted
upon is held against what ECS says of the task.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TASK_ATTRIBUTES = ("task_arn", "task_started_at", "image_digest", "heartbeat_at")
"""What a runner writes."""
OVER = "is_over"
"""Set by whoever closes a session. A runner looks at it and not at `status`: IAM lets an attribute be
compared only where it may be written too."""

SESSION_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")
_TASK_ARN = re.compile(
    r"arn:aws[a-z-]{0,20}:ecs:[a-z0-9-]{1,30}:[0-9]{12}:task/[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,64}"
)
_DIGEST = re.compile(r"[!-~]{1,300}")
_LONGEST_TIME = 40
_CONTAINER = "runner"
_VARIABLE = "SESSION_ID"


@dataclass(frozen=True, slots=True)
class Claim:
    """The usable part of what a task wrote; None where there is none.

    Attributes:
        task_arn: has the form of an ARN, and proves nothing.
        unusable: names of attributes that hold something else than a runner writes.
    """

    task_arn: str | None = None
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    unusable: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Claim:
        """Reads a session's record."""
        arn, digest = (_text(record.get(name), form) for name, form in _FORMS.items())
        started, beat = (moment(record.get(name)) for name in ("task_started_at", "heartbeat_at"))
        read = {"task_arn": arn, "image_digest": digest, "task_started_at": started, "heartbeat_at": beat}
        # A platform that names no image leaves an empty digest.
        unusable = tuple(
            name for name, value in read.items() if value is None and not _is_empty(record.get(name))
        )
        return cls(arn, started, beat, unusable)


_FORMS = {"task_arn": _TASK_ARN, "image_digest": _DIGEST}


def started_for(task: Mapping[str, Any]) -> str | None:
    """The session that a task was started for, as ECS tells it; None if for none, or for more than one.

    It is the one override that the state machine gives: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html

    Args:
        task: as boto3 describes it.
    """
    given = [
        variable.get("value")
        for container in (task.get("overrides") or {}).get("containerOverrides") or []
        if container.get("name") == _CONTAINER
        for variable in container.get("environment") or []
        if variable.get("name") == _VARIABLE
    ]
    found = given[0] if len(given) == 1 else None
    return found if found is not None and SESSION_ID.fullmatch(found) else None


def is_in_cluster(arn: str, cluster: str) -> bool:
    """Whether a task's ARN is one of a cluster: ECS refuses the whole question when one is not.

    Args:
        arn: of the task.
        cluster: ARN or name.
    """
    account, _, path = arn.partition(":task/")
    home, _, name = cluster.rpartition(":cluster/")
    return path.partition("/")[0] == name and home in {"", account}


def moment(text: Any) -> datetime | None:
    """A time in ISO 8601, in UTC where it names no zone; None for everything else."""
    if not isinstance(text, str) or len(text) > _LONGEST_TIME:
        return None
    if not (text.isascii() and text.isprintable()):
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _text(value: Any, form: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and form.fullmatch(value) else None

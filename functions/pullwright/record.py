"""A session's record: the item `SESSION#<id>` of the sessions table.

The state machine, the functions and the session's task write it. Reading it never fails: attributes that are
not known are ignored, and a value that its writer would not have written counts as absent. That goes above
all for what the task writes, which may be a lie of any type and length: it proves nothing, and what is acted
upon is held against what ECS says of the task.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
)

from pullwright.fields import Stored
from pullwright.json_object import decode_object
from pullwright.models import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

TASK_ATTRIBUTES = ("task_arn", "task_started_at", "image_digest", "heartbeat_at")
"""The only attributes that a task can write."""
OVER = "is_over"
"""Set by whoever closes a session. A runner looks at it and not at `status`: IAM lets an attribute be
compared only where it may be written too."""
DUE, MADE, GIVEN_UP = "due", "made", "given up"
"""Values of `report` and `jira_report`: the other side has not taken it, has taken it, never will."""
DUE_FOR = timedelta(days=3)
"""As long as GitHub keeps deliveries; who has not looked by then will not."""
OPEN = (SessionStatus.RUNNING, SessionStatus.QUEUED)

_TASK_ARN = (
    r"^arn:aws[a-z-]{0,20}:ecs:[a-z0-9-]{1,30}:[0-9]{12}:task/[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,64}$"
)
_DIGEST = r"^[!-~]{1,300}$"
_LARGEST = 2**63
_LONGEST_TIME = 40


def moment(text: Any) -> datetime | None:
    """Return a time in ISO 8601, in UTC where it names no zone; None for everything else."""
    if not isinstance(text, str) or len(text) > _LONGEST_TIME:
        return None
    if not (text.isascii() and text.isprintable()):
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def whole(value: Any) -> int | None:
    """Return a whole number, also as DynamoDB gives it; None for everything else, also true and false."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    # NaN and infinity pass no comparison, and what we count is far below this.
    return int(value) if -_LARGEST < value < _LARGEST and value == int(value) else None


Moment = Annotated[datetime | None, BeforeValidator(moment)]
Whole = Annotated[int | None, BeforeValidator(whole)]
Number = Annotated[Annotated[int, Field(gt=0)] | None, BeforeValidator(whole)]
Amount = Annotated[Decimal, WithJsonSchema({"type": "number"})] | None


class SessionRecord(Stored):
    """What is known of one session, for operators and for ourselves.

    Attributes:
        session_id: of the key, whatever the record says.
        input: the execution's, cut after 80,000 characters.
        lock_key: of the lock on the session's branch.
        taken_by: the session that took this one's request along.
        mode: of its worker, `write` or `comment`.
        heartbeat_at: the task's last sign of life; before it, when the session was recorded and admitted.
        log_stream: the task's, in `log_group`.
        checks: what the repository's checks said, in words.
        jira: key of the issue in Jira that asked for it.
        report: whether GitHub has taken the outcome: `made`, `due` or `given up`.
        jira_report: the same of Jira, where a session was asked for there.
        ttl: when the record may go, Unix seconds; 0 while its report is due.
        reconciling_until: until when a sweep has the session to itself.
        reserved_usd: what was kept free for it on the sums named in `spend_keys`.
        evaluation: that it belongs to.
        judgement: whether it solved its task there.
        booked_usd: what was booked there in its place.
        counted_in: the month in whose totals it is.
    """

    session_id: str
    execution_arn: str | None = None
    status: Annotated[SessionStatus | None, Field(strict=False)] = None
    input: str | None = None
    created_at: Moment = None
    admitted_at: Moment = None
    closed_at: Moment = None

    repository: str | None = None
    issue: Number = None
    jira: str | None = None
    requested_by: str | None = None
    taken_by: str | None = None
    worker: str | None = None
    mode: str | None = None
    provider: str | None = None
    model: str | None = None
    stub: bool | None = None
    base: str | None = None
    branch: str | None = None
    lock_key: str | None = None
    installation_id: Number = None
    pull_request: Number = None
    pull_request_url: str | None = None
    comment_id: Number = None

    task_arn: Annotated[str, StringConstraints(pattern=_TASK_ARN)] | None = None
    task_started_at: Moment = None
    image_digest: Annotated[str, StringConstraints(pattern=_DIGEST)] | None = None
    heartbeat_at: Moment = None

    outcome: str | None = None
    error: str | None = None
    failure_class: str | None = None
    sentence: str | None = None
    remedy: str | None = None
    artifacts: str | None = None
    log_group: str | None = None
    log_stream: str | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    exit_code: Whole = None
    commit: str | None = None
    checks: str | None = None
    cost_usd: Amount = None
    input_tokens: Whole = None
    output_tokens: Whole = None
    cache_read_tokens: Whole = None
    cache_write_tokens: Whole = None
    turns: Whole = None
    agent_seconds: Amount = None
    conversation_id: str | None = None
    egress: str | None = None
    egress_refused: str | None = None

    evaluation: str | None = None
    judgement: str | None = None
    judgement_reason: str | None = None

    report: str | None = None
    jira_report: str | None = None
    report_due: bool | None = None
    is_over: bool | None = None
    ttl: Whole = None
    reconciling_until: Moment = None
    reserved_usd: Amount = None
    booked_usd: Amount = None
    spend_keys: Annotated[frozenset[str], Field(strict=False)] = frozenset()
    counted_in: str | None = None

    _unusable: tuple[str, ...] = PrivateAttr(default=())

    @classmethod
    def of(cls, session_id: str, item: Mapping[str, Any]) -> Self:
        """Read an item without DynamoDB's types; an empty one is the record of a session that has none."""
        record = cls.model_validate({**item, "session_id": session_id})
        # A platform that names no image leaves an empty digest.
        record._unusable = tuple(  # noqa: SLF001 - of its own class
            name
            for name in TASK_ATTRIBUTES
            if getattr(record, name) is None and item.get(name) not in (None, "")
        )
        return record

    @field_validator("*", mode="wrap")
    @classmethod
    def _absent_if_wrong(
        cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        try:
            return validate(value)
        except ValidationError:
            return cls.model_fields[str(info.field_name)].get_default()

    @property
    def is_missing(self) -> bool:
        """Whether the session has no record."""
        return self.model_fields_set == {"session_id"}

    @property
    def is_open(self) -> bool:
        """Whether the session is not closed."""
        return self.status in OPEN

    @property
    def is_claimed(self) -> bool:
        """Whether a task wrote its ARN, valid or not."""
        return "task_arn" in self.model_fields_set

    @property
    def is_evaluation(self) -> bool:
        """Whether the session belongs to an evaluation, so that GitHub is told nothing of it."""
        return "evaluation" in self.request

    @property
    def unusable(self) -> tuple[str, ...]:
        """Names of the task's attributes with a value that no runner writes."""
        return self._unusable

    @property
    def request(self) -> dict[str, Any]:
        """The execution's input; empty where it is no JSON object, which may be why the session failed."""
        return decode_object(self.input or "")

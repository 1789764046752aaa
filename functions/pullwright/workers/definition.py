"""`.pullwright/workers/<id>.yaml`: one worker, as it stands on the repository's default branch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from pullwright.json_object import as_object
from pullwright.models import WorkerMode, WorkerType
from pullwright.repository.document import ConfigurationError, Part, nearest, read_document, read_part
from pullwright.repository.tools import Tool
from pullwright.repository.yaml_text import Read
from pullwright.worker_names import FIX_CI, IMPLEMENT, REVIEW
from pullwright.workers.events import EVENTS, LABELED
from pullwright.workers.routing import Trigger, Worker, actions_of

ID_PATTERN = r"^[a-z][a-z0-9-]{0,31}$"

_BUILT_IN = frozenset({IMPLEMENT, REVIEW, FIX_CI})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NAMES = 50
_RESERVED = "[]{}?!\\"
# Of a text that stands in a file of its own; one in the worker's file is bounded by that file.
LONGEST_INSTRUCTIONS = 256 << 10


def _listed(value: object) -> object:
    """Take a value alone for a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def _as_table(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


def _is_pattern(pattern: str) -> str:
    for character in _RESERVED:
        if character in pattern:
            raise ValueError(f"a pattern knows the wildcards * and ** only, and no {character}")
    return pattern


def _is_file(path: str) -> str:
    if path.startswith("/") or any(part in {"", ".", ".."} for part in path.split("/")):
        raise ValueError("it must be a path in the repository, such as .pullwright/prompts/review.md")
    return path


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name}; write it as Europe/Berlin or UTC") from None
    return name


Word = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Pattern = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_is_pattern)
]
_Few = Field(max_length=10)
_Names = Field(min_length=1, max_length=_MOST_NAMES)
Words = Annotated[tuple[Word, ...], _Names, BeforeValidator(_listed, Word | Annotated[list[Word], _Names])]
Patterns = Annotated[
    tuple[Pattern, ...], _Names, BeforeValidator(_listed, Pattern | Annotated[list[Pattern], _Names])
]
EventName = Literal[
    "issues",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "check_suite",
    "push",
]


class On(Part):
    """One way to start a worker: an event with filters that must all hold, or a schedule.

    Attributes:
        event: of GitHub.
        actions: of the event; its usual ones if they are missing.
        labels: the one that was added, or one that the issue or pull request has.
        comment: pattern for the comment's first line, such as `/docs*`.
        base: patterns for the branch that the pull request goes to.
        head: patterns for the branch of the pull request, the push or the checks.
        paths: patterns for the files that were changed, of which one must be.
        actors: GitHub logins of those who may start it.
        teams: slugs of the organization's teams whose members may start it.
        draft: whether the pull request must be a draft, or must not.
        fork: whether pull requests from forks count too; for workers in comment mode only.
        schedule: five fields of cron, such as `0 6 * * 1-5`.
        timezone: of the schedule.
    """

    event: EventName | None = None
    actions: Words | None = None
    labels: Words | None = None
    comment: Pattern | None = None
    base: Patterns | None = None
    head: Patterns | None = None
    paths: Patterns | None = None
    actors: Words | None = None
    teams: Words | None = None
    draft: Annotated[bool, Field(strict=True)] | None = None
    fork: Annotated[bool, Field(strict=True)] = False
    schedule: Annotated[str, StringConstraints(max_length=100)] | None = None
    timezone: Annotated[str, AfterValidator(_is_zone)] | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if (self.event is None) == (self.schedule is None):
            raise ValueError("it needs either an event or a schedule")
        if self.event is None:
            self._check_schedule()
        else:
            self._check_event(self.event)
        return self

    def trigger(self) -> Trigger:
        """Return it as the router reads it; a schedule has no event."""
        fields = self.model_dump(exclude={"schedule", "timezone"}, exclude_none=True)
        return Trigger(**fields)

    def _check_event(self, event: EventName) -> None:
        known = EVENTS[event]
        if self.timezone is not None:
            raise ValueError("timezone belongs to a schedule")
        for action in self.actions or ():
            if action not in known.actions:
                meant = nearest(action, known.actions)
                hint = f" (do you mean {meant}?)" if meant else ""
                raise ValueError(f"the event {event} has no action {action} to start on{hint}")
        for name in self.model_fields_set - {"event", "fork"}:
            if getattr(self, name) is not None and name not in known.filters:
                raise ValueError(f"the event {event} cannot be filtered by {name}")

    def _check_schedule(self) -> None:
        named = sorted(self.model_fields_set - {"schedule", "timezone"})
        if named:
            raise ValueError(f"a schedule has no {named[0]}")
        schedule = str(self.schedule)
        try:
            CronSim(schedule, _EPOCH)
        except CronSimError as error:
            raise ValueError(f"the schedule {schedule} is not five fields of cron ({error})") from None


class Instructions(Part):
    """What the agent is told: a text, or the path of a file that is read from the same commit."""

    text: (
        Annotated[
            str, StringConstraints(min_length=1, max_length=LONGEST_INSTRUCTIONS, strip_whitespace=True)
        ]
        | None
    ) = None
    file: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_is_file)] | None = (
        None
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.file is None):
            raise ValueError("it must be a text, or a table with the field file")
        return self


class WorkerLimits(Part):
    """What one session may use at most, in place of the deployment's limits."""

    usd: Annotated[float, Field(gt=0, le=1_000)] | None = None
    turns: Annotated[int, Field(ge=1, le=1_000)] | None = None
    minutes: Annotated[float, Field(ge=0.1, le=1_440)] | None = None


class WorkerDefinition(Part):
    """The whole file.

    What is missing of a built-in worker's file stays as it is built in.

    Attributes:
        id: the file's name without `.yaml`, which may be left out here.
        type: what the agent is asked for; `task`, or the built-in type of the same name as the id.
        mode: `write` may push, `comment` may only say something; reviews comment, others write.
        allow: whose events start it: those of people with write permission, or everybody's, in comment mode.
        on: what starts it: one trigger, or a list of them.
        instructions: what the agent is told, as a text or as the file that holds it.
        model: in place of the deployment's.
        tools: what the agent may use of those that the configuration allows.
        concurrency: whether a session that finds another at work on the same branch ends, or waits; one that
            only comments or mends checks waits.
        labels: put on the pull request when a session has succeeded.
        plan: whether a plan is made first; `only` ends with it.
    """

    version: Literal[1] = 1
    id: Annotated[str, StringConstraints(pattern=ID_PATTERN)]
    type: Annotated[WorkerType, Field(strict=False)] = WorkerType.TASK
    enabled: Annotated[bool, Field(strict=True)] = True
    mode: Annotated[WorkerMode, Field(strict=False)] = WorkerMode.WRITE
    allow: Literal["writers", "everybody"] = "writers"
    on: Annotated[tuple[On, ...], _Few, BeforeValidator(_listed, On | Annotated[list[On], _Few])] = ()
    instructions: Annotated[Instructions, BeforeValidator(_as_table, str | Instructions)] | None = None
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    tools: Annotated[tuple[Tool, ...], Field(min_length=1)] | None = None
    limits: WorkerLimits = WorkerLimits()
    concurrency: Literal["skip", "queue"] = "skip"
    labels: Annotated[
        tuple[Word, ...], _Few, BeforeValidator(_listed, Word | Annotated[list[Word], _Few])
    ] = ()
    plan: Literal[True, False, "only"] = False

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, value: Any) -> Any:
        """Fill in type and switch by the id, the mode by the type, and whether it waits by the mode."""
        if not isinstance(value, dict):
            return value
        own_type = value.get("id") if value.get("id") in list(WorkerType) else WorkerType.TASK
        kind = value.get("type", own_type)
        mode = WorkerMode.COMMENT if kind == WorkerType.REVIEW else WorkerMode.WRITE
        # A commit that is pushed during a review has to be reviewed too, and what fails meanwhile mended.
        waits = value.get("mode", mode) == WorkerMode.COMMENT or kind == WorkerType.FIX_CI
        return {
            "type": kind,
            "mode": mode,
            "concurrency": "queue" if waits else "skip",
            # Reviews cost money on every push: a file that says nothing about it changes nothing.
            "enabled": value.get("id") != REVIEW,
            **value,
        }

    @field_validator("version", mode="before")
    @classmethod
    def _is_number(cls, value: object) -> object:
        # Python takes true for 1.
        return str(value) if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for is_wrong, problem in self._problems():
            if is_wrong:
                raise ValueError(problem)
        return self

    @property
    def text(self) -> str | None:
        """The instructions, once a file's have been read."""
        return None if self.instructions is None else self.instructions.text

    def worker(self) -> Worker:
        """Return what the router needs to know of it; a built-in one may have no triggers of its own."""
        triggers = tuple(on.trigger() for on in self.on)
        return Worker(self.id, triggers, self.enabled, self.mode.value)

    def _problems(self) -> list[tuple[bool, str]]:
        writes = self.mode is WorkerMode.WRITE
        added = {
            label.casefold()
            for on in self.on
            if on.event is not None and LABELED in actions_of(on.trigger())
            for label in on.labels or ()
        }
        own = ", ".join(label for label in self.labels if label.casefold() in added)
        return [
            (
                writes and self.type is WorkerType.REVIEW,
                "mode: a review cannot write; leave the field out, or write comment",
            ),
            (
                not writes and self.type is WorkerType.FIX_CI,
                "mode: mending needs to write; leave the field out, or write write",
            ),
            (
                writes and self.allow == "everybody",
                "allow: only a worker in comment mode may be opened to everybody",
            ),
            (
                writes and any(on.fork for on in self.on),
                "on.fork: only a worker in comment mode may start on pull requests from forks",
            ),
            (not self.on and self.id not in _BUILT_IN, "on: this field is missing"),
            (
                self.type is WorkerType.TASK and self.instructions is None,
                "instructions: this field is missing; a worker of the type task does what they say",
            ),
            (bool(own), f"labels: the worker would start itself, because it starts on the label {own}"),
        ]


def read_worker(content: bytes, worker_id: str) -> WorkerDefinition:
    """Read one file.

    Args:
        worker_id: the file's name without its ending.

    Raises:
        ConfigurationError: it is no YAML, or a field is wrong.
    """
    read = read_document(content)
    value = {} if read.value is None else read.value
    own_id = as_object(value).get("id", worker_id)
    if own_id != worker_id:
        line = read.line(("id",))
        raise ConfigurationError(f"line {line}: id: must be the file's name, {worker_id}")
    if isinstance(value, dict):
        value = {"id": worker_id, **value}
    return read_part(WorkerDefinition, Read(value, read.lines))

"""Which workers a delivery starts: a pure function of what it says and of the workers there are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pullwright.workers.events import CHECK_SUITE, EVENTS, FAILED_CONCLUSIONS, LABELED

WRITE = "write"
COMMENT = "comment"
PATHS = "paths"
TEAMS = "teams"


class Trigger(NamedTuple):
    """One way to start a worker: all that it names must hold.

    Attributes:
        event: empty for a schedule, which no delivery starts.
        actions: empty means the event's default.
        labels: the one that was added, or one that the issue or pull request has.
        comment: pattern for the comment's first line.
        fork: whether pull requests from forks count too.
    """

    event: str = ""
    actions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    comment: str = ""
    base: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    draft: bool | None = None
    fork: bool = False


class Worker(NamedTuple):
    """What is needed of a worker to know whether it starts."""

    id: str
    triggers: tuple[Trigger, ...]
    enabled: bool = True
    mode: str = WRITE


class Delivery(NamedTuple):
    """What a delivery says about things that workers are filtered by.

    Attributes:
        actor: login of who caused it.
        label: the one that was added; empty if none was.
        labels: those that the issue or pull request has.
        comment: the comment's or review's text.
        base: branch that the pull request goes to.
        head: branch of the pull request, of the push or of the checks.
        paths: files that a push changed; None where only GitHub can say.
        conclusion: of checks.
    """

    event: str
    action: str = ""
    actor: str = ""
    label: str = ""
    labels: tuple[str, ...] = ()
    comment: str = ""
    base: str = ""
    head: str = ""
    draft: bool = False
    fork: bool = False
    paths: tuple[str, ...] | None = None
    conclusion: str = ""


class Match(NamedTuple):
    """A worker that starts.

    Attributes:
        trigger: the worker's first that fits.
        asks: conditions that the delivery does not settle, `paths` and `teams`: GitHub is asked before the
            worker starts.
    """

    worker: Worker
    trigger: Trigger
    asks: frozenset[str]


class Routing(NamedTuple):
    """What a delivery starts.

    Attributes:
        reasons: by worker, why it does not start: the rest of a sentence that begins with its name.
    """

    matches: tuple[Match, ...]
    reasons: Mapping[str, str]


def route(delivery: Delivery, workers: Iterable[Worker]) -> Routing:
    """Return the workers that a delivery starts, and why the others do not."""
    matches: list[Match] = []
    reasons: dict[str, str] = {}
    for worker in workers:
        match = _match(delivery, worker)
        if isinstance(match, Match):
            matches.append(match)
        else:
            reasons[worker.id] = match
    return Routing(tuple(matches), reasons)


def starting_labels(workers: Iterable[Worker]) -> frozenset[str]:
    """Return the labels, in small letters, whose addition starts a worker."""
    return frozenset(
        label.casefold()
        for worker in workers
        for trigger in worker.triggers
        if LABELED in actions_of(trigger)
        for label in trigger.labels
    )


def as_worker(value: Mapping[str, Any]) -> Worker:
    """Read a worker as `as_value` writes it."""
    triggers = tuple(
        Trigger(**{name: _frozen(part) for name, part in fields.items()}) for fields in value["triggers"]
    )
    return Worker(value["id"], triggers, value.get("enabled", True), value.get("mode", WRITE))


def as_value(worker: Worker) -> dict[str, Any]:
    """Return a worker as JSON can hold it, without what is at its default."""
    defaults = Trigger._field_defaults
    triggers = [
        {name: field for name, field in trigger._asdict().items() if field != defaults[name]}
        for trigger in worker.triggers
    ]
    value: dict[str, Any] = {"id": worker.id, "triggers": triggers}
    if not worker.enabled:
        value["enabled"] = False
    if worker.mode != WRITE:
        value["mode"] = worker.mode
    return value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _match(delivery: Delivery, worker: Worker) -> Match | str:
    """Return how a delivery starts a worker, or why it does not."""
    if not worker.enabled:
        return "is switched off"
    reason = f"does not start on {delivery.event}"
    for trigger in worker.triggers:
        if trigger.event != delivery.event:
            continue
        reason = next(_differences(delivery, worker, trigger), "")
        if not reason:
            asks = {PATHS} if trigger.paths and delivery.paths is None else set()
            return Match(worker, trigger, frozenset(asks | ({TEAMS} if trigger.teams else set())))
    return reason


def _differences(delivery: Delivery, worker: Worker, trigger: Trigger) -> Iterator[str]:
    """Yield in what a delivery differs from a trigger for its event; nothing if it starts the worker."""
    actions = actions_of(trigger)
    if actions and delivery.action not in actions:
        yield f"starts on {_either(actions)}, not on {delivery.action or 'this action'}"
    if delivery.event == CHECK_SUITE and delivery.conclusion not in FAILED_CONCLUSIONS:
        yield f"starts on checks that failed, not on {delivery.conclusion or 'these'}"
    if delivery.fork and (not trigger.fork or worker.mode != COMMENT):
        yield "does not start on pull requests from forks"
    if trigger.labels and not _has_label(delivery, trigger):
        yield f"needs the label {_either(trigger.labels)}"
    if trigger.draft is not None and trigger.draft is not delivery.draft:
        yield "starts on drafts only" if trigger.draft else "does not start on drafts"
    if trigger.actors and delivery.actor.casefold() not in map(str.casefold, trigger.actors):
        yield f"does not start for {delivery.actor}"
    if trigger.comment and not _matches_any((trigger.comment,), _first_line(delivery.comment)):
        yield f"needs a comment like {trigger.comment}"
    yield from _differences_of_place(delivery, trigger)


def _differences_of_place(delivery: Delivery, trigger: Trigger) -> Iterator[str]:
    if trigger.base and not _matches_any(trigger.base, delivery.base):
        yield f"needs the base branch {_either(trigger.base)}, not {delivery.base}"
    if trigger.head and not _matches_any(trigger.head, delivery.head):
        yield f"needs the branch {_either(trigger.head)}, not {delivery.head}"
    if trigger.paths and delivery.paths is not None and not is_about(delivery.paths, trigger):
        yield f"needs a change of {_either(trigger.paths)}"


def actions_of(trigger: Trigger) -> tuple[str, ...]:
    """Return the actions that a trigger starts on; empty where its event has none."""
    if trigger.actions or trigger.event not in EVENTS:
        return trigger.actions
    event = EVENTS[trigger.event]
    # Who names labels and no action means the moment when the label is added.
    return (LABELED,) if trigger.labels and LABELED in event.actions else event.default


def is_about(paths: Iterable[str], trigger: Trigger) -> bool:
    """Return whether one of the changed files is one that a trigger names."""
    return any(_matches_any(trigger.paths, path) for path in paths)


def _matches_any(patterns: Iterable[str], text: str) -> bool:
    # The label, for which people wait, needs no pattern, and most starts of the webhook are cold.
    from pullwright.workers.patterns import matches_any  # noqa: PLC0415 - seldom needed

    return matches_any(patterns, text)


def _has_label(delivery: Delivery, trigger: Trigger) -> bool:
    """Return whether the added label is named; for other actions, whether one of those that are there is."""
    there = (delivery.label,) if delivery.action == LABELED else delivery.labels
    return not {label.casefold() for label in trigger.labels}.isdisjoint(map(str.casefold, there))


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _either(names: Sequence[str]) -> str:
    return " or ".join(names)

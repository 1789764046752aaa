"""What the stack's parts have logged, joined and in order: of one session, or of all."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright.aws import code_of
from pullwright.json_object import decode_object
from pullwright_cli.session import ENDED, visits_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pullwright_cli.session import Deployed, Session

SOURCES = ("webhook", "functions", "states", "runner", "agent")
_FUNCTIONS = ("events", "open-pull-request", "report-outcome", "reconcile", "broker")
_LAMBDAS_OWN = ("INIT_START ", "START RequestId", "END RequestId", "REPORT RequestId")
_PAUSE = 2.0
# CloudWatch shows a line some seconds after it was written, and not always in order.
_LATE = timedelta(seconds=20)
# A session's first lines are the webhook's, before its execution began; its last may be a sweep's.
_BEFORE, _AFTER = timedelta(minutes=1), timedelta(minutes=10)
_LONGEST_PATTERN = 1_024


class Line(NamedTuple):
    """One line of a log.

    Attributes:
        source: one of `SOURCES`.
        part: which of them wrote it: a function, a state or the task.
        fields: all that the line holds; empty where it is no JSON.
    """

    at: datetime
    source: str
    part: str
    level: str
    message: str
    fields: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {**self._asdict(), "at": self.at.isoformat()}


class Place(NamedTuple):
    """A log group, and what its lines are.

    Attributes:
        streams: those alone that are read, whole; empty for all, of which a session's lines are picked.
    """

    source: str
    part: str
    group: str
    streams: tuple[str, ...] = ()


class Logbook:
    """The logs of a stack.

    Args:
        session: whose lines are wanted; None for all.
    """

    def __init__(self, stack: Deployed, sources: Sequence[str], session: Session | None) -> None:
        self._stack = stack
        self._sources = sources
        self._session = session
        self._seen: set[str] = set()

    def lines(self, since: datetime | None, until: datetime | None = None) -> list[Line]:
        """Return the lines that were not returned before, in order of time."""
        found = [line for place in self._places() for line in self._read(place, since, until)]
        if self._session is not None and "states" in self._sources:
            found += self._states(self._session)
        # Two that are alike but for their fields have no order of their own.
        return sorted(found, key=lambda line: line[:-1])

    def follow(self, since: datetime | None) -> Iterator[Line]:
        """Yield lines as they come; those of one session until it has ended."""
        while True:
            began = datetime.now(UTC)
            has_ended = self._session is not None and _has_ended(self._session)
            yield from self.lines(since)
            if has_ended:
                time.sleep(_PAUSE)
                yield from self.lines(since)
                return
            since = max(since or began, began - _LATE)
            time.sleep(_PAUSE)

    def span(self) -> tuple[datetime | None, datetime | None]:
        """Return from when to when the session may have been logged."""
        if self._session is None:
            return None, None
        record = self._session.record()
        began, closed = record.created_at, record.closed_at
        if began is None:
            try:
                began = self._session.description()["startDate"]
            except errors.ExecutionForgotten:
                text = f"There is no session {self._session.id} in this stack."
                raise errors.SessionMissing(text) from None
        return began - _BEFORE, None if closed is None else closed + _AFTER

    def _places(self) -> list[Place]:
        """Return all that is to be read."""
        tasks = self._stack.output("LogGroupName")
        prefix = tasks.rpartition("/")[0]
        places = []
        if "webhook" in self._sources:
            places.append(Place("webhook", "webhook", f"{prefix}/webhook"))
        if "functions" in self._sources:
            places += [Place("functions", name, f"{prefix}/{name}") for name in _FUNCTIONS]
        if "states" in self._sources and self._session is None:
            group = f"/aws/vendedlogs/states/{prefix.rpartition('/')[2]}"
            places.append(Place("states", "machine", group))
        if {"runner", "agent"} & set(self._sources):
            places.append(Place("runner", "task", tasks))
        return places

    def _read(self, place: Place, since: datetime | None, until: datetime | None) -> Iterator[Line]:
        wanted: dict[str, Any] = {"logGroupName": place.group}
        if place.streams:
            wanted["logStreamNames"] = list(place.streams)
        elif self._session is not None:
            # A quoted term is found as it stands, and the session's id is in each of its lines:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
            wanted["filterPattern"] = json.dumps(self._session.id[:_LONGEST_PATTERN])
        if since is not None:
            wanted["startTime"] = int(since.timestamp() * 1000)
        if until is not None:
            wanted["endTime"] = int(until.timestamp() * 1000)
        try:
            for page in self._stack.client("logs").get_paginator("filter_log_events").paginate(**wanted):
                yield from self._new(page["events"], place)
        except ClientError as error:
            # A function that never ran may have no group.
            if code_of(error) != "ResourceNotFoundException":
                raise

    def _new(self, events: list[dict[str, Any]], place: Place) -> Iterator[Line]:
        own = "" if self._session is None or place.streams else self._session.id
        for event in events:
            # LocalStack takes the pattern and heeds it not.
            if own not in event["message"]:
                continue
            key = f"{place.part}/{event['logStreamName']}/{event['eventId']}"
            line = _line(event, place.source, place.part)
            if key not in self._seen and line is not None and line.source in self._sources:
                self._seen.add(key)
                yield line

    def _states(self, session: Session) -> Iterator[Line]:
        try:
            visits = visits_of(session.events())
        except errors.ExecutionForgotten:
            return
        for place, visit in enumerate(visits):
            if (key := f"state {place}") not in self._seen:
                self._seen.add(key)
                yield Line(visit.entered.astimezone(UTC), "states", visit.name, "INFO", "entered", {})


def _line(event: dict[str, Any], source: str, part: str) -> Line | None:
    """Return a log event as a line; None for what Lambda itself writes around each invocation."""
    text = str(event["message"]).rstrip()
    fields = decode_object(text)
    if source in {"webhook", "functions"} and text.startswith(_LAMBDAS_OWN):
        return None
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    if "activity" in fields and source == "runner":
        return Line(at, "agent", str(fields.get("tool") or "step"), "INFO", str(fields["activity"]), fields)
    message = fields.get("message") or fields.get("type") or text
    if "_aws" in fields and "message" not in fields and source != "preview":
        # Figures for CloudWatch, which stand on the dashboard.
        return None
    return Line(at, source, part, str(fields.get("level") or "INFO"), str(message), fields)


def _has_ended(session: Session) -> bool:
    try:
        return session.status() in ENDED
    except errors.ExecutionForgotten:
        return True

"""The runner's result, cut to what report and record can hold.

A task can write anything into its `result.json` that has the form of one. A number that the table does not
take, or a text without end, must not keep the session from its report.
"""

import re
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from pullwright.artifacts import Artifacts, UnreadableResultError
from pullwright.log import logger
from pullwright.models import Outcome
from pullwright.reporting.event import ReportOutcomeEvent
from pullwright.results import AgentResult
from pullwright.reviewing.models import Findings

_LONGEST_TEXT = 2_000
_LONGEST_TEXTS = {"summary": 100_000, "output": 20_000}
_MOST_ITEMS = 100
# Millions of dollars, tokens by the trillion: more than any session can come to, and nothing like overflow.
_LARGEST = 10**13
_DECIMALS = 6
_COMMIT = re.compile(r"[0-9a-f]{4,64}")
_CONTROL = {code: None for code in (*range(32), 127) if chr(code) not in "\t\n"}


def read_result(artifacts: Artifacts, event: ReportOutcomeEvent) -> tuple[AgentResult | None, bool]:
    """Return the runner's result, and whether there is one that cannot be read."""
    if event.opened is None:
        return None, False
    try:
        found = artifacts.read_result(event.session_id)
        return None if found is None else bounded(found), False
    except UnreadableResultError as error:
        logger.warning("the result cannot be read", reason=str(error))
        return None, True


def read_findings(artifacts: Artifacts, session_id: str, outcome: Outcome) -> Findings | None:
    """Return what a session that only comments has found; None for any other, or if it cannot be read."""
    return artifacts.read_findings(session_id) if outcome is Outcome.COMMENTED else None


def bounded(result: AgentResult) -> AgentResult:
    """Return a result whose texts and lists are cut, and whose commit is valid or None.

    Raises:
        UnreadableResultError: a number or a time in it is none that a session can come to.
    """
    fields = {name: _bounded(value, name) for name, value in result.model_dump().items()}
    if not _COMMIT.fullmatch(fields["commit"] or ""):
        fields["commit"] = None
    fields["ended_at"] = max(fields["started_at"], fields["ended_at"])
    try:
        return AgentResult.model_validate(fields)
    except ValidationError as error:
        raise UnreadableResultError("result.json does not have the form of a result") from error


def _bounded(value: Any, name: str) -> Any:
    match value:
        case None | bool():
            return value
        case int() | float():
            # No number that is none passes a comparison.
            if not -_LARGEST <= value <= _LARGEST or (value < 0 and name != "exit_code"):
                raise UnreadableResultError(f"{name} in result.json is out of range")
            return round(value, _DECIMALS)
        case str():
            return value.translate(_CONTROL)[: _LONGEST_TEXTS.get(name, _LONGEST_TEXT)]
        case datetime():
            return _in_utc(value, name)
        case dict():
            return {
                key[:_LONGEST_TEXT]: _bounded(item, key) for key, item in list(value.items())[:_MOST_ITEMS]
            }
        case list() | tuple():
            return [_bounded(item, name) for item in value[:_MOST_ITEMS]]
        case _:
            raise UnreadableResultError(f"{name} in result.json is of no known kind")


def _in_utc(value: datetime, name: str) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise UnreadableResultError(f"{name} in result.json is out of range") from None

"""Names that decide who is who are ASCII, whatever Unicode counts as a digit, a letter or a line's end."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pullwright.apps import is_listed
from pullwright.brokering.caller import _ARN
from pullwright.claims import SESSION_ID
from pullwright.fields import Repository, Sha256, WorkerName
from pullwright.owners import is_allowed
from pullwright.record import SessionRecord
from pullwright.webhook.decision import _GUID
from pullwright.webhook.start import _REPOSITORY

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

TASK = "0123456789abcdef0123456789abcdef"
# One of each script's digits, letters that fold into ASCII, full-width forms, and what may end a line.
ODD = [
    *(chr(code) for code in range(0x80, 0x1_0000) if unicodedata.digit(chr(code), None) == 1),
    *("\u212a", "\u017f", "\u0131", "\uff41", "\uff11", "\u00b9", "\u2460"),
    *("\n", "\r", "\t", " ", "\x00", "\u2028", "\u0085", "\u200b", "\u00ad"),
]


def _model(kind: Any) -> Callable[[str], bool]:
    adapter = TypeAdapter(kind)

    def takes(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return takes


def _pattern(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


NAMES: dict[str, tuple[Callable[[str], bool], str]] = {
    "caller": (_pattern(_ARN), f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK}"),
    "session": (_pattern(SESSION_ID), "implement-1-a"),
    "claimed task": (
        lambda text: SessionRecord.of("s", {"task_arn": text}).task_arn is not None,
        f"arn:aws:ecs:eu-central-1:123456789012:task/cluster/{TASK}",
    ),
    "claimed time": (
        lambda text: SessionRecord.of("s", {"heartbeat_at": text}).heartbeat_at is not None,
        "2026-01-01T10:10:10+00:00",
    ),
    "repository": (_model(Repository), "octo1/widgets1"),
    "repository of a webhook": (_pattern(_REPOSITORY), "octo1/widgets1"),
    "delivery": (_pattern(_GUID), "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
    "worker": (_model(WorkerName), "implement1"),
    "hash": (_model(Sha256), "1" * 64),
    "owner": (lambda text: is_allowed(text, "kiss1/kiss1"), "kiss1/kiss1"),
    "App": (lambda text: is_listed(text, "kiss1"), "kiss1[bot]"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_ascii_and_nothing_around_it(kind: str) -> None:
    """Each character in turn is replaced by, and the ends are given, what only looks or sorts alike."""
    takes, good = NAMES[kind]
    assert takes(good)
    places = range(len(good))
    # A time may have any one character between day and hour.
    wrong = {
        good[:at] + odd + good[at + 1 :] for at in places for odd in ODD if (kind, at) != ("claimed time", 10)
    }
    wrong |= {odd + good for odd in ODD} | {good + odd for odd in ODD}
    assert [text for text in wrong if takes(text)] == []

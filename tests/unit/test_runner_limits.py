"""The soft limits and the guard against an agent that gets nowhere."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.models import ResolvedLimits
from runner.agent.input import AgentInput
from runner.agent.notices import Notices
from runner.agent.readable import ReadableTranscript
from runner.agent.stuck import StuckGuard
from runner.clock import Clock
from runner.log import Tee

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = ResolvedLimits(usd=5.0, turns=10, minutes=60)


class _Clock(Clock):
    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


def _call(number: int, command: str, *, failed: bool) -> list[dict[str, Any]]:
    use = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": command}}
    result = {"type": "tool_result", "tool_use_id": f"t{number}", "is_error": failed, "content": "x"}
    return [
        {"type": "assistant", "message": {"content": [use]}},
        {"type": "user", "message": {"content": [result]}},
    ]


@pytest.mark.parametrize(
    ("usd", "turns", "seconds", "words"),
    [
        (3.99, 7, 2879.0, []),
        (4.0, 0, 0.0, ["$4.00 of this session's $5.00"]),
        (0.0, 8, 0.0, ["8 of this session's 10 turns"]),
        (0.0, 0, 2880.0, ["48 min 0 s of this session's 1 h 0 min"]),
        (4.9, 9, 3590.0, ["$4.90", "9 of", "59 min 50 s of"]),
        (5.0, 10, 3600.0, []),
    ],
)
def test_each_limit_is_announced_once_at_80_percent(
    usd: float, turns: int, seconds: float, words: list[str]
) -> None:
    """Money, turns and time have a notice each; nobody is told twice, nor when it is too late."""
    notices = Notices(LIMITS, usd=lambda: usd, turns=lambda: turns, seconds=lambda: seconds)
    due = notices.due()
    assert len(due) == len(words)
    assert all(word in notice for word, notice in zip(words, due, strict=True))
    assert notices.due() == []


def test_the_same_failing_command_five_times_in_a_row_is_stuck() -> None:
    """The reason names the command."""
    guard = StuckGuard(clock=_Clock())
    reasons = []
    for number in range(5):
        for event in _call(number, "npm test", failed=True):
            guard.take(event)
        reasons.append(guard.reason)
    assert reasons[:4] == [None] * 4
    assert reasons[4] == "The agent's same call of Bash failed 5 times in a row: `npm test`."


@pytest.mark.parametrize("between", [("npm test", False), ("ls nowhere", True)])
def test_anything_in_between_begins_the_count_anew(between: tuple[str, bool]) -> None:
    """A success or another failure shows that the agent tries something else."""
    guard = StuckGuard(clock=_Clock())
    for number in range(12):
        command, failed = between if number % 4 == 3 else ("npm test", True)
        for event in _call(number, command, failed=failed):
            guard.take(event)
    assert guard.reason is None


def test_silence_counts_from_the_last_word_or_change() -> None:
    """Twenty minutes without a line and without a changed file are too long."""
    clock = _Clock()
    changed_at = [0.0]
    guard = StuckGuard(lambda: changed_at[0], clock=clock)

    def reason_after(seconds: float) -> str | None:
        clock.seconds += seconds
        return guard.reason

    assert reason_after(1200) is None
    assert reason_after(1) == "The agent has said nothing and changed nothing for 20 min 0 s."
    changed_at[0] = clock.seconds
    assert reason_after(0) is None
    clock.seconds += 1201
    guard.take({"type": "system"})
    assert reason_after(0) is None


def test_lines_of_any_shape_do_no_harm() -> None:
    """The CLI's lines are another program's words."""
    guard = StuckGuard(clock=_Clock())
    for message in (None, "x", {"content": "x"}, {"content": [None, {"type": "tool_result"}]}):
        guard.take({"type": "user", "message": message})
    assert guard.reason is None


def test_what_is_said_is_written_as_messages_until_the_end() -> None:
    """The prompt comes first; after the end the stream is closed."""
    closed = threading.Event()

    class _Stream(io.BytesIO):
        def close(self) -> None:
            self.written = self.getvalue()
            super().close()
            closed.set()

    stream, agent_input = _Stream(), AgentInput("Do it")
    agent_input.write_to(stream)
    agent_input.send("Hurry")
    agent_input.end()
    assert closed.wait(10)
    messages = [json.loads(line)["message"] for line in stream.written.splitlines()]
    assert messages == [{"role": "user", "content": "Do it"}, {"role": "user", "content": "Hurry"}]


def test_the_logs_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy for the artifacts ends with a note; standard output gets everything."""
    monkeypatch.setattr("runner.log.MAX_FILE_CHARACTERS", 10)
    out = io.StringIO()
    tee = Tee(out)
    tee.copy_to(tmp_path / "log")
    for _ in range(3):
        tee.write("1234567\n")
    tee.close_copy()
    assert out.getvalue() == "1234567\n" * 3
    first, note = (tmp_path / "log").read_text().splitlines()
    assert first == "1234567"
    assert "full" in json.loads(note)["message"]


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"level": "INFO", "message": "x" * 300_000, "session_id": "s"}),
        json.dumps(
            {"level": "INFO", "message": "m", "session_id": "s", "nested": {"a": ["\U0001f600" * 50_000]}}
        ),
        json.dumps(
            {"level": "INFO", "message": "m", "session_id": "s", **{f"k{n}": "y" * 3_000 for n in range(90)}}
        ),
        "no JSON " * 100_000,
    ],
)
def test_a_line_of_the_log_fits_into_one_event(line: str) -> None:
    """However long a field is, what is written is JSON below the 256 KiB that CloudWatch takes."""
    out = io.StringIO()
    Tee(out).write(f"{line}\n")
    (written,) = out.getvalue().splitlines(keepends=True)
    assert len(written.encode()) < 262_144 - 26
    assert "characters left out" in json.loads(written)["message"] + json.dumps(json.loads(written))
    Tee(out).write('{"message": "short"}\n')
    assert out.getvalue().endswith('\n{"message": "short"}\n')


def test_calls_without_a_result_do_not_add_up() -> None:
    """What the guard remembers of calls has bounds in number and size, and the newest ones count."""
    guard = StuckGuard(clock=_Clock())
    for number in range(1_000):
        use, _ = _call(number, "x" * 10_000, failed=True)
        guard.take(use)
    kept = list(guard._calls.values())
    assert len(kept) == 200
    assert max(len(call.shown) for call in kept) < 200
    for number in range(900, 905):
        guard.take(_call(number, "x" * 10_000, failed=True)[1])
    assert guard.reason is not None


def test_the_readable_transcript_is_bounded_and_fenced(tmp_path: Path) -> None:
    """Each step is there, no content ends its own block, and the file ends with a note when it is full."""
    path = tmp_path / "transcript.md"
    readable = ReadableTranscript(path, max_characters=200)
    for event in _call(1, "echo '```'", failed=True):
        readable.take(event)
    text = path.read_text()
    assert "### Bash\n\n````\necho '```'\n````\n" in text
    assert "It failed:\n\n```\nx\n```\n" in text
    for _ in range(3):
        readable.take({"type": "assistant", "message": {"content": [{"type": "text", "text": "y" * 300}]}})
    readable.close()
    assert path.read_text() == f"{text}\n*The rest is in transcript.jsonl.*\n"

"""Spare capacity that AWS takes back again and again: one session, task after task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pullwright.results import SessionUsage
from runner import exit_codes
from tests.container.harness import Harness, stop_when

if TYPE_CHECKING:
    from collections.abc import Iterator

RECLAIMS = 10
# Each task adds a line to what it finds; all but the last then work on until they are taken back. That
# happens as soon as the file is there: what is counted has been said before.
SCRIPT = f"""
echo step >> STEPS.md; git status --short > /dev/null
if [ "$(wc -l < STEPS.md)" -le {RECLAIMS} ]; then
  echo '{{"type":"assistant","message":{{"id":"m1","content":[{{"type":"text","text":"On it."}}]}}}}'
  # The first has to be killed, after a while; the others end when they are told to, as the real CLI does.
  [ "$(wc -l < STEPS.md)" -gt 1 ] || trap '' TERM
  touch READY.log; sleep 600
fi
finish
"""


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as opened:
        yield opened


def test_ten_reclaims_in_a_row_lose_nothing(harness: Harness) -> None:
    """Each task goes on from the last one's checkpoint; turns and time add up; the branch gets one commit.

    AWS sends SIGTERM two minutes before it takes the capacity:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
    """
    head = harness.git("rev-parse", "claude/7")
    harness.fake_cli(SCRIPT)
    used = SessionUsage()
    for number in range(1, RECLAIMS + 1):
        ran = stop_when(
            harness.start(CAPACITY="FARGATE_SPOT"), harness.folder / f"work{number}/agent/shop/READY.log"
        )
        assert ran.code == exit_codes.STOPPED, ran.output
        assert harness.git("rev-parse", "claude/7") == head
        assert harness.git("show", "refs/pullwright/claude/7:STEPS.md").split() == ["step"] * number
        before, used = used, SessionUsage.model_validate_json(harness.artifact("usage.json"))
        assert (used.tasks, used.turns) == (number, number)
        assert used.seconds > before.seconds
        harness.record["task_arn"] = f"arn:of:task:{number}"
    first = harness.result.started_at
    ran = harness.run(CAPACITY="FARGATE_SPOT")
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.turns, result.started_at) == ("changed", RECLAIMS + 2, first)
    assert sum(result.phases.values()) <= (result.ended_at - first).total_seconds()
    assert harness.git("show", "claude/7:STEPS.md").split() == ["step"] * (RECLAIMS + 1)
    assert harness.git("rev-parse", "claude/7^") == head
    assert harness.git("for-each-ref", "refs/pullwright") == ""


@pytest.mark.parametrize(
    ("used", "error"),
    [
        ({"cost_usd": 5.0}, "MoneyLimit"),
        ({"turns": 20}, "TurnLimit"),
        ({"seconds": 301.0}, "TimeLimit"),
    ],
)
def test_the_limits_are_the_session_s(harness: Harness, used: dict[str, float], error: str) -> None:
    """What tasks before have used counts for the one that follows; what it does is pushed all the same."""
    harness.objects[harness.key("usage.json")] = json.dumps({"tasks": 3, **used}).encode()
    harness.record["task_arn"] = "arn:of:another:task"
    call = (
        'curl -s -o /dev/null -H "content-type: application/json" "$ANTHROPIC_BASE_URL/v1/messages" -d '
        '\'{"model":"claude-opus-5-5","max_tokens":1000,'
        '"messages":[{"role":"user","content":"Hello"}]}\''
    )
    harness.fake_cli(
        "echo half > HALF.md;"
        'echo \'{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"On it."}]}}\';'
        f"{call};"
        'echo \'{"type":"result","subtype":"error_during_execution","is_error":true}\'; sleep 2; exit 1'
    )
    ran = harness.run(CAPACITY="FARGATE_SPOT")
    assert harness.result.failure is not None, ran.output
    assert harness.result.failure.error == error
    assert harness.result.cost_usd == used.get("cost_usd", 0.0)
    # Without any time left the agent is ended before it has done anything.
    if error != "TimeLimit":
        assert harness.git("show", "claude/7:HALF.md") == "half"

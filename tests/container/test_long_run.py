"""A run of three hours on a moved clock: credentials end on the way, and none of the work is lost."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import pairwise

from runner import exit_codes
from tests.container.harness import Harness, finish
from tests.container.test_checkpoints import REF, wait_until

STEPS = 12
WORK = (
    "n=1; while [ $n -le 12 ]; do echo $n > WORK-$n.md; "
    'use=\'{"type":"tool_use","name":"Write","input":{"file_path":"WORK-\'$n\'.md"}}\'; '
    'echo \'{"type":"assistant","message":{"id":"m\'$n\'","content":[\'"$use"\']}}\'; '
    "while ! [ -e ../../GO-$n ]; do sleep 0.05; done; n=$((n+1)); done; finish"
)


def test_three_hours_with_two_renewals_and_a_refused_token() -> None:
    """Credentials are renewed before they end, a 401 is renewed and repeated, and all work arrives."""
    with Harness.open() as harness:
        harness.ask(limits={"usd": 5.0, "turns": 100, "minutes": 600})
        harness.fake_cli(WORK)
        process = harness.start(movable=True)

        def kept(number: int) -> bool:
            # A checkpoint that was under way when the clock moved has begun its next interval after that.
            harness.move_clock(timedelta(seconds=3))
            refs = harness.git("for-each-ref", "--format=%(refname)", REF)
            return bool(refs) and f"WORK-{number}.md" in harness.git("ls-tree", "--name-only", REF).split()

        for number in range(1, STEPS + 1):
            work = harness.folder / f"work1/agent/shop/WORK-{number}.md"
            wait_until(work.exists, process)
            if number == 5:
                harness.grants[-1].revoked = True
            harness.move_clock(timedelta(minutes=15))
            wait_until(lambda number=number: kept(number), process)  # type: ignore[misc]
            (harness.folder / f"work1/GO-{number}").touch()
        ran = finish(process)

        assert ran.code == exit_codes.DONE, ran.output
        files = harness.git("ls-tree", "--name-only", "claude/7").split()
        assert {f"WORK-{number}.md" for number in range(1, STEPS + 1)} <= set(files)
        assert harness.git("rev-list", "--count", "main..claude/7") == "2"
        result = harness.result
        assert result.ended_at - result.started_at > timedelta(hours=3)
        assert result.phases["agent"] > timedelta(hours=3).total_seconds()
        renewed = [later.ends - earlier.ends for earlier, later in pairwise(harness.grants)]
        # One because a token was refused, the others because the old ones were about to end.
        assert len(renewed) >= 3, harness.grants
        assert sum(grant.revoked for grant in harness.grants) == 1
        everything = ran.output + b"".join(harness.objects.values()).decode()
        assert not [grant.token for grant in harness.grants if grant.token in everything]
        assert "ExpiredToken" not in ran.output


def test_an_agent_that_does_nothing_for_long_is_ended() -> None:
    """Twenty minutes without a word and without a change end the session as stuck, with its work pushed."""
    with Harness.open() as harness:
        harness.fake_cli("echo x > X.md; sleep 1000")
        harness.ask(limits={"usd": 5.0, "turns": 100, "minutes": 600})
        process = harness.start(movable=True)
        wait_until((harness.folder / "work1/agent/shop/X.md").exists, process)
        # A checkpoint that sees the file first counts as a sign of life.
        while process.poll() is None:
            harness.move_clock(timedelta(minutes=1))
            time.sleep(0.1)
        ran = finish(process)
        assert ran.code == exit_codes.of("AgentStuck"), ran.output
        assert harness.result.failure is not None
        assert "20 min" in harness.result.failure.sentence
        assert harness.git("show", "claude/7:X.md") == "x"

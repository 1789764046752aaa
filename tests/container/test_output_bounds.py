"""An agent, git or a repository's check that says far too much: memory, log and artifacts stay small."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from runner.git.command import MAX_ERR, MAX_OUT, GitError, run
from tests.container.harness import Harness, finish

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the runner may take in all, mapped or not; an idle one takes about 100 MiB of it.
MEMORY = ("prlimit", f"--data={300 << 20}", "--")
EVENT_BYTES = 262_144 - 26

# Writes events as the CLI does, among them some of many megabytes and calls that never get an answer.
FLOOD = """\
import json, sys
def say(kind, **message):
    sys.stdout.write(json.dumps({"type": kind, "message": message}) + "\\n")
big = "x" * 8_000_000
for number in range(6):
    use = {"type": "tool_use", "id": f"t{number}", "name": "Write" + big[:100_000], "input": {"content": big}}
    say("assistant", id="m1", content=[use])
say("assistant", id="m1", content=[{"type": "text", "text": "@everyone " * 500_000}])
for _ in range(40):
    sys.stdout.write(big[:1_000_000])
sys.stdout.write("\\n" + "[" * 1_000_000 + "\\n")
"""


def _is_running(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as opened:
        yield opened


def test_an_agent_that_says_too_much(harness: Harness) -> None:
    """Events of megabytes and a line of 40 MB leave a session like any other, in little memory."""
    (harness.folder / "flood.py").write_text(FLOOD)
    harness.fake_cli(f"python3 {harness.folder}/flood.py; echo kept > KEPT.md; finish")
    ran = finish(harness.start(*MEMORY))
    assert ran.code == exit_codes.DONE, ran.output[-4000:]
    assert harness.git("show", "claude/7:KEPT.md") == "kept"
    assert max(len(line.encode()) for line in ran.output.splitlines()) < EVENT_BYTES
    steps = [line for line in ran.lines if line.get("tool")]
    assert len(steps) == 6
    assert max(len(step["tool"]) for step in steps) <= 60
    assert {name: len(kept) for name, kept in harness.objects.items() if len(kept) > 64 << 20} == {}
    omitted = [line for line in harness.artifact("transcript.jsonl").splitlines() if b'"omitted"' in line]
    assert omitted
    assert all(json.loads(line)["bytes"] > 1 << 20 for line in omitted)


def test_a_check_that_says_too_much(harness: Harness) -> None:
    """Of a check that prints 50 MB on one line and more on many, the last lines are kept, cut."""
    seed = harness.folder / "seed"
    (seed / ".pullwright").mkdir()
    noise = (
        "head -c 50000000 /dev/zero | tr '\\0' x; seq 200000; head -c 9000000 /dev/zero | tr '\\0' y; false"
    )
    check = json.dumps({"checks": [{"name": "noise", "command": noise}]})
    (seed / ".pullwright/config.yaml").write_text(check)
    harness.git("checkout", "-q", "main", cwd=seed)
    harness.git("add", "-A", cwd=seed)
    harness.git("commit", "-q", "-m", "Checks", cwd=seed)
    harness.git("push", "-q", "origin", "main", cwd=seed)
    harness.fake_cli("echo kept > KEPT.md; finish")
    ran = finish(harness.start(*MEMORY))
    assert ran.code == exit_codes.DONE, ran.output[-4000:]
    (said,) = harness.result.checks
    assert (said.status, len(said.output) <= 6_000) == ("failed", True)
    assert "\n200000\nyyy" in said.output
    assert max(len(line.encode()) for line in ran.output.splitlines()) < EVENT_BYTES


def test_git_that_says_too_much(tmp_path: Path) -> None:
    """Git complains of each file that it cannot add: the end is kept. Data that is cut is an error."""
    loud = run("-c", "alias.loud=!head -c 300000000 /dev/zero >&2; echo end >&2", "loud", cwd=tmp_path)
    assert (loud.code, len(loud.err), loud.err[-5:]) == (0, MAX_ERR, "\0end\n")
    with pytest.raises(GitError) as caught:
        run("-c", f"alias.long=!head -c {MAX_OUT + 1} /dev/zero", "long", cwd=tmp_path)
    assert caught.value.stderr == "said more than 268,435,456 bytes"


def test_git_that_leaves_a_process_is_not_waited_for(tmp_path: Path) -> None:
    """What git wrote is taken when git has ended, and what it left is ended too."""
    done = run("-c", "alias.leave=!sleep 300 & echo $!", "leave", cwd=tmp_path)
    left = Path("/proc", done.out.decode().strip(), "stat")
    # A killed process ends when it is next scheduled; one that was not killed would sleep for five minutes.
    deadline = time.monotonic() + 60
    while _is_running(left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(left)


def test_git_takes_input_of_any_size(tmp_path: Path) -> None:
    """Also when it answers while it is being told, and when it stops listening."""
    given = b"x" * 5_000_000
    assert run("-c", "alias.same=!cat", "same", cwd=tmp_path, stdin=given).out == given
    assert run("-c", "alias.deaf=!exec 0<&-; echo no", "deaf", cwd=tmp_path, stdin=given).out == b"no\n"

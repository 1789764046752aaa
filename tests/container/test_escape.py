"""An agent that tries to steal, to stay and to break things: every attempt fails, and the session ends well.

The corpus is in `escape/`. The agent is a shell as the agent's user, started by the runner in its own way,
and, for a good part of it, the real CLI driven by the scripted model.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.endpoints import MODEL_KEY, SECRET_KEY, TOKEN
from tests.container.escape import credentials, privileges, processes
from tests.container.escape import git as planted
from tests.container.escape.attempts import TOOLS, Loot, program, read_loot
from tests.container.harness import Harness, finish

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")

# A user of this test alone: others on this machine must not count against its limits, nor be reached by it.
UID = 30_000 + os.getpid() % 20_000
SECRETS = (TOKEN, MODEL_KEY, SECRET_KEY, "ASIATASK", "ASIAMADEUP", "made-up-session-token")


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def attempted() -> Iterator[tuple[Harness, dict[str, Loot]]]:
    """Provide a session whose agent made every attempt of the lists, then did its work."""
    with Harness.open(afresh=True) as harness:
        shutil.copy(TOOLS, harness.folder)
        harness.fake_cli(program({**credentials.ATTEMPTS, **privileges.ATTEMPTS}) + "echo x > X.md; finish")
        ran = harness.run(AGENT_UID=str(UID), ANTHROPIC_BASE_URL=harness.url)
        assert ran.code == exit_codes.DONE, ran.output
        yield harness, read_loot(harness.folder / "work1/agent/.home")


@pytest.mark.parametrize("name", [*credentials.ATTEMPTS, *privileges.ATTEMPTS])
def test_attempt_fails(attempted: tuple[Harness, dict[str, Loot]], name: str) -> None:
    """It does not get what it wants, and nothing that it printed holds a secret."""
    loot = attempted[1][name]
    # 124 would be an attempt that hung, 126 and 127 one that was never made.
    assert loot.code not in {0, 124, 126, 127}, loot.output
    for secret in (*SECRETS, attempted[0].credentials_path):
        assert secret.encode() not in loot.output


def test_after_all_attempts_the_session_ends_as_any_other(
    attempted: tuple[Harness, dict[str, Loot]],
) -> None:
    """The work is on the branch, no other ref was touched, and the gateway forwarded nothing."""
    harness, loot = attempted
    assert b"runner" in loot.pop("found_runner").output
    assert len(loot) == len(credentials.ATTEMPTS) + len(privileges.ATTEMPTS)
    assert harness.result.outcome == "changed"
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7") == "X.md"
    refs = harness.git("for-each-ref", "--format=%(refname)").splitlines()
    assert set(refs) <= {"refs/heads/main", "refs/heads/claude/7", "refs/pullwright/claude/7"}
    assert harness.git("log", "-1", "--format=%s", "main") == "Say helo"
    assert harness.model_calls == []


@pytest.mark.parametrize("name", planted.PLANTED)
def test_nothing_planted_for_git_runs(harness: Harness, name: str) -> None:
    """No program, filter or file that the agent left is run by anybody, and its work is pushed."""
    harness.afresh = name in planted.FOR_A_STARTING_PROGRAM
    harness.fake_cli(
        f"{planted.PREAMBLE}\n{planted.PLANTED[name]}\nrm -rf $MARKS/*; echo kept > KEPT.md; finish"
    )
    ran = harness.run(AGENT_UID=str(UID))
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:KEPT.md") == "kept"
    assert list((harness.folder / "work1/agent/.home/marks").iterdir()) == []
    refs = set(harness.git("for-each-ref", "--format=%(refname)").splitlines())
    assert refs == {"refs/heads/main", "refs/heads/claude/7"}
    # One commit of the bot's on top of ours, whatever the agent committed and as whom.
    who = "pullwright[bot] <1+pullwright[bot]@users.noreply.github.com>|GitHub <noreply@github.com>"
    assert harness.git("log", "-1", "--format=%an <%ae>|%cn <%ce>", "claude/7") == who
    assert harness.git("log", "-1", "--format=%s", "claude/7^") == "Begin work on #7"


@pytest.mark.parametrize("name", planted.REFUSED)
def test_what_would_deceive_or_break_is_not_pushed(harness: Harness, name: str) -> None:
    """The session fails with the reason, in words without control characters, and the branch stays."""
    script, words = planted.REFUSED[name]
    harness.fake_cli(f"cat > /dev/null; {script}; finish")
    before = harness.git("rev-parse", "claude/7")
    ran = harness.run(AGENT_UID=str(UID))
    assert ran.code == exit_codes.of("PushRefused"), ran.output
    assert harness.result.failure is not None
    assert words in harness.result.failure.sentence
    assert harness.result.failure.sentence.isprintable()
    assert harness.git("rev-parse", "claude/7") == before


def test_a_secret_is_neither_pushed_nor_kept(harness: Harness) -> None:
    """A private key in text and in a binary file is on no ref, checkpoints included, and in no artifact."""
    body = secrets.token_hex(100)
    name = "PRIVATE" + " KEY"
    key = f"-----BEGIN {name}-----\n{body}\n-----END {name}-----"
    said = json.dumps(
        {
            "type": "assistant",
            "message": {
                "id": "m0",
                "content": [{"type": "text", "text": key}],
            },
        }
    )
    (harness.folder / "said").write_text(said + "\n")
    # Long enough for checkpoints to be tried.
    harness.fake_cli(
        f"cat {harness.folder}/said; echo fine > FINE.md;"
        f"printf 'x\\n-----BEGIN {name}-----\\n{body}\\n-----END {name}-----\\n' > key.pem;"
        "printf '\\0' > key.bin; cat key.pem >> key.bin; sleep 3; finish"
    )
    before = harness.git("for-each-ref")
    ran = harness.run(AGENT_UID=str(UID), CHECKPOINT_SECONDS="1")
    assert ran.code == exit_codes.of("PushRefused"), ran.output
    assert "a checkpoint could not be made" in ran.output
    assert harness.result.failure is not None
    assert "holds what looks like a private key in line" in harness.result.failure.sentence
    assert harness.git("for-each-ref") == before
    assert b"FINE.md" in harness.artifact("diff.patch")
    assert b"key." not in harness.artifact("diff.patch")
    assert b"[a private key]" in harness.artifact("transcript.jsonl")
    for content in (*harness.objects.values(), *map(str.encode, [*harness.comments, ran.output])):
        assert body[:40].encode() not in content


def test_a_key_that_the_branch_holds_may_be_moved(harness: Harness) -> None:
    """What stood in some file of the branch before is no finding in another."""
    name = "PRIVATE" + " KEY"
    seed = harness.folder / "seed"
    key = f"-----BEGIN {name}-----\n{secrets.token_hex(100)}\n-----END {name}-----\n"
    (seed / "old.pem").write_text(key)
    harness.git("add", "-A", cwd=seed)
    harness.git("commit", "-q", "-m", "A key for tests", cwd=seed)
    harness.git("push", "-q", "origin", "claude/7", cwd=seed)
    harness.fake_cli("cat > /dev/null; mv old.pem new.pem; finish")
    ran = harness.run(AGENT_UID=str(UID))
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:new.pem") == key.strip()


@pytest.mark.parametrize("name", processes.STAYING)
def test_processes_neither_stay_nor_take_everything(harness: Harness, name: str) -> None:
    """Whatever the agent started is gone when its work is taken in, and the session ends as any other."""
    shutil.copy(TOOLS, harness.folder)
    harness.fake_cli(f"cat > /dev/null; {processes.STAYING[name]}\necho kept > KEPT.md; finish")
    # Few processes and open files, so that running out of them is quick.
    limits = ("prlimit", "--nproc=100", "--nofile=200", "--")
    ran = finish(harness.start(*limits, AGENT_UID=str(UID), ANTHROPIC_BASE_URL=harness.url))
    assert ran.code == exit_codes.DONE, ran.output[-4000:]
    assert harness.git("show", "claude/7:KEPT.md") == "kept"
    assert subprocess.run(["pgrep", "-u", str(UID)], check=False, capture_output=True).stdout == b""


def test_an_agent_that_kills_everything_it_can_kills_itself(harness: Harness) -> None:
    """Signals to every process of its user end the agent, which is said; its work is on the branch."""
    harness.fake_cli("cat > /dev/null; echo kept > KEPT.md; kill -KILL -1")
    assert harness.run(AGENT_UID=str(UID)).code == exit_codes.of("AgentFailed")
    assert harness.git("show", "claude/7:KEPT.md") == "kept"


def test_a_full_disk_ends_the_agent_and_not_the_runner(harness: Harness) -> None:
    """The agent is ended before the last quarter of a small disk is used, and its work is pushed."""
    disk = harness.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "none", disk], check=True)
    try:
        harness.fake_cli(
            "cat > /dev/null; echo kept > KEPT.md; i=0;"
            "while :; do i=$((i+1)); head -c 2000000 /dev/zero > ~/fill$i; sleep 0.1; done"
        )
        ran = harness.run(AGENT_UID=str(UID), WORK_DIR=str(disk / "work"))
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    assert ran.code == exit_codes.of("DiskLimit"), ran.output
    assert harness.git("show", "claude/7:KEPT.md") == "kept"

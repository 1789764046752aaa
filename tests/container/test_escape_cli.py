"""The real CLI, driven by the scripted model, makes the attempts through its own tools."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.endpoints import MODEL_KEY, SECRET_KEY, TOKEN
from tests.container.escape import credentials, privileges
from tests.container.escape.attempts import TOOLS, program, read_loot
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")

UID = 30_000 + os.getpid() % 20_000


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """Provide the model stand-in."""
    with StandIn.running() as running:
        yield running


def _use(name: str, **given: str) -> dict[str, Any]:
    return {"tool": name, "input": given}


def test_reading_proc_self_environ_through_a_file_tool(standin: StandIn) -> None:
    """The public case of that name, and the corpus through the CLI's shell: nothing secret comes out."""
    attempts = {**credentials.PROC, **credentials.ENVIRONMENT, **credentials.FILES, **privileges.ATTEMPTS}
    with Harness.open(afresh=True) as harness:
        harness.real_cli()
        shutil.copy(TOOLS, harness.folder)
        (harness.folder / "attempts.sh").write_text(program(attempts))
        standin.play(
            _use("Read", file_path="/proc/self/environ"),
            _use("Read", file_path="{cwd}/../../runner/runner.log"),
            _use("Grep", pattern="ghs_|sk-ant", path="{cwd}/../../runner"),
            _use("Bash", command="sh ../../../attempts.sh"),
            _use("Write", file_path="{cwd}/../../runner/result.json", content="{}"),
            _use("Write", file_path="{cwd}/KEPT.md", content="kept\n"),
            {"text": "Done."},
        )
        ran = harness.run(AGENT_UID=str(UID), ANTHROPIC_BASE_URL=standin.url)
        assert ran.code == exit_codes.DONE, ran.output[-4000:]
        assert harness.git("diff", "--name-only", "claude/7^", "claude/7") == "KEPT.md"
        loot = read_loot(harness.folder / "work1/agent/.home")
        got = {name for name in attempts if loot[name].code in {0, 124, 126, 127}}
        assert got == set()
        seen = b"".join(harness.objects.values()) + b"".join(one.output for one in loot.values())
        for secret in (TOKEN, MODEL_KEY, SECRET_KEY, harness.credentials_path):
            assert secret.encode() not in seen

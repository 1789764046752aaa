"""The cage in whole sessions: what setup, agent and checks are refused is told, by step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATION = """\
egress: [python, allowed.example.org, "*.example.net"]
setup: |
  curl -sS https://telemetry.example.com/; curl -sS http://telemetry.example.com/
  (exec 3<>/dev/tcp/192.0.2.7/8080); (exec 3<>/dev/udp/192.0.2.8/53 && echo x >&3)
  env | grep -i proxy > PROXY
  true
checks:
  - name: tests
    command: curl -sS https://checks.example.org/ 2>&1 | grep 403
"""
# The harness plays everything around the task, on the loopback that a machine shares with it.
AGENT = """\
for try in 1 2; do curl -sS https://agent.example.org/ >> SAID 2>&1; done
curl -sS --noproxy '*' http://127.0.0.1:PORT/ >> SAID 2>&1 && echo reached >> SAID
bash -c '(exec 3<>/dev/tcp/127.0.0.1/PORT)' 2>> SAID && echo reached >> SAID
finish
"""


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as fresh:
        yield fresh


def commit(harness: Harness, text: str) -> None:
    """Put a configuration onto the default branch."""
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "main", cwd=seed)
    (seed / ".pullwright").mkdir()
    (seed / ".pullwright/config.yaml").write_text(text)
    harness.git("add", "-A", cwd=seed)
    harness.git("commit", "-q", "-m", "Configure", cwd=seed)
    harness.git("push", "-q", "origin", "main", cwd=seed)


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
def test_what_each_step_is_refused_stands_in_result_and_transcript(harness: Harness) -> None:
    """Domains by the proxy, addresses by the supervisor; what stands around the runner is out of reach."""
    port = harness.url.rpartition(":")[2]
    harness.fake_cli(AGENT.replace("PORT", port))
    commit(harness, CONFIGURATION)
    ran = harness.run(EGRESS_MODE="required", EGRESS_DOMAINS="python", EGRESS_MAY_ADD="allowed.example.org")
    assert ran.code == exit_codes.DONE, ran.output
    egress = harness.result.egress
    assert egress is not None
    assert (egress.state, egress.reason) == ("caged", None)
    counts = {(refused.step, refused.target): refused.count for refused in egress.refused}
    for step in ("setup", "setup for the checks"):
        assert counts.pop((step, "telemetry.example.com")) == 2
        assert counts.pop((step, "192.0.2.7:8080")) == 1
        assert counts.pop((step, "192.0.2.8:53")) == 1
    assert counts == {
        ("agent", "agent.example.org"): 2,
        ("agent", f"localhost:{port}"): 2,
        ("checks", "checks.example.org"): 1,
    }
    said = harness.git("show", "claude/7:SAID")
    assert "response 403" in said
    assert "reached" not in said
    assert "agent: 2 x `agent.example.org`" in harness.artifact("transcript.md").decode()
    assert [notice for notice in harness.result.notices if "*.example.net" in notice]
    assert egress.entries == ("python", "allowed.example.org", "*.example.net")


def test_without_a_second_user_there_is_no_cage_and_it_is_told(harness: Harness) -> None:
    """By default the session goes on and says so; where the cage is required, it ends before anything ran."""
    harness.ask(stub=True)
    ran = harness.run(AGENT_ISOLATION="none")
    assert ran.code == exit_codes.DONE, ran.output
    egress = harness.result.egress
    assert egress is not None
    assert (egress.state, egress.reason) == ("unavailable", "the agent runs as the runner's own user")
    before = harness.git("rev-parse", "claude/7")
    ran = harness.run(AGENT_ISOLATION="none", EGRESS_MODE="required")
    assert ran.code == exit_codes.of("CageUnavailable"), ran.output
    assert harness.git("rev-parse", "claude/7") == before
    assert harness.result.failure is not None
    assert harness.result.failure.error == "CageUnavailable"
    assert "EgressMode" in harness.result.failure.remedy

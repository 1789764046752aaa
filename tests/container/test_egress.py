"""The cage: what gets out of it, tried in network namespaces with every packet counted.

The same attempts are made three times: bare, where most of them succeed, so that they have teeth; in the cage
as a task has it (`checked`); and as a machine with other servers has it (`exact`).
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.container.egress import attempts, proxying
from tests.container.egress.world import ALLOWED, ALLOWED_V6

ROOT = Path(__file__).parents[2]
MODES = ("checked", "exact")
SEPARATE = ["unshare", "--net", "--mount", "--fork"]
TRIED = [name for name in attempts.ATTEMPTS if not name.startswith("MUST")]
NEEDED = [name for name in attempts.ATTEMPTS if name.startswith("MUST")]
# Where nobody else has sockets, Unix datagrams are among the agent's own processes (docs/security.md).
KNOWN = {
    "checked": {"root_s_datagram_socket_by_sendmsg"},
    "exact": set[str](),
}


def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "namespaces and a second user need root"
    made = subprocess.run([*SEPARATE, "true"], capture_output=True, text=True, check=False)
    return f"this machine makes no network namespace: {made.stderr.strip()}" if made.returncode else None


WHY_NOT = _why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


@pytest.fixture(scope="module")
def worlds() -> dict[str, dict[str, Any]]:
    """Provide what came of all attempts, by mode."""
    running = {
        mode: subprocess.Popen(
            [*SEPARATE, sys.executable, "-m", "tests.container.egress.world", mode],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        for mode in ("bare", *MODES)
    }
    found = {}
    for mode, process in running.items():
        printed, _ = process.communicate(timeout=400)
        assert process.returncode == 0, mode
        found[mode] = json.loads(printed)
    return found


def test_the_attempts_have_teeth(worlds: dict[str, dict[str, Any]]) -> None:
    """Without a cage most of them get what they want, and packets of theirs are on the wire."""
    bare = worlds["bare"]["attempts"]
    assert len(TRIED) >= 120
    assert sum(bare[name]["code"] == 0 for name in TRIED) >= 80
    assert sum(bool(bare[name]["packets"]) for name in TRIED) >= 60


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TRIED)
def test_nothing_gets_out(worlds: dict[str, dict[str, Any]], name: str, mode: str) -> None:
    """The attempt ends in an error of its own, and no packet was on the wire meanwhile."""
    made = worlds[mode]["attempts"][name]
    assert made["packets"] == [], made
    assert made["code"] == (0 if name in KNOWN[mode] else 1), made


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NEEDED)
def test_work_goes_on(worlds: dict[str, dict[str, Any]], name: str, mode: str) -> None:
    """What programs do among themselves works as it does outside."""
    made = worlds[mode]["attempts"][name]
    assert (made["code"], made["packets"]) == (0, []), made


@pytest.mark.parametrize("mode", MODES)
def test_a_supervisor_that_is_stopped_or_ended_leaves_the_cage_closed(
    worlds: dict[str, dict[str, Any]], mode: str
) -> None:
    """While it does not answer, calls wait; when it is gone, there are none, whoever wants to answer them."""
    world = worlds[mode]
    for made in world["stopped"].values():
        assert (made["code"], made["packets"]) == (-signal.SIGALRM, [])
    assert world["again"]["code"] == 0
    for name, made in world["ended"].items():
        assert (made["code"], made["packets"]) == (1, [])
        error = "Device or resource busy" if name == "a_listener_of_one_s_own" else "Function not implemented"
        assert error in made["said"]


@pytest.mark.parametrize("mode", MODES)
def test_what_was_refused_is_counted_by_address(worlds: dict[str, dict[str, Any]], mode: str) -> None:
    """Whoever mends a tool that ignores the proxy reads where it wanted to go."""
    refused = worlds[mode]["refused"]
    for target in ("169.254.170.2:80", "10.99.0.1:53", "93.184.215.14:443", "[2606:2800:21f:cb07::14]:443"):
        assert refused[target] >= 1
    assert any(target.startswith("localhost:") for target in refused)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [*proxying.SERVED, "second", "beside 200 that say nothing"])
def test_the_proxy_serves_what_is_allowed(worlds: dict[str, dict[str, Any]], name: str, mode: str) -> None:
    """The allowed host answers, once, and no packet goes to anybody else."""
    talk = worlds[mode]["proxy"]["talks"][name]
    assert talk["answer"].endswith("served")
    assert _targets(talk["packets"]) <= {f"tcp {ALLOWED} 443", f"tcp {ALLOWED} 80", f"tcp {ALLOWED_V6} 443"}
    assert len(talk["requests"]) == 1
    assert "other.example.org" not in talk["requests"][0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", proxying.REFUSED)
def test_the_proxy_refuses_what_is_not(worlds: dict[str, dict[str, Any]], name: str, mode: str) -> None:
    """Nothing of it reaches anybody: at most a connection to the allowed host opens, and nothing is said."""
    talk = worlds[mode]["proxy"]["talks"][name]
    assert "served" not in talk["answer"]
    assert "".join(talk["requests"]) == ""
    assert _targets(talk["packets"]) <= {f"tcp {ALLOWED} 443"}
    if "200 Connection" not in talk["answer"]:
        assert talk["packets"] == []


@pytest.mark.parametrize("mode", MODES)
def test_a_redirect_is_the_client_s_to_follow(worlds: dict[str, dict[str, Any]], mode: str) -> None:
    """The proxy passes it on, and asks nobody else."""
    talk = worlds[mode]["proxy"]["talks"]["moved"]
    assert re.search(r"302 Found\r\nlocation: http://other\.example\.org/", talk["answer"])
    assert _targets(talk["packets"]) == {f"tcp {ALLOWED} 80"}


def _targets(packets: list[str]) -> set[str]:
    return set(packets)

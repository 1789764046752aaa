"""One session in the image: its runner and its CLI, against stand-ins on the host's loopback."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.layout import ROOT
from tests.container.cli import AGENT_UID, StandIn
from tests.container.endpoints import MODEL_KEY, SECRET_KEY, SESSION, TOKEN
from tests.container.harness import Harness, finish
from tests.image.engine import ImageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.image.engine import Engine

_SPY = (
    "id -u; cat /proc/1/environ; cat /proc/[0-9]*/environ 2> /dev/null | tr '\\0' '\\n'; "
    "ls -a /workspace/runner /root; find / -xdev -user root -perm -4000 -type f 2> /dev/null | wc -l; "
    "curl -sS --noproxy '*' http://169.254.170.2/; curl -sS https://telemetry.example.com/; tree --version"
)
# Small, needs no other package, and no image has it.
_CONFIGURATION = "packages: [tree]\n"
_STEPS = (
    {"tool": "Bash", "input": {"command": _SPY, "description": "Look around"}},
    {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}},
    {
        "tool": "Edit",
        "input": {"file_path": "{cwd}/src/app.py", "old_string": "helo", "new_string": "hello"},
    },
    {"text": "It says hello now."},
)


@dataclass(frozen=True)
class Ran:
    """What came of the session.

    Args:
        phases: seconds for each of the runner's phases.
        first_request: seconds from the container's start to the first request to the model, without those for
            installing packages, which most repositories need none of.
    """

    phases: Mapping[str, float]
    first_request: float


def run(engine: Engine, image: str) -> Ran:
    """Run one session as root and the agent's user.

    Raises:
        ImageError: it did not succeed, or the agent saw what it must not see.
    """
    with Harness.open() as harness, StandIn.running() as model:
        model.play(*_STEPS)
        _configure(harness)
        variables = {
            **harness.variables,
            "ANTHROPIC_BASE_URL": model.url,
            # With the template's capabilities and the runtime's own filter, the cage has to hold.
            "EGRESS_MODE": "required",
        }
        began = time.time()
        name = f"pullwright-{harness.folder.name}"
        ran = finish(engine.start(image, name, variables, dropped_capabilities()))
        _expect(ran.code == 0, f"the runner ended with {ran.code}:\n{ran.output}")
        changed = harness.git("show", "claude/7:src/app.py")
        _expect("hello" in changed, f"the branch has {changed!r}")
        _expect(harness.result.outcome == "changed", f"the outcome is {harness.result.outcome}")
        transcript = harness.artifact("transcript.jsonl").decode()
        _check_secrets(transcript)
        egress = harness.result.egress
        refused = {target.target for target in egress.refused} if egress is not None else set[str]()
        _expect(
            {"169.254.170.2:80", "telemetry.example.com"} <= refused,
            f"the agent was not kept from the network: {egress}",
        )
        _expect(
            "tree v" in transcript, f"the package was not installed: {harness.result.notices}\n{ran.output}"
        )
        asked = min(request["at"] for request in model.requests() if "model" in request)
        return Ran(harness.result.phases, asked - began - harness.result.phases["packages"])


def dropped_capabilities() -> list[str]:
    """Those that the template takes from the task."""
    found = re.search(r"Capabilities: \{ Drop: \[([A-Z_, ]+)\] \}", (ROOT / "template.yaml").read_text())
    if found is None:
        raise ImageError("template.yaml does not say which capabilities the task has")
    return found[1].split(", ")


def _configure(harness: Harness) -> None:
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "main", cwd=seed)
    (seed / ".pullwright").mkdir()
    (seed / ".pullwright/config.yaml").write_text(_CONFIGURATION)
    harness.git("add", "-A", cwd=seed)
    harness.git("commit", "-q", "-m", "Packages", cwd=seed)
    harness.git("push", "-q", "origin", "main", cwd=seed)


def _check_secrets(transcript: str) -> None:
    """Look at what the agent's shell answered."""
    answers = [json.loads(line) for line in transcript.splitlines()]
    seen = next(text for line in answers if "Permission denied" in (text := json.dumps(line)))
    _expect(str(AGENT_UID) in seen, f"the agent was not user {AGENT_UID}:\n{seen}")
    for refused in ("/proc/1/environ: Permission denied", "/workspace/runner': Permission denied"):
        _expect(refused in seen, f"not refused: {refused}\n{seen}")
    for secret in (TOKEN, MODEL_KEY, SECRET_KEY, f"SESSION_ID={SESSION}", "BROKER_URL"):
        _expect(secret not in transcript, f"the agent could read {secret}")


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - like assert, which -O takes out
    if not holds:
        raise ImageError(otherwise)

"""Under a task's memory limit that only the agent's side exhausts, the runner still tells what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container import cgroup
from tests.container.cli import StandIn
from tests.container.harness import Harness, finish

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 1536 * 1024 * 1024

pytestmark = pytest.mark.skipif(bool(cgroup.unavailable()), reason=cgroup.unavailable())

# One inference, so that there is a cost; then twelve bodies at once that the gateway must not decode.
_CALL = """\
import json, os, threading, urllib.request
def ask(body):
    url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
    headers = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
    try:
        return urllib.request.urlopen(urllib.request.Request(url, body, headers)).status
    except OSError as error:
        return error
model = "claude-opus-5-5"
message = {"role": "user", "content": "hi"}
print(ask(json.dumps({"model": model, "max_tokens": 10, "messages": [message]}).encode()))
flood = b'{"a":[' + b"[]," * 3_500_000 + b"[]]}"
threads = [threading.Thread(target=ask, args=(flood,)) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
_EAT = "import time\nkept = []\nwhile True:\n    kept.append(bytearray(16 << 20))\n"
_WORK = """\
cat > "$TMPDIR/call.py" <<'END'
{call}END
cat > "$TMPDIR/eat.py" <<'END'
{eat}END
echo "print('hello')" > src/app.py
python3 "$TMPDIR/call.py" >&2
"""


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """Provide the model stand-in."""
    with StandIn.running() as running:
        running.play({"text": "one", "usage": {"input_tokens": 1_000, "output_tokens": 10}}, repeat_last=True)
        yield running


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as opened:
        yield opened


def work(rest: str) -> str:
    """Return a script that changes a file, calls the model, floods the gateway and goes on."""
    return _WORK.format(call=_CALL, eat=_EAT) + rest


def test_what_the_agent_starts_takes_all_memory(harness: Harness, standin: StandIn) -> None:
    """The kernel ends what eats, the agent goes on, and its work is pushed."""
    harness.fake_cli(work('for n in 1 2 3 4; do python3 "$TMPDIR/eat.py" & done\nwait\nfinish'))
    with cgroup.limited(LIMIT) as prefix:
        ran = finish(harness.start(*prefix, ANTHROPIC_BASE_URL=standin.url), 180)
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:src/app.py") == "print('hello')"
    assert harness.result.cost_usd > 0


def test_the_agent_itself_takes_all_memory(harness: Harness, standin: StandIn) -> None:
    """The kernel ends the agent; what it has done, what it has cost and how it ended are told."""
    harness.fake_cli(work('exec python3 "$TMPDIR/eat.py"'))
    with cgroup.limited(LIMIT) as prefix:
        ran = finish(harness.start(*prefix, ANTHROPIC_BASE_URL=standin.url), 180)
    assert ran.code == exit_codes.of("AgentFailed"), ran.output
    assert harness.result.cost_usd > 0
    assert harness.result.failure is not None
    assert b"+print('hello')" in harness.artifact("diff.patch")

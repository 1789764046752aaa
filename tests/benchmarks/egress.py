"""What the cage costs: a connection, a start, the supervisor's time, and the agent's first request.

`python -m tests.benchmarks.egress` prints this section alone.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from local.layout import ROOT
from runner.egress.cage import Cage
from runner.user import User
from tests.benchmarks.figures import Figure, Mark, Section, median, table
from tests.container.cli import StandIn
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

UID = 1_900_000_001
_CONNECTIONS = 1_500
_STARTS = 40
_ROUNDS = 5
_PROGRAM = """\
import json, socket, time
with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
    taken = []
    for _ in range(%d):
        began = time.perf_counter()
        client = socket.socket()
        client.connect(server.getsockname())
        taken.append(time.perf_counter() - began)
        server.accept()[0].close()
        client.close()
taken.sort()
print(json.dumps([taken[len(taken) // 2] * 1e6, taken[int(len(taken) * 0.99)] * 1e6]))
"""


class NotMeasuredError(RuntimeError):
    """There is no cage here, or a session did not end as it has to."""


def measure(say: Callable[[str], None]) -> Section:
    """Measure the cage beside no cage.

    Raises:
        NotMeasuredError: it cannot be measured here.
    """
    if os.geteuid() != 0:
        raise NotMeasuredError("the cage is for a second user, which needs root")
    try:
        figures = [*_connections(say), *_starts(say), *_installs(say), *_first_requests(say)]
    except (OSError, subprocess.SubprocessError) as error:
        raise NotMeasuredError(f"there is no cage here: {error}") from error
    return Section(
        "Cage",
        f"socket(2) and connect(2) to an own server, {_CONNECTIONS} times; {_STARTS} starts of `true` as the "
        f"agent's user; installs and first requests, {_ROUNDS} times each, in turns. The mode "
        "`checked` is a task's, `exact` that of a machine whose loopback serves others.",
        tuple(figures),
    )


def _connections(say: Callable[[str], None]) -> Iterator[Figure]:
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable
    bare: float | None = None
    for mode in ("bare", "checked", "exact"):
        say(f"connections, {mode}")
        cage = None if mode == "bare" else Cage(UID, [], is_shared=False, is_exact=mode == "exact")
        user = User(UID, start=cage.start) if cage else User(UID)
        process = user.start(
            user.command([python, "-I", "-S", "-c", _PROGRAM % _CONNECTIONS]), cwd="/", stdout=subprocess.PIPE
        )
        half, most = json.loads(process.communicate()[0])
        bare = bare or half
        mark = None if mode == "bare" else Mark(bare + 300, "0.3 ms above bare")
        yield Figure(f"socket and connect, {mode}: p50", half, "us", mark=mark)
        yield Figure(f"socket and connect, {mode}: p99", most, "us")
        if cage:
            ticks = sum(
                map(int, Path(f"/proc/{cage._supervisor._process.pid}/stat").read_text().split()[13:15])
            )
            seconds = ticks / os.sysconf("SC_CLK_TCK")
            yield Figure(f"supervisor's time for both calls, {mode}", seconds / _CONNECTIONS * 1e6, "us")
            cage.close()


def _starts(say: Callable[[str], None]) -> Iterator[Figure]:
    say("starts of a command")
    cage = Cage(UID, [], is_shared=False, is_exact=False)
    try:
        for name, user in (("bare", User(UID)), ("caged", User(UID, start=cage.start))):
            taken = []
            for _ in range(_STARTS):
                began = time.perf_counter()
                user.start(user.command(["true"]), cwd="/").wait()
                taken.append((time.perf_counter() - began) * 1000)
            yield median(f"start and end of a command, {name}", taken, "ms")
    finally:
        cage.close()


def _installs(say: Callable[[str], None]) -> Iterator[Figure]:
    say("installs from registries of their own")
    separate = ("unshare", "--net", "--mount", "--fork", "--kill-child")
    done = subprocess.run(
        [*separate, sys.executable, "-m", "tests.container.egress.work", str(_ROUNDS)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    found = json.loads(done.stdout)
    for tool in ("pip install", "npm ci"):
        if tool in found:
            halves = {
                place: statistics.median(made["seconds"] for made in rounds)
                for place, rounds in found[tool].items()
            }
            ratio = halves["caged"] / halves["bare"]
            yield Figure(f"{tool}, ratio to bare", ratio, "times", mark=Mark(1.1))


def _first_requests(say: Callable[[str], None]) -> Iterator[Figure]:
    seconds: Mapping[str, list[float]] = {"off": [], "required": []}
    with StandIn.running() as model:
        for number in range(_ROUNDS):
            for mode in sorted(seconds, reverse=bool(number % 2)):
                say(f"first requests, round {number + 1} of {_ROUNDS}")
                with Harness.open(afresh=True) as harness:
                    harness.real_cli()
                    model.play({"text": "There is nothing to do."})
                    began = time.time()
                    ran = harness.run(ANTHROPIC_BASE_URL=model.url, EGRESS_MODE=mode)
                    if ran.code != 0:
                        raise NotMeasuredError(f"the runner ended with {ran.code}: {ran.output[-500:]}")
                    asked = min(request["at"] for request in model.requests() if "model" in request)
                    seconds[mode].append((asked - began) * 1000)
    without = median("first model request, no cage", seconds["off"], "ms")
    yield without
    mark = Mark(without.value + 60, "60 ms above no cage")
    yield median("first model request, caged and proved", seconds["required"], "ms", mark=mark)


def main() -> None:
    """Print this section."""
    section = measure(lambda _: None)
    console = Console(width=130)
    console.print(table([section]))
    console.print(section.how)


if __name__ == "__main__":
    main()

"""Load on the local stack: many deliveries at once, counted to the last one.

`python -m tests.benchmarks.load`, or `make load`.

Exit code 0 when nothing was lost and nothing doubled, 1 otherwise, 2 when it could not be run, 130 when it
was ended before.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from local.layout import ROOT, TOOLS
from local.sessions import Stack
from tests.benchmarks import stub, warm
from tests.benchmarks.loading.plan import prepare
from tests.benchmarks.loading.send import Sent, send
from tests.benchmarks.loading.tally import Tally, tally, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_FOLDER = TOOLS / "bench" / "load"
_SHOWN = 20
_INTERRUPTED = 130


class NoStackError(RuntimeError):
    """The local stack did not come up."""


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=1_000, help="signed webhooks, duplicates included")
    parser.add_argument("--issues", type=int, default=200, help="issues that they are about")
    parser.add_argument("--duplicates", type=float, default=0.2, help="share that repeats a GUID (0 to 1)")
    parser.add_argument("--senders", type=int, default=8, help="deliveries under way at once")
    parser.add_argument("--sessions", type=int, default=8, help="MaxConcurrentSessions of the stack")
    parser.add_argument("--minutes", type=float, default=40, help="how long sessions may take altogether")
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    given = parser.parse_args(argv)
    distinct = given.deliveries - int(given.deliveries * given.duplicates)
    if not 1 <= given.issues <= distinct or not 0 <= given.duplicates < 1:
        parser.error(f"{distinct} different deliveries cannot be about {given.issues} issues")
    return given


@contextmanager
def _stack(sessions: int, folder: Path) -> Iterator[Stack]:
    parameters = ("StubSessions=true", f"MaxConcurrentSessions={sessions}")
    _local(folder, "up", *(part for one in parameters for part in ("--parameter", one)))
    try:
        yield Stack.load(folder)
    finally:
        _local(folder, "down", "--discard")


def _local(folder: Path, *command: str) -> None:
    environment = {**os.environ, "PULLWRIGHT_LOCAL": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "local", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoStackError(f"`local {command[0]}` exited with {done.returncode}: {done.stderr[-500:]}")


def run(stack: Stack, given: argparse.Namespace, say: Callable[[str], None]) -> tuple[Sent, float, Tally]:
    """Send the load and count what came of it.

    Args:
        stack: a fresh one whose sessions are stubs.
        given: sizes, as the command line gives them.

    Returns:
        What was sent, the seconds from the last answer to the last session's end, and the counts.
    """
    say(f"opening {given.issues} issues")
    plan = prepare(
        stack,
        deliveries=given.deliveries,
        issues=given.issues,
        duplicates=given.duplicates,
        seed=given.seed,
    )
    say(f"sending {len(plan.deliveries)} deliveries")
    sent = send(stack, plan.deliveries, senders=given.senders)
    seconds = wait(stack, sent.accepted, given.minutes * 60, say)
    say("counting")
    return sent, seconds, tally(stack, plan, sent.accepted)


def _table(given: argparse.Namespace, sent: Sent, seconds: float, found: Tally) -> Table:
    hundredths = statistics.quantiles(sent.waits, n=100)
    total = sent.seconds + seconds
    table = Table(title=f"{given.deliveries} deliveries about {given.issues} issues", title_justify="left")
    table.add_column("what")
    table.add_column("", justify="right")
    rows = [
        ("webhooks answered per second", f"{len(sent.waits) / sent.seconds:.1f}"),
        ("acknowledged, p50", f"{hundredths[49] * 1000:.0f} ms"),
        ("acknowledged, p99", f"{hundredths[98] * 1000:.0f} ms"),
        ("until the last session ended", f"{total:.0f} s"),
        ("sessions ended per minute", f"{found.executions / total * 60:.0f}"),
        ("sent", str(given.deliveries)),
        ("refused and sent again", str(len(sent.refused))),
        ("different deliveries accepted", str(len(sent.accepted))),
        ("executions", str(found.executions)),
        ("sessions", str(found.sessions)),
        ("tasks", str(found.tasks)),
        ("pull requests", str(found.pull_requests)),
        *((f"sessions that ended as {name}", str(n)) for name, n in sorted(found.endings.items())),
        ("lost", str(len(found.lost))),
        ("doubled", str(len(found.doubled))),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


def main(argv: Sequence[str] | None = None) -> int:
    """Run it and print the counts."""
    given = _arguments(argv)
    console, progress = Console(width=None if sys.stdout.isatty() else 100), Console(stderr=True)
    # However it is ended, its stack goes down with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress.status("starting a stack …") as status:

            def say(text: str) -> None:
                status.update(f"{text} …")

            with stub.running() as endpoint_url:
                alone = warm.measure(endpoint_url, say)
            say("starting a stack")
            with _stack(given.sessions, _FOLDER) as stack:
                sent, seconds, found = run(stack, given, say)
    except (NoStackError, warm.WrongAnswerError, TimeoutError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    console.print(_table(given, sent, seconds, found))
    console.print(f"The webhook's handler alone: {alone.how}", highlight=False)
    for figure in alone.figures:
        console.print(f"  {figure.name}: {figure.value:.2f} {figure.unit}", highlight=False)
    for problem in (found.lost + found.doubled)[:_SHOWN]:
        console.print(f"[red]{problem}[/red]", highlight=False)
    return 1 if found.lost or found.doubled else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make watch`: what is edited in the checkout is live in its local stack some seconds later."""

import logging
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Event

import watchfiles
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from local.edits import EditError
from local.layout import ROOT
from local.sam import SamError
from local.stack import Stack
from local.supervise import NotReadyError

PLACES = ("functions", "statemachine", "container", "local", "template.yaml")
_SETTLE_MS = 50
"""How long nothing may change before what was saved together is published together."""
_LOOK_MS = 250
"""How long a look at what has changed takes at most, the first included."""

_EXPECTED = (EditError, SamError, NotReadyError, BotoCoreError, ClientError, OSError)


def kinds(paths: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return what has to be made live after changes, in order.

    Args:
        paths: absolute.

    Returns:
        `deployment` alone if any of it needs SAM or a new process; else of `functions`, `machine`, `runner`.
    """
    found = {kind for path in paths for kind in _kinds_of(Path(path).relative_to(root))}
    if "deployment" in found:
        return ["deployment"]
    if "functions" in found:
        # With them goes a version of the machine that names their versions.
        found.discard("machine")
    return sorted(found)


def _kinds_of(path: Path) -> Iterator[str]:
    match path.parts:
        case ("functions", "pullwright", *_):
            yield "functions"
            yield "runner"  # it runs from the same sources
        case ("container", "runner", *_):
            yield "runner"
        case ("statemachine", "agent_session.asl.json"):
            yield "machine"
        case ("functions", "requirements.txt") | ("template.yaml",):
            yield "deployment"
        case (
            "local",
            "engine"
            | "github_standin"
            | "jira_standin"
            | "model_standin"
            | "standin"
            | "emulator.py"
            | "services.py",
            *_,
        ):
            yield "deployment"


class Watcher:
    """Publishes to a stack what changes, and says so."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self._stack = stack
        self._console = console
        self._does: dict[str, tuple[str, Callable[[], object]]] = {
            "functions": ("functions and state machine", stack.publish_functions),
            "machine": ("state machine", stack.publish_machine),
            "runner": ("runner, from the next task on", stack.publish_runner),
            "deployment": ("deployment", stack.up),
        }

    def take(self, paths: Iterable[str]) -> None:
        """Make a set of changes live; what is wrong with them is said, and the next change tries again."""
        for kind in kinds(paths):
            name, publish = self._does[kind]
            began = time.monotonic()
            try:
                publish()
            except _EXPECTED as error:
                self._say(f"[red]not live: {name}\n{escape(str(error))}[/red]")
                return
            self._say(f"[green]live[/green] {name} ({time.monotonic() - began:.1f} s)")

    def _say(self, text: str) -> None:
        self._console.print(f"{datetime.now().astimezone():%H:%M:%S} {text}", soft_wrap=True)


def watch(stack: Stack) -> None:
    """Bring the stack up, then publish each change until Ctrl-C, which lets a publication end."""
    stack.up()
    stop = Event()

    def end(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, end)
    console = Console(highlight=False)
    watcher = Watcher(stack, console)
    # It would tell of Ctrl-C too.
    logging.getLogger("watchfiles").setLevel(logging.ERROR)
    changes = watchfiles.watch(
        *(ROOT / place for place in PLACES),
        step=_SETTLE_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
    )
    is_told = False
    for changed in changes:
        if not is_told:
            # Not before: what is saved until the first look is not seen.
            console.print(
                f"Watching {', '.join(PLACES)}. Ctrl-C ends this; the stack stays up.", soft_wrap=True
            )
            is_told = True
        watcher.take(path for _, path in changed)

"""Live progress of one session: its states as they change, the agent's steps, money and turns."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from local.sessions import ENDED

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from local.sessions import Session

INTERVAL = 0.4
CLOSING_SECONDS = 330.0
"""How long a session may stay open after its execution: should the event of that end be lost, the sweep comes
every five minutes."""


@dataclass
class Watch:
    """Polls a session and prints what has changed."""

    console: Console
    session: Session
    started: float = field(default_factory=time.monotonic)
    _states: int = 0
    _lines: int = 0
    _doing: str = "starting"

    def until_end(self, minutes: float) -> str:
        """Print progress until the execution has ended and its session is closed; return the former's status.

        An execution that somebody stopped does not close its session; the sweep does, soon after.

        Raises:
            TimeoutError: it has not ended, or the session was not closed, in time.
        """
        deadline = time.monotonic() + minutes * 60
        with self.console.status("") as status:
            while True:
                ended = self.session.status()
                self._print_states()
                self._print_steps()
                status.update(f"{self._doing}  [dim]{self._elapsed():.0f} s[/]")
                if ended in ENDED:
                    break
                if time.monotonic() > deadline:
                    text = f"session {self.session.id} is still {ended} after {minutes:.0f} minutes"
                    raise TimeoutError(text)
                time.sleep(INTERVAL)
            self._until_closed(ended, status)
        return ended

    def _until_closed(self, ended: str, status: Status) -> None:
        """Wait until the session's record says that it is closed."""
        deadline = time.monotonic() + CLOSING_SECONDS
        is_shown = False
        while self.session.record().closed_at is None:
            if not is_shown:
                self._say(f"[yellow]the execution has ended as {ended}[/]; the sweep closes the session")
                is_shown = True
            if time.monotonic() > deadline:
                text = (
                    f"the execution of session {self.session.id} has ended as {ended}, but nobody closed it"
                )
                raise TimeoutError(text)
            status.update(f"closing  [dim]{self._elapsed():.0f} s[/]")
            time.sleep(INTERVAL)

    def _elapsed(self) -> float:
        return time.monotonic() - self.started

    def _say(self, text: str) -> None:
        self.console.print(f"[dim]{self._elapsed():6.1f} s[/]  {text}", highlight=False)

    def _print_states(self) -> None:
        visits = self.session.visits()
        for visit in visits[self._states :]:
            self._say(f"[bold cyan]{visit.name}[/]")
            self._doing = visit.name
        self._states = len(visits)

    def _print_steps(self) -> None:
        for line in self.session.log_lines(self._lines):
            self._lines += 1
            if text := _step(line):
                self._say(f"  {text}")


def _step(line: dict[str, Any]) -> str:
    """Return the text that a runner's log line has for people; empty if it has none."""
    activity = line.get("activity")
    if not activity:
        return ""
    money = f" [dim]· {line['turns']} turns · ${line['cost_usd']:.4f}[/]" if line.get("turns") else ""
    return f"{escape(str(activity))}{money}"

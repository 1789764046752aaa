"""Live progress of one session: its states as they change, its task, the agent's steps, money and turns."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from pullwright import errors
from pullwright_cli.failures import explained
from pullwright_cli.session import ENDED, task_of, visits_of
from pullwright_cli.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.status import Status

    from pullwright_cli.session import Session

INTERVAL = 0.4
"""Seconds between looks at a session that began a moment ago."""
_LONGEST_INTERVAL = 5.0
_CALM_AFTER = 60.0
CLOSING_SECONDS = 330.0
"""How long a session may stay open after its execution: should the event of that end be lost, the sweep comes
every five minutes."""
_PASSING = (errors.AwsThrottled, errors.AwsUnreachable, errors.AwsUnavailable)


@dataclass
class Watch:
    """Polls a session and prints what has changed."""

    console: Console
    session: Session
    started: float = field(default_factory=time.monotonic)
    _states: int = 0
    _lines: int = 0
    _doing: str = "starting"
    _task: str = ""
    _is_cut_off: bool = False

    def until_end(self, minutes: float) -> str:
        """Print progress until the execution has ended and its session is closed; return the former's status.

        An execution that somebody stopped does not close its session; the sweep does, soon after. Where the
        connection breaks, it asks again.

        Raises:
            TimeoutError: it has not ended, or the session was not closed, in time.
        """
        deadline = time.monotonic() + minutes * 60
        with self.console.status("") as status:
            while True:
                ended = self._asked(self._look)
                status.update(f"{escape(self._doing)}  [dim]{self._elapsed():.0f} s[/]")
                if ended in ENDED:
                    break
                if time.monotonic() > deadline:
                    state = ended or "out of reach"
                    text = f"session {self.session.id} is still {state} after {minutes:g} minutes"
                    raise TimeoutError(text)
                self._pause()
            self._until_closed(ended, status)
        return ended

    def _look(self) -> str:
        """Print what is new; return the execution's status."""
        ended = self.session.status()
        events = self.session.events()
        self._print_states(events)
        self._print_task(events)
        self._print_steps()
        return ended

    def _asked(self, look: Callable[[], str]) -> str:
        """Return what a look at AWS says; empty while AWS cannot be reached."""
        try:
            found = look()
        except (BotoCoreError, ClientError, errors.AwsUnavailable) as error:
            why = explained(error)
            if not isinstance(why, _PASSING):
                raise
            if not self._is_cut_off:
                self._say(f"[yellow]{escape(plain(why.sentence))}[/] The session goes on; asking again")
            self._is_cut_off = True
            return ""
        if self._is_cut_off:
            self._say("AWS answers again")
        self._is_cut_off = False
        return found

    def _until_closed(self, ended: str, status: Status) -> None:
        """Wait until the session's record says that it is closed."""
        deadline = time.monotonic() + CLOSING_SECONDS
        is_shown = False
        while not self._asked(lambda: str(self.session.record().closed_at or "")):
            if not is_shown:
                self._say(f"[yellow]the execution has ended as {ended}[/]; the sweep closes the session")
                is_shown = True
            if time.monotonic() > deadline:
                text = (
                    f"the execution of session {self.session.id} has ended as {ended}, but nobody closed it"
                )
                raise TimeoutError(text)
            status.update(f"closing  [dim]{self._elapsed():.0f} s[/]")
            self._pause()

    def _pause(self) -> None:
        # Step Functions allows an account few calls a second, and hours of waiting bring little news.
        time.sleep(INTERVAL if self._elapsed() < _CALM_AFTER else max(INTERVAL, _LONGEST_INTERVAL))

    def _elapsed(self) -> float:
        return time.monotonic() - self.started

    def _say(self, text: str) -> None:
        self.console.print(f"[dim]{self._elapsed():6.1f} s[/]  {text}", highlight=False)

    def _print_states(self, events: list[dict[str, Any]]) -> None:
        visits = visits_of(events)
        for visit in visits[self._states :]:
            self._say(f"[bold cyan]{visit.name}[/]")
            self._doing = visit.name
        self._states = len(visits)

    def _print_task(self, events: list[dict[str, Any]]) -> None:
        """Print the task's ARN when it is known, and each status that ECS gives it."""
        arn = task_of(events)
        if arn is None:
            return
        described = self.session.stack.client("ecs").describe_tasks(
            cluster=self.session.stack.output("EcsClusterArn"), tasks=[arn]
        )["tasks"]
        status = described[0]["lastStatus"] if described else "gone"
        if self._task != (shown := f"{arn} {status}"):
            news = f"task {arn} {status}" if arn not in self._task else f"task {status}"
            self._say(f"  [dim]{news}[/]")
            self._task = shown

    def _print_steps(self) -> None:
        for line in self.session.log_lines(self._lines):
            self._lines += 1
            if text := step(line):
                self._say(f"  {text}")


def step(line: dict[str, Any]) -> str:
    """Return the text that a runner's log line has for people; empty if it has none."""
    activity = line.get("activity")
    if not activity:
        return ""
    turns = line.get("turns")
    money = f" [dim]· {turns} turn{'s' * (turns != 1)} · ${line['cost_usd']:.4f}[/]" if turns else ""
    return f"{escape(plain(activity))}{money}"

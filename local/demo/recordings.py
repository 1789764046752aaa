"""`make recordings`: `pullwright run --wait` in a terminal, recorded for each way in which a session ends.

tmux is the terminal; what stands on its screen at the end is kept as text in `docs/recordings`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.demo import scenario
from local.layout import ROOT, Layout
from local.people import call
from local.sessions import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "docs" / "recordings"
_WIDTH, _HEIGHT = 118, 60
_SECONDS = 300
_PROMPT = "$ "
_AT_PROMPT = r"^\$\s*\Z"
_SESSION = re.compile(r"^session    (\S+)$", re.MULTILINE)


class RecordingError(Exception):
    """A screen never showed what was waited for; the text has the screen."""


@dataclass(frozen=True)
class Terminal:
    """A terminal in tmux with a plain shell in it."""

    socket: str

    @classmethod
    @contextmanager
    def open(cls, folder: Path, environment: dict[str, str]) -> Iterator[Terminal]:
        """Open a terminal of its own, and close it with all that runs in it.

        Args:
            folder: the shell's current one.
            environment: all of the shell's.
        """
        terminal = cls(f"pullwright-{uuid.uuid4().hex[:8]}")
        size = ("-x", str(_WIDTH), "-y", str(_HEIGHT))
        shell = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "bash", "--norc"]
        terminal._tmux("-f", os.devnull, "new-session", "-d", *size, "-c", str(folder), *shell)
        try:
            terminal.wait(_AT_PROMPT)
            yield terminal
        finally:
            terminal._tmux("kill-server")

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        """Return all that was shown and has not been overwritten; wrapped lines are whole."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-").rstrip() + "\n"

    def wait(self, pattern: str) -> re.Match[str]:
        """Wait until the screen matches a pattern.

        Raises:
            RecordingError: it did not in time.
        """
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.screen(), re.MULTILINE):
                return found
            time.sleep(0.2)
        raise RecordingError(f"{pattern!r} did not come within {_SECONDS} s:\n{self.screen()}")

    def _tmux(self, *command: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.socket, *command], check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout


@dataclass(frozen=True)
class Recording:
    """A session to record.

    Attributes:
        options: of `pullwright run` besides repository and issue.
        replacement: what the model writes in place of the defect.
        refusal: what the model's provider says in place of the third answer.
        seconds: how long the model takes for its last answer.
        is_stopped: somebody stops it while it works.
    """

    name: str
    options: str = ""
    replacement: str = "total += int(amount)"
    refusal: str = ""
    seconds: float = 0
    is_stopped: bool = False


RECORDINGS = (
    Recording("success"),
    Recording("checks", replacement="total -= int(amount)"),
    Recording("failure", refusal="You don't have access to the model with the specified model ID."),
    Recording("limit", options=" --turns 4"),
    Recording("stop", seconds=120, is_stopped=True),
)


def _prepare(stack: Stack, recording: Recording) -> tuple[str, int]:
    """Make the demo's repository and issue, and what the model will say; return both."""
    if stack.model_url is None:
        raise RecordingError("a real model works for this stack: `PULLWRIGHT_MODEL=scripted make up` first")
    work = scenario.built_in(stack.github_url, stack.model_url)
    script: dict[str, Any] = scenario.script(has_rule=True)
    for step in script["steps"]:
        if step.get("tool") == "Edit":
            step["input"]["new_string"] = f"        {recording.replacement}"
    if recording.refusal:
        script["steps"][2]["fault"] = {"status": 403, "message": recording.refusal}
    script["steps"][-1]["delay"] = recording.seconds
    call(stack.model_url, "PUT", "/_standin/scripts/demo-with-rule", script)
    return work.repository, work.issue


def record(stack: Stack, recording: Recording) -> str:
    """Record one session; return what the terminal showed."""
    repository, issue = _prepare(stack, recording)
    command = f"pullwright run --repo {repository} --issue {issue}{recording.options} --wait"
    with (
        # A shell that is ended may still write its history.
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Terminal.open(Path(folder), _environment(stack, folder)) as terminal,
    ):
        terminal.type(command)
        shown = ""
        if recording.is_stopped:
            session = terminal.wait(_SESSION.pattern)[1]
            terminal.wait(r"· \d+ turns")
            with Terminal.open(Path(folder), _environment(stack, folder)) as other:
                other.type(f"pullwright stop {session}")
                other.wait(rf"pullwright stop[\s\S]*{_AT_PROMPT}")
                shown = f"\nIn another terminal, meanwhile:\n\n{_without_prompt(other.screen())}"
        terminal.wait(rf"--wait[\s\S]*{_AT_PROMPT}")
        terminal.type("echo $?")
        terminal.wait(rf"echo \$\?\n\d+\n{_AT_PROMPT}")
        return _without_prompt(terminal.screen()) + shown


def _without_prompt(screen: str) -> str:
    return re.sub(_AT_PROMPT, "", screen, flags=re.MULTILINE)


def _environment(stack: Stack, folder: str) -> dict[str, str]:
    return {
        "HOME": folder,
        "LANG": "C.UTF-8",
        "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
        "PS1": _PROMPT,
        "TERM": "screen-256color",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": str(stack.described["region"]),
        "AWS_ENDPOINT_URL": str(stack.described["endpoint_url"]),
        "PULLWRIGHT_STACK_NAME": "pullwright-local",
    }


def main() -> int:
    """Record the sessions that are named, or all."""
    if shutil.which("tmux") is None:
        sys.stderr.write("There is no tmux: install it (Debian and Ubuntu: apt install tmux).\n")
        return 1
    stack = Stack.load(Layout.of_environment().data)
    wanted = set(sys.argv[1:]) or {recording.name for recording in RECORDINGS}
    for recording in RECORDINGS:
        if recording.name in wanted:
            file = FOLDER / f"{recording.name}.txt"
            file.write_text(record(stack, recording), encoding="utf-8")
            print(file.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())

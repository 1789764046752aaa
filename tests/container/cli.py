"""Runs the real Claude Code CLI as the agent's user against the gateway and the model stand-in."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
AGENT_UID = 10001
TOOLS = "Bash,Read,Edit,Write,Glob,Grep,TodoWrite"


def find_cli() -> Path:
    """Return the CLI's binary: from PATH, or where `make` installs it.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    installed = ROOT / ".local" / "claude" / "node_modules" / ".bin" / "claude"
    found = shutil.which("claude") or (str(installed) if installed.exists() else None)
    if found is None:
        raise FileNotFoundError(f"no `claude` on PATH and none at {installed}: run `make setup`")
    return Path(found).resolve()


@dataclass(frozen=True)
class Ended:
    """How one run of the CLI ended.

    Args:
        lines: what it printed, decoded.
    """

    code: int
    lines: list[dict[str, Any]]
    folder: Path

    @property
    def result(self) -> dict[str, Any]:
        """The last line, which says what came of it."""
        return self.lines[-1]

    def uses(self, tool: str) -> list[dict[str, Any]]:
        """Return the inputs of all calls of a tool."""
        blocks = [b for line in self.lines if line["type"] == "assistant" for b in line["message"]["content"]]
        return [b["input"] for b in blocks if b["type"] == "tool_use" and b["name"] == tool]


class Cli:
    """The CLI in a folder that the agent's user can reach.

    Args:
        home: folder for everything; other users may enter it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._binary = home / "claude"
        source = find_cli()
        try:
            self._binary.hardlink_to(source)
        except OSError:
            shutil.copy(source, self._binary)
        self._binary.chmod(0o755)

    @classmethod
    @contextmanager
    def installed(cls) -> Iterator[Cli]:
        """Prepare the CLI for a while."""
        with tempfile.TemporaryDirectory(prefix="cli-") as folder:
            Path(folder).chmod(0o755)
            yield cls(Path(folder))

    def run(self, variables: Mapping[str, str], *arguments: str, prompt: str = "Fix it") -> Ended:
        """Run it once in a new repository, with nothing but these variables and its few own."""
        base = Path(tempfile.mkdtemp(dir=self._home))
        folder, home, tmp = base / "project", base / "home", base / "tmp"
        for made in (folder, home, tmp):
            made.mkdir()
        subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
        (folder / "hello.py").write_text("print('helo')\n")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "CLAUDE_CODE_TMPDIR": str(tmp),
            **variables,
        }
        command = [str(self._binary), "-p", "--output-format", "stream-json", "--verbose", "--tools", TOOLS]
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{AGENT_UID}:{AGENT_UID}", base], check=True)
            user = [f"--reuid={AGENT_UID}", f"--regid={AGENT_UID}", "--clear-groups"]
            command = ["setpriv", *user, *command]
        done = subprocess.run(
            [*command, *arguments],
            cwd=folder,
            env=environment,
            input=prompt,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines, done.stderr
        return Ended(done.returncode, lines, folder)


class StandIn:
    """The model stand-in as a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[StandIn]:
        """Start it on a free port and stop it afterwards."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen([sys.executable, "-m", "model_standin", "--port", str(port)], cwd=ROOT)
        try:
            standin = cls(f"http://127.0.0.1:{port}")
            standin.wait(process)
            yield standin
        finally:
            process.terminate()
            process.wait(timeout=10)

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Return when it answers."""
        while True:
            try:
                self.call("GET", "requests")
            except urllib3.exceptions.HTTPError:
                assert process.poll() is None, "the model stand-in has ended"
                time.sleep(0.05)
            else:
                return

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call its control interface."""
        answer = urllib3.request(method, f"{self.url}/_standin/{path}", json=body, retries=False, timeout=10)
        assert answer.status < 300, answer.data
        return answer.json() if answer.data else None

    def play(self, *steps: dict[str, Any], repeat_last: bool = False) -> None:
        """Let it answer every conversation with these steps, and forget earlier requests."""
        self.call("PUT", "scripts/test", {"match": ".", "steps": steps, "repeat_last": repeat_last})
        self.call("DELETE", "requests")

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the script was set."""
        return list(self.call("GET", "requests"))

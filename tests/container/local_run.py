"""Runs `pullwright run --local` on a repository of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY = "sk-ant-api03-" + "LocalSession" * 8
IDENTITY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
FILES = {"src/app.py": "print('helo')\n", "README.md": "# A shop\n"}
STEPS = (
    {"tool": "Bash", "input": {"command": "id -u; env; cat /proc/[0-9]*/environ | tr '\\0' '\\n'"}},
    {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}},
    {
        "tool": "Edit",
        "input": {"file_path": "{cwd}/src/app.py", "old_string": "helo", "new_string": "hello"},
    },
    {"text": "It says hello now."},
)


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What it printed with `--json`."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Checkout:
    """A person's checkout, in the middle of work, and a folder for artifacts beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shop"
        self.artifacts = folder / "artifacts"
        self.folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=trunk")
        for name, text in FILES.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git(*IDENTITY, "commit", "--quiet", "--message=Begin")
        (self.folder / "README.md").write_text("# Half written\n")
        self.git("add", "README.md")
        (self.folder / "notes.txt").write_text("untracked\n")

    def git(self, *arguments: str) -> str:
        """Return what git says."""
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def state(self) -> tuple[str, ...]:
        """Return all that a session must leave alone."""
        return (
            self.git("status", "--porcelain", "--branch"),
            self.git("rev-parse", "HEAD", "refs/heads/trunk"),
            self.git("reflog"),
            self.git("config", "--list", "--local"),
            (self.folder / "README.md").read_text(),
        )

    def branches(self) -> list[str]:
        """Return the branches besides the person's own."""
        found = self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
        return [name for name in found if name != "trunk"]

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a session here; it hears Ctrl-C even as a job in a background."""
        program = ("env", "--default-signal=INT", sys.executable, "-m", "pullwright_cli")
        return [*program, "run", "--local", "--output", str(self.artifacts), *arguments]

    def run(self, *arguments: str, environ: Mapping[str, str]) -> Ran:
        """Run a session to its end."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder / "src",
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def holding(self, secret: str) -> list[str]:
        """Return the names of what the session left that holds a text."""
        paths = [path for folder in (self.artifacts, self.folder) for path in folder.rglob("*")]
        return [str(path) for path in paths if path.is_file() and secret.encode() in path.read_bytes()]

"""What a session runs in: a container of podman's or Docker's, or processes of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE = "pullwright-agent:latest"
_MODULE = ("-P", "-m", "runner.folder")
_FOLDER = "/session"
# Those that the template takes from a task.
DROPPED = ("AUDIT_WRITE", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SYS_CHROOT")


class Engine(Protocol):
    """Starts and stops the runner."""

    @property
    def is_isolated(self) -> bool:
        """Whether the agent is another user than the runner."""

    def sentence(self) -> str:
        """Say what the session runs in, and what that does not keep from the agent."""

    def start(self, name: str, folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start it.

        Args:
            name: the session's id.
            variables: of its environment, none of them secret.
        """

    def stop(self, name: str, process: subprocess.Popen[str]) -> None:
        """Ask it to end: it keeps what it has, and ends by itself."""


@dataclass(frozen=True)
class Containers:
    """podman, or Docker.

    Attributes:
        program: path of podman's or Docker's command.
    """

    program: str
    image: str
    is_isolated: bool = True

    def sentence(self) -> str:
        """See `Engine`."""
        return f"The session runs in a container of {self.image}."

    def start(self, name: str, folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
        """See `Engine`."""
        given = {**variables, "SESSION_FOLDER": _FOLDER}
        command = [
            *(self.program, "run", "--rm", "--interactive", f"--name={name}", "--entrypoint=python"),
            *(f"--cap-drop={capability}" for capability in DROPPED),
            *(f"--env={key}={value}" for key, value in given.items()),
            *(f"--volume={folder}:{_FOLDER}:z", self.image, *_MODULE),
        ]
        return _begin(command, os.environ)

    def stop(self, name: str, process: subprocess.Popen[str]) -> None:
        """See `Engine`."""
        del process
        # Without waiting for it: somebody has to read what it says until then.
        subprocess.run([self.program, "kill", "--signal=TERM", name], capture_output=True, check=False)


@dataclass(frozen=True)
class Processes:
    """Processes of this machine: the runner as whoever calls this, the agent as another user if that is root.

    Attributes:
        claude: the CLI's program; None for a session that asks no model.
        work: folder for the session's work; the agent's user can reach it.
    """

    claude: Path | None
    work: Path
    is_isolated: bool = field(default_factory=lambda: os.geteuid() == 0)

    def sentence(self) -> str:
        """See `Engine`."""
        if self.is_isolated:
            return (
                "No container is used: runner and agent are processes of this machine, and use its programs. "
                "The agent is user 10001, who can read what everybody here can."
            )
        return (
            "No container is used, and without root there is no second user: the agent can read and change "
            "whatever you can, and reaches whatever you reach."
        )

    def start(self, name: str, folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
        """See `Engine`."""
        del name
        return _begin(
            [sys.executable, *_MODULE],
            {
                "PATH": f"{self._bin()}:{os.environ.get('PATH', os.defpath)}",
                "HOME": os.environ.get("HOME", "/nonexistent"),
                "LANG": "C.UTF-8",
                **variables,
                "SESSION_FOLDER": str(folder),
                "WORK_DIR": str(self.work / "workspace"),
                "AGENT_ISOLATION": "user" if self.is_isolated else "none",
            },
        )

    def stop(self, name: str, process: subprocess.Popen[str]) -> None:
        """See `Engine`."""
        del name
        process.terminate()

    def _bin(self) -> Path:
        """Put the CLI where the agent's user can run it, wherever it is installed."""
        self.work.chmod(0o711)
        folder = self.work / "bin"
        folder.mkdir(mode=0o755)
        if self.claude is None:
            return folder
        target = folder / "claude"
        try:
            target.hardlink_to(self.claude)
        except OSError:
            shutil.copy2(self.claude, target)
        target.chmod(0o755)
        return folder


def find(image: str, work: Path, *, without_container: bool, stub: bool) -> Engine:
    """Return what the session runs in.

    Args:
        image: that was asked for; empty for the usual one.
        work: a folder for processes.
        stub: whether the CLI is not needed.

    Raises:
        CliError: there is neither a container engine nor the CLI.
    """
    program = None if without_container else shutil.which("podman") or shutil.which("docker")
    if program:
        return Containers(program, image or IMAGE)
    if image:
        raise CliError(f"--image {image}: there is no podman or docker on PATH to run it", 2)
    claude = shutil.which("claude")
    if claude is None and not stub:
        raise CliError(
            "there is no podman or docker on PATH, and no `claude` either: install one of them, or Claude "
            "Code (npm install --global @anthropic-ai/claude-code)",
            2,
        )
    return Processes(Path(claude).resolve() if claude else None, work)


def _begin(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Ctrl-C is for this command, which asks the runner to end.
        start_new_session=True,
    )

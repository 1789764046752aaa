"""Running git so that only what stands here decides how it behaves."""

from __future__ import annotations

import base64
import signal
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from pullwright.errors import InternalError
from runner.children import child
from runner.user import end_group, search_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runner.user import User

_SHOWN = 400


class GitError(Exception):
    """A git command failed.

    Args:
        command: git's subcommand.
        code: its exit code.
        stderr: what it said, for the log.
    """

    def __init__(self, command: str, code: int, stderr: str) -> None:
        super().__init__(f"git {command} failed with exit code {code}")
        self.command = command
        self.code = code
        self.stderr = stderr.strip()[-_SHOWN:]


@dataclass(frozen=True, slots=True)
class Done:
    """A git command that has ended."""

    code: int
    out: bytes
    err: str


# https://git-scm.com/docs/git#_environment_variables
_NEUTRAL = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
    "HOME": "/nonexistent",
}
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.quotePath": "false",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.file.allow": "never",
    "transfer.fsckObjects": "true",
}


def environment(
    settings: Mapping[str, str] | None = None, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment of one git process; nothing is inherited but PATH.

    Args:
        settings: further configuration, which travels in the environment: argv and files can be read by
            others and outlive the command.
        extra: further variables.
    """
    everything = {**_SETTINGS, **(settings or {})}
    variables = {"PATH": search_path(), **_NEUTRAL}
    variables["GIT_CONFIG_COUNT"] = str(len(everything))
    for number, (key, value) in enumerate(everything.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**variables, **(extra or {})}


def network_environment(url: str, token: str) -> dict[str, str]:
    """The environment of a git process that talks to GitHub.

    The header is bound to the address's origin, and curl drops it when it is sent elsewhere.

    Args:
        url: the repository's address.
        token: an installation token.

    Raises:
        InternalError: the address is not one that a token may be sent to.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise InternalError("The repository's address is not an http(s) address without credentials.")
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    header = f"http.{parts.scheme}://{parts.netloc}/.extraHeader"
    return environment({header: f"Authorization: Basic {basic}"}, {"GIT_ALLOW_PROTOCOL": parts.scheme})


def run(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    user: User | None = None,
    given: bytes | IO[bytes] = b"",
    out: IO[bytes] | None = None,
    timeout: float = 600.0,
    accept: Sequence[int] = (0,),
) -> Done:
    """Runs one git command to its end.

    Args:
        arguments: subcommand and its arguments.
        cwd: where.
        env: its whole environment; neutral if not given.
        user: as whom; the runner's own user if not given.
        given: its standard input, or a file to read it from.
        out: a file for its standard output, for what may be large.
        timeout: seconds until it is killed.
        accept: exit codes that are no failure.

    Raises:
        GitError: it ended with another code, or not in time.
    """
    command = ["git", *arguments]
    with child(
        user.command(command) if user else command,
        cwd=cwd,
        env=dict(env) if env is not None else environment(),
        stdin=subprocess.PIPE if isinstance(given, bytes) else given,
        stdout=out if out is not None else subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A signal for the runner's group must not end a push half-way.
        start_new_session=True,
    ) as process:
        try:
            text, err = process.communicate(given if isinstance(given, bytes) else None, timeout)
        except subprocess.TimeoutExpired as error:
            # Its helpers too: they would hold the connection and the pipes.
            end_group(process.pid, signal.SIGKILL)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            raise GitError(arguments[0], -1, "timed out") from error
    stderr = err.decode(errors="replace")
    if process.returncode not in accept:
        raise GitError(arguments[0], process.returncode, stderr)
    return Done(process.returncode, text or b"", stderr)

"""Running git so that only what stands here decides how it behaves."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from pullwright.errors import InternalError
from pullwright.log import hide, scrub
from runner.children import child, wait_for
from runner.git.remote_message import find_remote_message
from runner.user import end_group, search_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from runner.user import User

MAX_OUT = 256 << 20
"""How much of a command's standard output is taken, in bytes: lists of two million files fit."""
MAX_ERR = 64 << 10
"""How much of the end of its standard error is kept, in bytes: git complains of each file it cannot add."""
_SHOWN = 400
_READ = 1 << 16
_LOOK_SECONDS = 0.2
# The characters of tokens, also in base64, at the beginning of a text.
_WORD = re.compile(r"\A[A-Za-z0-9+/=_.-]+")
# What a command wrote is in its pipes when it has ended; only a process that it left could add to it.
_DRAIN_SECONDS = 5.0


class GitError(Exception):
    """A git command failed.

    Attributes:
        stderr: the end of it, for the log.
        remote_message: GitHub's own words in it, for people.
    """

    def __init__(self, command: str, code: int, stderr: str) -> None:
        super().__init__(f"git {command} failed with exit code {code}")
        self.command = command
        self.code = code
        self.stderr = stderr.strip()[-_SHOWN:]
        self.remote_message = find_remote_message(stderr)


@dataclass(frozen=True, slots=True)
class Done:
    """A git command that has ended."""

    code: int
    out: bytes
    err: str


class _Reader(threading.Thread):
    """Reads a stream to its end and keeps the last part of it."""

    def __init__(self, stream: IO[bytes] | None, most: int) -> None:
        super().__init__(daemon=True)
        self.kept = bytearray()
        self.is_whole = True
        self._stream = stream
        self._most = most
        self.start()

    def run(self) -> None:
        """Read until nobody can write any more."""
        if self._stream is None:
            return
        with self._stream as stream:
            while part := os.read(stream.fileno(), _READ):
                self.kept += part
                if len(self.kept) > self._most:
                    self.is_whole = False
                    del self.kept[: -self._most]


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
    """Return the whole environment of one git process; nothing is inherited but PATH.

    Args:
        settings: further configuration, which travels in the environment: argv and files can be read by
            others and outlive the command.
    """
    everything = {**_SETTINGS, **(settings or {})}
    variables = {"PATH": search_path(), **_NEUTRAL}
    variables["GIT_CONFIG_COUNT"] = str(len(everything))
    for number, (key, value) in enumerate(everything.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**variables, **(extra or {})}


def network_environment(url: str, token: str) -> dict[str, str]:
    """Return the environment of a git process that talks to GitHub.

    The header is bound to the address's origin, and curl drops it when it is sent elsewhere.

    Raises:
        InternalError: the address is not one that a token may be sent to.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise InternalError("The repository's address is not an http(s) address without credentials.")
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    # What git says about its requests has the token in this form.
    hide(basic)
    header = f"http.{parts.scheme}://{parts.netloc}/.extraHeader"
    return environment({header: f"Authorization: Basic {basic}"}, {"GIT_ALLOW_PROTOCOL": parts.scheme})


def run(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    user: User | None = None,
    stdin: bytes | IO[bytes] = b"",
    out: IO[bytes] | None = None,
    timeout: float = 600.0,
    should_stop: Callable[[], bool] = lambda: False,
    accept: Sequence[int] = (0,),
) -> Done:
    """Run one git command to its end.

    Args:
        env: its whole environment; neutral if not given.
        user: as whom; the runner's own user if not given.
        stdin: its standard input, or a file to read it from.
        out: a file for its standard output, for what may be large.
        timeout: seconds until it is killed.
        should_stop: asked several times a second; it is killed as soon as this is so.

    Raises:
        GitError: it ended with another code, not in time, was stopped, or said more than `MAX_OUT`.
    """
    command = ["git", *arguments]
    with child(
        user.command(command) if user else command,
        start=user.start if user else subprocess.Popen,
        cwd=cwd,
        env=dict(env) if env is not None else environment(),
        stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
        stdout=out if out is not None else subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A signal for the runner's group must not end a push half-way.
        start_new_session=True,
    ) as process:
        readers = [_Reader(process.stdout, MAX_OUT), _Reader(process.stderr, MAX_ERR)]
        if process.stdin is not None and isinstance(stdin, bytes):
            threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True).start()
        if (why := _wait(process, timeout, should_stop)) is not None:
            # Its helpers too: they would hold the connection and the pipes.
            end_group(process.pid, signal.SIGKILL)
            raise GitError(arguments[0], -1, why)
        _join(readers, process.pid)
    text, stderr = readers[0].kept, _said(readers[1])
    if process.returncode not in accept:
        raise GitError(arguments[0], process.returncode, stderr)
    if not readers[0].is_whole:
        raise GitError(arguments[0], process.returncode, f"said more than {MAX_OUT:,} bytes")
    return Done(process.returncode, bytes(text), stderr)


def _said(reader: _Reader) -> str:
    """Return standard error without secrets: whoever cuts it later cuts none in two."""
    text = reader.kept.decode(errors="replace")
    # Of a word that has lost its beginning nobody could tell whether it was a token.
    return scrub(text if reader.is_whole else _WORD.sub("", text))


def _wait(process: subprocess.Popen[bytes], timeout: float, should_stop: Callable[[], bool]) -> str | None:
    """Wait for its end, and say why if it must not be waited for."""
    deadline = time.monotonic() + timeout
    while wait_for(process, _LOOK_SECONDS) is None:
        if time.monotonic() > deadline:
            return "timed out"
        if should_stop():
            return "stopped"
    return None


def _feed(stream: IO[bytes], stdin: bytes) -> None:
    # A command that has heard enough, or was killed, closes its end.
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(stdin)


def _join(readers: Sequence[_Reader], group: int) -> None:
    for reader in readers:
        reader.join(_DRAIN_SECONDS)
        if reader.is_alive():
            end_group(group, signal.SIGKILL)
            reader.join(_DRAIN_SECONDS)

"""The agent's user and that of checks: how processes become one, what they may use, how they are ended."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runner.children import Start, reap_orphans, services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Threads count as processes here, and test suites start many.
MAX_PROCESSES = 4096
MAX_OPEN_FILES = 65_536
MAX_FILE_BYTES = 4 << 30
_PR_SET_CHILD_SUBREAPER = 36
_KILL_ROUNDS = 100
_OOM_SCORE = 500
_MESSAGE_QUEUES = "/dev/mqueue"


@dataclass(frozen=True, slots=True)
class User:
    """Whom the agent, or a check of its work, runs as.

    Attributes:
        uid: user and group id; None runs it as the runner's own user.
        max_file_bytes: the largest file that a process may write.
        start: starts this user's processes: inside its cage, if it has one.
        variables: what tells programs of the way out of the cage.
    """

    uid: int | None
    max_file_bytes: int = MAX_FILE_BYTES
    start: Start = subprocess.Popen
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self, command: Sequence[str]) -> list[str]:
        """Return the command line that runs a command as this user, without capabilities, under limits."""
        limits = [
            # When the task's memory runs out, the kernel takes the agent and not the runner, who can report.
            *("choom", f"--adjust={_OOM_SCORE}", "--"),
            "prlimit",
            f"--nproc={_at_most(resource.RLIMIT_NPROC, MAX_PROCESSES)}",
            f"--nofile={_at_most(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)}",
            f"--fsize={_at_most(resource.RLIMIT_FSIZE, self.max_file_bytes)}",
            "--core=0",
            # Where nobody can list POSIX message queues, nobody could remove what the agent left in them.
            *([] if os.path.ismount(_MESSAGE_QUEUES) else ["--msgqueue=0"]),
            "--",
        ]
        if self.uid is None:
            return [*limits, *command]
        return [
            *limits,
            "setpriv",
            f"--reuid={self.uid}",
            f"--regid={self.uid}",
            "--clear-groups",
            "--no-new-privs",
            "--inh-caps=-all",
            "--ambient-caps=-all",
            "--bounding-set=-all",
            "--",
            *command,
        ]

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def make_folder(self, path: Path) -> Path:
        """Make a folder that only this user and root reach."""
        path.mkdir(mode=0o700)
        self.own(path)
        return path


def search_path() -> str:
    """Return the runner's PATH without entries that depend on where a program is started, such as `.`.

    What makes a process the agent's user is looked up in it, as root and in the agent's own folder.
    """
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if entry.startswith("/"))


def adopt_orphans() -> None:
    """Make this process the parent of every descendant that loses its own.

    So whatever the agent started stays below the runner, double forks included, and can be found and ended
    (https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html). In a container the runner is
    process 1 and this holds anyway.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_group(pgid: int, signal_number: int) -> None:
    """Signal a process group; one that is gone already is no error."""
    try:
        os.killpg(pgid, signal_number)
    except (ProcessLookupError, PermissionError):
        return


def end_leftovers() -> int:
    """Kill every descendant of this process but its services, and wait until they are gone.

    Call it when no other child of this process is still wanted.

    Returns:
        How many were killed.
    """
    killed: set[int] = set()
    # Stopped first, all of them: a stopped process still counts against its user's limit, so that one that
    # forks without end runs out of room. Killed one by one, it would fill each place that becomes free.
    for _ in range(_KILL_ROUNDS):
        if not (new := _living_descendants() - killed):
            break
        killed |= new
        for pid in new:
            _signal(pid, signal.SIGSTOP)
    for _ in range(_KILL_ROUNDS):
        living = _living_descendants()
        for pid in living:
            killed.add(pid)
            _signal(pid, signal.SIGKILL)
        reap()
        if not living:
            break
        time.sleep(0.02)
    return len(killed)


def has_descendants() -> bool:
    """Return whether any descendant of this process but its services is alive."""
    return bool(_living_descendants())


def reap() -> None:
    """Reap orphans that have ended, which would otherwise count against the user's limit of processes."""
    mine = os.getpid()
    reap_orphans(pid for pid, (state, parent) in _processes().items() if state == "Z" and parent == mine)


def _at_most(kind: int, limit: int) -> int:
    """Return the limit, or what already holds if that is less: containers may not raise their limits."""
    _, hard = resource.getrlimit(kind)
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _living_descendants() -> set[int]:
    processes = _processes()
    below: set[int] = set()
    parents = {os.getpid()}
    kept = services()
    while parents:
        parents = {
            pid
            for pid, (_, parent) in processes.items()
            if parent in parents and pid not in below and pid not in kept
        }
        below |= parents
    return {pid for pid in below if processes[pid][0] != "Z"}


def _processes() -> dict[int, tuple[str, int]]:
    """State and parent of every process that can be seen."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_bytes()
            except OSError:
                continue
            # The command's name stands in parentheses and may hold any bytes; the fields follow it.
            state, parent = stat.rpartition(b")")[2].split()[:2]
            found[int(folder.name)] = (state.decode(), int(parent))
    return found

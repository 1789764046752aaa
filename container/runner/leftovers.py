"""What a user has left on the machine outside of the work tree that was pushed: found and removed.

A check must give the answer that the pushed commit deserves. So before checks run, nothing is left that the
agent's user made: no process, no file wherever it stands, no object of the kernel's interprocess
communication. It is removed as that user, so that no link leads the removal further than the user itself
could go.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runner.children import child, wait_for
from runner.log import logger
from runner.user import User, has_descendants, search_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

# Nothing is made in them: what the agent's user left there is found and removed.
SHARED_PLACES = tuple(map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")))  # noqa: S108
"""The folders that every user may write to, which are searched on a machine that serves others too."""
WHOLE_MACHINE = (Path("/"),)
# They show the kernel's state, and hold no file of anybody's.
_NOT_FILES = frozenset({"/proc", "/sys"})
_SYSVIPC = Path("/proc/sysvipc")
# https://man7.org/linux/man-pages/man1/ipcrm.1.html
_KINDS = {"shm": ("shmid", "-m"), "sem": ("semid", "-s"), "msg": ("msqid", "-q")}
_SECONDS = 180.0
_AT_ONCE = 500
_SHOWN = 3
# Folders that their owner cannot read have to be opened first; a link that is named is followed by chmod.
_REMOVE = """\
for path; do
  [ ! -d "$path" ] || [ -L "$path" ] || chmod -R u+rwx -- "$path"
done
exec rm -rf -- "$@"
"""


class LeftoversError(Exception):
    """Something of the user's is left; the text says what, for people."""


def remove_leftovers(users: Sequence[User], places: Iterable[Path], *, since: float) -> list[str]:
    """Remove everything that belongs to some users; their processes have been ended before.

    Args:
        users: whose; a user without a number of its own owns nothing that could be told apart.
        places: folders to look through, with everything below them.
        since: seconds since 1970 when the first of the users began.

    Returns:
        Files and folders of others that everybody may write and that were changed since then.

    Raises:
        LeftoversError: something could not be removed.
    """
    if has_descendants():
        raise LeftoversError("a process of the agent's could not be ended")
    by_uid = {user.uid: user for user in users if user.uid is not None}
    if not by_uid:
        return []
    deadline = time.monotonic() + _SECONDS
    for uid, user in by_uid.items():
        _remove_ipc(uid, user)
    found = _Search(by_uid.keys(), since)
    found.run(places, deadline)
    for uid, user in by_uid.items():
        mine = [path for path in found.own if _owner(path) == uid]
        for start in range(0, len(mine), _AT_ONCE):
            _as_user(user, ["sh", "-c", _REMOVE, "sh", *mine[start : start + _AT_ONCE]], deadline)
    for path in found.own:
        _remove_empty(path)
    left = [path for path in found.own if _owner(path) in by_uid]
    if left:
        logger.warning("files of the agent's user are left", paths=left[:_SHOWN])
        raise LeftoversError(f"{len(left)} files or folders of the agent's could not be removed")
    if found.own:
        logger.info("what the agent's user left was removed", count=len(found.own))
    return found.changed


@dataclass
class _Search:
    """Looks at every file that another user could have reached, without following links.

    Args:
        since: seconds since 1970.
    """

    uids: Collection[int]
    since: float
    own: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    _folders: deque[str] = field(default_factory=deque)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def run(self, places: Iterable[Path], deadline: float) -> None:
        """Look through folders."""
        self._folders.extend(str(place) for place in places if place.is_dir() and not place.is_symlink())
        while self._folders:
            if time.monotonic() > deadline:
                raise LeftoversError("there are too many files to look at")
            for path, status in _entries(self._folders.popleft()):
                if status.st_uid in self.uids:
                    self.own.append(path)
                else:
                    self._look(path, status)

    def _look(self, path: str, status: os.stat_result) -> None:
        is_open = bool(status.st_mode & stat.S_IWOTH) and status.st_ctime >= self.since
        if stat.S_ISDIR(status.st_mode):
            identity = (status.st_dev, status.st_ino)
            if path in _NOT_FILES or identity in self._seen:
                return
            self._seen.add(identity)
            # Below a folder that others cannot enter they have made nothing.
            if status.st_mode & stat.S_IXOTH:
                self._folders.append(path)
            is_open &= not status.st_mode & stat.S_ISVTX
        elif not stat.S_ISREG(status.st_mode):
            return
        if is_open:
            self.changed.append(path)


def _entries(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    yield entry.path, entry.stat(follow_symlinks=False)
    except OSError:
        return


def _owner(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


def _remove_empty(path: str) -> None:
    """Remove what its owner could not, because it stands in a folder of the runner's."""
    if _owner(str(Path(path).parent)) != os.geteuid():
        return
    for remove in (os.rmdir, os.unlink):
        with contextlib.suppress(OSError):
            remove(path)


def _remove_ipc(uid: int, user: User) -> None:
    """Remove System V shared memory, semaphores and message queues that a user made or was given."""
    for kind, (column, option) in _KINDS.items():
        if ids := _ipc(kind, column, uid):
            arguments = [word for number in ids for word in (option, number)]
            for start in range(0, len(arguments), _AT_ONCE):
                _as_user(user, ["ipcrm", *arguments[start : start + _AT_ONCE]], time.monotonic() + _SECONDS)
        if _ipc(kind, column, uid):
            raise LeftoversError(f"shared memory, semaphores or message queues ({kind}) could not be removed")


def _ipc(kind: str, column: str, uid: int) -> list[str]:
    """https://man7.org/linux/man-pages/man5/proc_sysvipc.5.html."""
    try:
        heading, *rows = (_SYSVIPC / kind).read_text().splitlines()
    except (OSError, ValueError):
        return []
    names = heading.split()
    objects = (dict(zip(names, row.split(), strict=False)) for row in rows)
    return [row[column] for row in objects if str(uid) in {row.get("uid"), row.get("cuid")}]


def _as_user(user: User, command: Sequence[str], deadline: float) -> None:
    with child(
        [*user.command([]), *command],
        start=user.start,
        cwd="/",
        env={"PATH": search_path()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        if wait_for(process, max(0.0, deadline - time.monotonic())) is None:
            raise LeftoversError("there are too many files to remove")

"""Users of its own for each task: here all tasks share one machine, on Fargate each has its own.

One is the agent's, another that of the checks of its work, a third that of a preview's browser.

Agents of one user could read each other's workspaces, signal each other's processes and use up each other's
limits. A user needs no entry anywhere: a number that nobody has is enough.
"""

import pwd
import threading
import zlib

FIRST = 20_000
COUNT = 30_000

_HELD: dict[str, int] = {}
_LOCK = threading.Lock()


def take(task: str) -> int:
    """Return the user id of a task's agent; the same as long as the task lives.

    Several stacks may run side by side and know nothing of each other, so the search begins anywhere.
    """
    with _LOCK:
        if task not in _HELD:
            start = zlib.crc32(task.encode())
            held = set(_HELD.values())
            candidates = (FIRST + (start + step) % COUNT for step in range(COUNT))
            _HELD[task] = next(uid for uid in candidates if uid not in held and _is_free(uid))
        return _HELD[task]


def of_checks(uid: int) -> int:
    """Return the user id of a task's checks."""
    return uid + COUNT


def of_browser(uid: int) -> int:
    """Return the user id of a task's browser."""
    return uid + 2 * COUNT


def give_back(task: str) -> None:
    """Let another task have it."""
    with _LOCK:
        _HELD.pop(task, None)


def _is_free(uid: int) -> bool:
    return not any(map(_exists, (uid, of_checks(uid), of_browser(uid))))


def _exists(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True

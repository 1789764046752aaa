"""A memory limit like a task's, made with a cgroup of this machine (cgroups(7), either version)."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION_1 = Path("/sys/fs/cgroup/memory")
_VERSION_2 = Path("/sys/fs/cgroup")


def _parent() -> tuple[Path, str] | None:
    """Return where a group can be made, and the name of its limit."""
    if os.geteuid() != 0:
        return None
    if (_VERSION_1 / "memory.limit_in_bytes").exists():
        return _VERSION_1, "memory.limit_in_bytes"
    control = _VERSION_2 / "cgroup.subtree_control"
    if control.exists() and "memory" in control.read_text(encoding="ascii"):
        return _VERSION_2, "memory.max"
    return None


def unavailable() -> str:
    """Say why there can be no group; empty if there can."""
    return "" if _parent() else "a memory cgroup takes root and a kernel that lets root make one"


@contextmanager
def limited(memory: int) -> Iterator[tuple[str, ...]]:
    """Make a group, and give what starts a program inside it.

    Args:
        memory: the limit, in bytes.
    """
    found = _parent()
    assert found is not None
    parent, limit = found
    group = parent / f"pullwright-test-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    try:
        (group / limit).write_text(str(memory), encoding="ascii")
        yield "sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"
    finally:
        group.rmdir()

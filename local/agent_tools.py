"""The PATH of tasks: a folder with the agent's CLI and a browser, which tasks' other users can read."""

import os
import shutil
from pathlib import Path

from local import chromium
from local.emulator import SYSTEM_PATH
from local.layout import TOOLS, Layout

BINARY = TOOLS / "claude" / "node_modules" / "@anthropic-ai" / "claude-code" / "bin" / "claude.exe"
"""A native program for this machine, whatever its ending says."""


def place(layout: Layout) -> str:
    """Link CLI and browser, or copy them, into a folder from which another user can run them.

    Returns:
        PATH for tasks.
    """
    folder = layout.shared / "bin"
    layout.shared.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder.mkdir(mode=0o755, exist_ok=True)
    target = folder / "claude"
    if not _same(target, BINARY):
        target.unlink(missing_ok=True)
        try:
            os.link(BINARY, target)
        except OSError:
            # Another file system.
            shutil.copy2(BINARY, target)
    target.chmod(0o755)
    chromium.place(folder)
    return f"{folder}:{SYSTEM_PATH}"


def _same(target: Path, source: Path) -> bool:
    if not target.exists():
        return False
    ours, theirs = target.stat(), source.stat()
    return ours.st_size == theirs.st_size and int(ours.st_mtime) == int(theirs.st_mtime)

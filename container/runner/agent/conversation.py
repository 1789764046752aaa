"""The CLI's own record of the conversation, with which `--resume` can continue it in another task."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from runner.children import child, wait_for
from runner.git.leaks import redact_line
from runner.log import logger

if TYPE_CHECKING:
    from pathlib import Path

    from runner.git.workspace import Workspace

MAX_BYTES = 64 << 20
_SECONDS = 30
# A record that is cut short could not be continued: one that is too long is left out.
_PRINT = (
    'for f in "$CLAUDE_CONFIG_DIR"/projects/*/"$1".jsonl; do '
    '[ -f "$f" ] && [ "$(stat -Lc %s -- "$f")" -le "$2" ] && exec head -c "$2" -- "$f"; done; exit 1'
)


def keep_conversation(workspace: Workspace, config: Path, conversation_id: str, path: Path) -> None:
    """Copy the record once the agent has ended, if there is one.

    It is read as the agent's user, so that a link in its place leads to nothing that the agent could not
    read itself.

    Args:
        path: where to; in a folder of the runner's own.
    """
    command = ["sh", "-c", _PRINT, "sh", conversation_id, str(MAX_BYTES)]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "CLAUDE_CONFIG_DIR": str(config)}
    with (
        path.open("wb") as target,
        child(
            workspace.user.command(command),
            start=workspace.user.start,
            cwd=workspace.scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=target,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        kept = wait_for(process, _SECONDS) == 0
    if kept:
        _redact(path)
    else:
        path.unlink()
        logger.info("the conversation left no record")


def _redact(path: Path) -> None:
    clean = path.with_suffix(".clean")
    with path.open("rb") as source, clean.open("wb") as target:
        target.writelines(redact_line(line) for line in source)
    clean.replace(path)

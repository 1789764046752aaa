"""An earlier conversation that goes on: the CLI's record of it is put where `--resume` looks for it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from runner.children import child, wait_for
from runner.log import logger

if TYPE_CHECKING:
    from pathlib import Path

    from runner.git.workspace import Workspace

_SECONDS = 60
# The agent's user writes it, so that a link in its place leads to nothing that the agent could not write.
_WRITE = 'mkdir -p -- "$1" && exec cat > "$1/$2.jsonl"'


def put_conversation(workspace: Workspace, config: Path, conversation_id: str, path: Path) -> bool:
    """Put a conversation's record into the CLI's folder; return whether it is there.

    The CLI keeps records by folder, named by its path with all but letters and digits replaced: seen in
    version 2.1.329.

    Args:
        config: the CLI's configuration folder.
        path: the record, in a folder of the runner's own.
    """
    name = re.sub("[^A-Za-z0-9]", "-", str(workspace.folder.resolve()))
    command = ["sh", "-c", _WRITE, "sh", str(config / "projects" / name), conversation_id]
    with (
        path.open("rb") as record,
        child(
            workspace.user.command(command),
            cwd=workspace.scratch,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
            stdin=record,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        is_there = wait_for(process, _SECONDS) == 0
    if not is_there:
        logger.warning("the earlier conversation could not be put back")
    return is_there

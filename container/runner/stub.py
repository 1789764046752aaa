"""Stub mode: a small change that follows from the request alone, made without a model.

From the work tree on it takes the same way as an agent's work, so that a deployment can be proved for
nothing.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from pullwright.errors import InternalError
from pullwright.results import Todo
from pullwright.text import one_line
from runner.children import child

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import AgentRequest
    from runner.git.workspace import Workspace

FILE_NAME = "pullwright-stub.md"
SUMMARY = f"Stub session: no model was asked. `{FILE_NAME}` says what was requested."
_LONGEST_TITLE = 200
# Removed first, because the repository may have a link of that name.
_WRITE = f'rm -rf -- "{FILE_NAME}" && cat > "{FILE_NAME}"'


def stub_content(request: AgentRequest) -> str:
    """Return the file's content."""
    issue = f"issue #{request.issue}" if request.issue is not None else request.jira
    subject = issue or "a prompt"
    return (
        "# Pullwright stub session\n\n"
        f"- Requested: {one_line(request.title, _LONGEST_TITLE)}\n"
        f"- By: {subject}\n"
        f"- Session: {request.session_id}\n"
    )


def run_stub(
    request: AgentRequest, workspace: Workspace, show: Callable[[str, tuple[Todo, ...]], None]
) -> None:
    """Make the change, as the agent's user.

    Args:
        show: told what is being done, with a todo list.

    Raises:
        InternalError: the file cannot be written.
    """
    read, write = "Read the request", f"Write {FILE_NAME}"
    show(read, (Todo(text=read, status="in_progress"), Todo(text=write, status="pending")))
    show(write, (Todo(text=read, status="completed"), Todo(text=write, status="in_progress")))
    with child(
        workspace.user.command(["sh", "-c", _WRITE]),
        start=workspace.user.start,
        cwd=workspace.folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        process.communicate(stub_content(request).encode())
    if process.returncode:
        raise InternalError("The stub's file could not be written.")

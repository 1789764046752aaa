"""The tools of Claude Code that an agent may use."""

from typing import get_args

from pullwright.repository.tools import Tool


def with_todo_list(tools: tuple[Tool, ...]) -> tuple[str, ...]:
    """Add the agent's todo list, which people follow and which does no harm."""
    return (*tools, "TodoWrite")


TOOLS = with_todo_list(get_args(Tool))
"""What the agent may use where the repository chooses nothing."""


READING: tuple[Tool, ...] = ("Read", "Glob", "Grep")
"""Those that change and run nothing."""

"""The tools of Claude Code that an agent may use."""

from typing import Literal, get_args

Tool = Literal["Bash", "Read", "Edit", "Write", "Glob", "Grep"]
"""Those that a repository may choose from."""


def with_todo_list(tools: tuple[Tool, ...]) -> tuple[str, ...]:
    """Add the agent's todo list, which people follow and which does no harm."""
    return (*tools, "TodoWrite")


TOOLS = with_todo_list(get_args(Tool))
"""What the agent may use where the repository chooses nothing."""

"""The tools of Claude Code that a repository may choose from."""

from typing import Literal

Tool = Literal["Bash", "Read", "Edit", "Write", "Glob", "Grep"]

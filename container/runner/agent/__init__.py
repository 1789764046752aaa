"""The agent: Claude Code's CLI as another user, what it is told, what it says, and what came of it."""

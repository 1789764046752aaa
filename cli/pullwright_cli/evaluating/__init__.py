"""Evaluations: tasks from a repository's own closed issues, their sessions, and what came of them."""

"""The workers that can be asked for."""

IMPLEMENT = "implement"
WORKERS = frozenset({IMPLEMENT})

"""Human durations, in seconds."""

from durations.text import parse, render

__all__ = ["parse", "render"]

"""Reading and writing durations such as `1h30m`."""

import re

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
PART = re.compile(r"(\d+)([dhms])")


def parse(text):
    """Return the seconds that a duration such as `1h30m` stands for."""
    total = 0
    for amount, unit in PART.findall(text):
        total = int(amount) * SECONDS[unit]
    return total


def render(seconds):
    """Return a duration in the largest units that fit, such as `1h30m`."""
    parts = []
    for unit, size in SECONDS.items():
        amount, seconds = divmod(seconds, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"

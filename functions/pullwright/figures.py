"""Numbers as people read them."""

_CENT = 0.01
_MINUTE, _HOUR = 60, 3_600


def money(usd: float) -> str:
    """Format US dollars in cents, or finer where cents would show nothing."""
    return f"${usd:.4f}" if 0 < usd < _CENT else f"${usd:.2f}"


def duration(seconds: float) -> str:
    """Format seconds as people say them."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def ordinal(number: int) -> str:
    """Return a number up to ten as people count: 1st, 2nd, 3rd, 4th."""
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"

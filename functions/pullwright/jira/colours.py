"""Whether a text can be told from what it stands on."""

import re

WHITE = "#ffffff"
LEAST_CONTRAST = 1.1
"""The ratio below which nobody sees a text.

The lightest of the colours that Atlassian's editor offers for text, #fff0b3 on white, has 1.14.
"""
# Below it, sRGB is linear.
_DARKEST = 0.04045
_HEX = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE)


def is_readable(text: str, ground: str) -> bool:
    """Return whether people see a text.

    https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

    Args:
        text: `#rrggbb`; everything else is a colour of the theme's, which is made to be read.
        ground: the same; everything else counts as white.
    """
    colour = _luminance(text)
    if colour is None:
        return True
    behind = _luminance(ground)
    darker, lighter = sorted((colour, 1.0 if behind is None else behind))
    return (lighter + 0.05) / (darker + 0.05) >= LEAST_CONTRAST


def _luminance(colour: str) -> float | None:
    """Return the relative luminance, from 0 to 1: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    match = _HEX.fullmatch(colour)
    if match is None:
        return None
    red, green, blue = (_linear(int(part, 16) / 255) for part in match.groups())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= _DARKEST else ((value + 0.055) / 1.055) ** 2.4

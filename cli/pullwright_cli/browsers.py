"""Opens pages in the browser of whoever runs the command."""

from __future__ import annotations

import os
import sys
import webbrowser


def open_page(address: str) -> None:
    """Open a page where a browser would open a window: without one, it would take the terminal."""
    shows = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    if sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in shows):
        webbrowser.open(address)

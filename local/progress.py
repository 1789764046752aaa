"""Progress of long steps in a terminal: a bar, and one line per finished step.

Standard library only: the bootstrap draws with it before anything is installed. It goes to stderr, so that
a command's own output stays its own.
"""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from typing import Self

BAR = 24


class Steps:
    """Progress over a known number of steps, some of them at the same time."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._live = sys.stderr.isatty()
        self._began = time.monotonic()
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        if self._live:
            threading.Thread(target=self._redraw, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        with self._lock:
            self._clear()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step; its line is printed when it has gone well."""
        began = time.monotonic()
        with self._lock:
            self._running[name] = began
        good = False
        try:
            yield
            good = True
        finally:
            with self._lock:
                del self._running[name]
                self._done += good
                self._clear()
                print(
                    f"  {'✓' if good else '✗'} {name:<46}{time.monotonic() - began:7.1f} s",
                    file=sys.stderr,
                    flush=True,
                )

    def _clear(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _redraw(self) -> None:
        while not self._closed.wait(0.2):
            with self._lock:
                filled = BAR * self._done // max(self._total, 1)
                line = (
                    f"  [{'#' * filled}{'.' * (BAR - filled)}] {self._title} {self._done}/{self._total} "
                    f"{time.monotonic() - self._began:4.0f} s  {', '.join(self._running)}"
                )
                sys.stderr.write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])
                sys.stderr.flush()

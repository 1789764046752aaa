"""Takes pictures of pages with headless Chromium, as a user that holds nothing and reaches one server."""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from pullwright.json_object import as_object
from pullwright.previewing.png import problem_of
from runner.children import child
from runner.preview.devtools import BrowserError, Devtools
from runner.user import end_group, search_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.user import User

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT, LONGEST = 1280, 800, 4_000
"""Of a picture in pixels; a page that is longer is cut."""
PAGE_SECONDS = 30.0
_IDLE_SECONDS = 12.0
MAX_MEMORY = 768 << 20
"""That a page and its browser may have for themselves, in bytes."""
MAX_FILE_BYTES = 64 << 20
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
_OOM_SCORE = 1000
# The pipes have these numbers by the protocol; ours are moved away first.
_LOWEST_DESCRIPTOR = 10
_START = 'in=$1 out=$2; shift 2; exec "$@" 3<&"$in" 4>&"$out" {in}<&- {out}>&-'
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    # Its own sandbox needs what a task on Fargate has not. Its user is one, without capabilities, in a cage.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--mute-audio",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--renderer-process-limit=1",
    "--js-flags=--max-old-space-size=256",
    "--disk-cache-size=16000000",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    f"--window-size={WIDTH},{HEIGHT}",
)


def find_browser() -> str | None:
    """Return the path of a Chromium; None if there is none on this machine."""
    paths = (shutil.which(program, path=search_path()) for program in PROGRAMS)
    return next((path for path in paths if path is not None), None)


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser and whom it runs as.

    Args:
        program: path of the program.
        user: in a cage from which the port alone is reached, where there are cages.
        folder: in which a home is made for each page.
        host: of the preview, which is the one that there is for the browser.
        port: of loopback, at which the preview's server answers.
    """

    program: str
    user: User
    folder: Path
    host: str
    port: int

    def picture(self, path: str) -> bytes:
        """Return a picture of a page as PNG.

        Args:
            path: with the query, from the first slash on.

        Raises:
            BrowserError: there is none; the text says why.
        """
        with self._home() as home, self._started(home) as devtools:
            return self._take(devtools, f"http://{self.host}{path}")

    @contextmanager
    def _home(self) -> Iterator[Path]:
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        self.user.make_folder(home)
        try:
            yield home
        finally:
            self._end_all()
            shutil.rmtree(home, ignore_errors=True)

    @contextmanager
    def _started(self, home: Path) -> Iterator[Devtools]:
        with (
            _pipe() as (to, our_end),
            _pipe() as (our_answers, answers),
            child(
                self.user.command(self._command(home, to.fileno(), answers.fileno())),
                start=self.user.start,
                cwd=home,
                env={"PATH": search_path(), "HOME": str(home), "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(to.fileno(), answers.fileno()),
            ) as process,
        ):
            # So that the end of the browser is the end of its answers.
            to.close()
            answers.close()
            deadline = time.monotonic() + PAGE_SECONDS
            try:
                yield Devtools(our_end.fileno(), our_answers.fileno(), self._check_memory, deadline)
            finally:
                end_group(process.pid, signal.SIGKILL)
                process.wait()

    def _command(self, home: Path, to: int, answers: int) -> Sequence[str]:
        rules = f"MAP {self.host} 127.0.0.1:{self.port}, MAP * ~NOTFOUND"
        return [
            *("bash", "-c", _START, "bash", str(to), str(answers)),
            # When the task's memory runs out, the kernel takes the browser, and not what it looks at.
            *("choom", f"--adjust={_OOM_SCORE}", "--"),
            self.program,
            *_FLAGS,
            f"--user-data-dir={home}/profile",
            f"--host-resolver-rules={rules}",
        ]

    def _take(self, devtools: Devtools, address: str) -> bytes:
        target = devtools.call("Target.createTarget", url="about:blank").get("targetId")
        attached = devtools.call("Target.attachToTarget", targetId=target, flatten=True)
        session = str(attached.get("sessionId"))
        devtools.call("Page.enable", session=session)
        devtools.call("Page.setLifecycleEventsEnabled", session=session, enabled=True)
        metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        devtools.call("Emulation.setDeviceMetricsOverride", session=session, **metrics)
        loaded = devtools.call("Page.navigate", session=session, url=address)
        if error := loaded.get("errorText"):
            raise BrowserError(f"the page did not load ({str(error)[:100]})")
        devtools.wait_until_idle(str(loaded.get("loaderId")), _IDLE_SECONDS)
        self._check_place(devtools, session)
        layout = as_object(devtools.call("Page.getLayoutMetrics", session=session).get("cssContentSize"))
        height = layout.get("height")
        if not isinstance(height, int | float):
            height = HEIGHT
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": min(max(int(height), HEIGHT), LONGEST), "scale": 1}
        options = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        shot = devtools.call("Page.captureScreenshot", session=session, **options)
        self._check_place(devtools, session)
        return _decoded(shot.get("data"))

    def _check_place(self, devtools: Devtools, session: str) -> None:
        """Refuse a picture of anything but a page of the preview."""
        tree = as_object(devtools.call("Page.getFrameTree", session=session).get("frameTree"))
        frame = as_object(tree.get("frame"))
        if frame.get("unreachableUrl") or not str(frame.get("url")).startswith(f"http://{self.host}/"):
            raise BrowserError("the page led to an address other than the preview's own")

    def _check_memory(self) -> None:
        if sum(_private_bytes(process) for process in self._processes()) > MAX_MEMORY:
            raise BrowserError(f"the page needed more than {MAX_MEMORY >> 20} MiB of memory")

    def _processes(self) -> list[Path]:
        """Return the folders of the browser's processes in /proc; of all that run as its user."""
        if self.user.uid is None:
            return []
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdecimal() and folder.stat().st_uid == self.user.uid:
                    found.append(folder)
        return found

    def _end_all(self) -> None:
        """End what has left the browser's own group of processes."""
        for folder in self._processes():
            with suppress(ProcessLookupError):
                os.kill(int(folder.name), signal.SIGKILL)


@contextmanager
def _pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """Make a pipe, whose ends have numbers that the protocol does not use."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _LOWEST_DESCRIPTOR) for end in ends]
    for end in ends:
        os.close(end)
    with FileIO(moved[0], "rb") as reader, FileIO(moved[1], "wb") as writer:
        yield reader, writer


def _private_bytes(process: Path) -> int:
    """Return what a process has in memory for itself (https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html)."""
    try:
        _, resident, shared, *_ = (process / "statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE_SIZE


def _decoded(data: object) -> bytes:
    try:
        png = base64.b64decode(str(data), validate=True)
    except binascii.Error:
        raise BrowserError("the browser's answer is no picture") from None
    if problem := problem_of(png):
        raise BrowserError(problem)
    return png

"""Takes the screenshots of a preview once it is healthy, and hands them to the broker.

Nothing of it can fail the preview: of what goes wrong, the list says why.
"""

from __future__ import annotations

import base64
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import urllib3

from pullwright.errors import PullwrightError
from pullwright.previewing.screenshots import Screenshot
from runner.egress.cage import Cage
from runner.egress.control import ServiceEndedError
from runner.egress.identity import may_duplicate
from runner.egress.proof import find_holes
from runner.log import logger
from runner.preview.browser import MAX_FILE_BYTES, Browser, find_browser
from runner.preview.devtools import BrowserError
from runner.preview.door import Door
from runner.user import User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pullwright.previewing.models import PreviewPlan
    from runner.preview.settings import PreviewSettings

_LOOK_SECONDS = 0.5
_HEALTHY = range(200, 400)
_LONGEST_PROBLEM = 300
NO_BROWSER = "the image of this preview has no browser"
NO_CAGE = "the browser cannot be kept from the network here"


class Screenshots:
    """What takes the pictures of one preview, in a thread of its own.

    Args:
        address: of the task, at which the server listens.
        tell: says something to the broker; raises `PullwrightError` if it was not taken.
    """

    def __init__(
        self,
        plan: PreviewPlan,
        settings: PreviewSettings,
        address: str,
        tell: Callable[[Mapping[str, object]], None],
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._address = address
        self._tell = tell
        self._is_over = threading.Event()

    def begin(self) -> None:
        """Wait for the server and take the pictures meanwhile, if any are wanted."""
        if self._plan.screenshots:
            threading.Thread(target=self._run, name="screenshots", daemon=True).start()

    def end(self) -> None:
        """Begin nothing new: the task is over."""
        self._is_over.set()

    def _run(self) -> None:
        try:
            if self._wait():
                self._finish(self._pages())
        except Exception:  # noqa: BLE001 - whatever it is, the preview goes on
            logger.exception("no screenshots")

    def _wait(self) -> bool:
        """Wait until the server answers its health path; return False if it never did."""
        url = f"http://{self._address}:{self._plan.port}{self._plan.health}"
        headers = {"Host": self._plan.host}
        with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=2, read=5)) as pool:
            while not self._is_over.wait(_LOOK_SECONDS):
                try:
                    answer = pool.request("GET", url, headers=headers, redirect=False, preload_content=False)
                    answer.close()
                except urllib3.exceptions.HTTPError:
                    continue
                if answer.status in _HEALTHY:
                    return True
        return False

    def _pages(self) -> tuple[Screenshot, ...]:
        paths = self._plan.screenshots
        try:
            with self._browser() as browser:
                return tuple(self._page(browser, number, path) for number, path in enumerate(paths, 1))
        except BrowserError as error:
            logger.warning("no screenshots", reason=str(error))
            return tuple(Screenshot(path=path, problem=str(error)[:_LONGEST_PROBLEM]) for path in paths)

    @contextmanager
    def _browser(self) -> Iterator[Browser]:
        program = find_browser()
        if program is None:
            raise BrowserError(NO_BROWSER)
        folder = self._settings.work_dir / "browser"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o711)
        door = Door(self._address, self._plan.port)
        try:
            with self._user(door.port) as user:
                door.open()
                yield Browser(program, user, folder, self._plan.host, door.port)
        finally:
            door.close()
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _user(self, port: int) -> Iterator[User]:
        """Provide the browser's user, in a cage from which one port is reached.

        Raises:
            BrowserError: there is no cage here.
        """
        uid = self._settings.browser_uid
        if self._settings.agent_isolation != "user":
            # Where nothing is kept from the application either.
            yield User(None, max_file_bytes=MAX_FILE_BYTES)
            return
        try:
            cage = Cage(uid, [port], is_shared=True, is_exact=may_duplicate())
        except OSError as error:
            raise BrowserError(f"{NO_CAGE} ({error})") from None
        try:
            if holes := find_holes(cage.start, uid, port):
                raise BrowserError(f"{NO_CAGE} ({'; '.join(holes)})")
            yield User(uid, max_file_bytes=MAX_FILE_BYTES, start=cage.start)
        except ServiceEndedError:
            raise BrowserError(f"{NO_CAGE} (one of the cage's processes ended)") from None
        finally:
            cage.close()

    def _page(self, browser: Browser, number: int, path: str) -> Screenshot:
        if self._is_over.is_set():
            return Screenshot(path=path, problem="the preview ended before")
        try:
            png = browser.picture(path)
            self._tell({"picture": {"number": number, "png": base64.b64encode(png).decode()}})
        except BrowserError as error:
            problem = str(error)
        except PullwrightError as error:
            problem = error.sentence
        else:
            logger.info("screenshot taken", path=path, size=len(png))
            return Screenshot(path=path)
        logger.warning("no screenshot", path=path, reason=problem)
        return Screenshot(path=path, problem=problem[:_LONGEST_PROBLEM])

    def _finish(self, pages: tuple[Screenshot, ...]) -> None:
        if not self._is_over.is_set():
            self._tell({"screenshots": [page.model_dump() for page in pages]})

"""Speaks the DevTools protocol with Chromium over a pair of pipes: https://chromedevtools.github.io/devtools-protocol/.

Over pipes nothing listens anywhere, so nobody else can steer the browser. What it answers is foreign: a page
may have taken it over.
"""

from __future__ import annotations

import json
import os
import select
import time
from typing import TYPE_CHECKING, Any

from pullwright.json_object import as_object, decode_object

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST_MESSAGE = 16_000_000
_LOOK_SECONDS = 0.25
_PIECE = 1 << 16


class BrowserError(Exception):
    """There is no picture of a page; the text says why, for people."""


class Devtools:
    """One browser.

    Args:
        to: descriptor that the browser reads from.
        answers: descriptor that it writes to.
        check: called while it is waited for; raises `BrowserError` to give up.
        deadline: seconds of `time.monotonic` when it is given up.
    """

    def __init__(self, to: int, answers: int, check: Callable[[], None], deadline: float) -> None:
        self._to = to
        self._answers = answers
        self._check = check
        self._deadline = deadline
        self._pending = b""
        self._number = 0
        self._reply: dict[str, Any] = {}
        self._awaited = 0
        self._idle: set[str] = set()

    def call(self, method: str, *, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result.

        Raises:
            BrowserError: the browser refused, ended, or did not answer in time.
        """
        self._reply, self._awaited = {}, self._send(method, session, parameters)
        while not (reply := self._reply):
            self._receive(self._deadline)
        if "error" in reply:
            raise BrowserError(f"the browser could not do {method}")
        return as_object(reply.get("result"))

    def wait_until_idle(self, loader: str, seconds: float) -> None:
        """Wait until a page has asked for nothing for half a second; no longer than some seconds.

        Args:
            loader: id of what loads the page.
        """
        end = min(self._deadline, time.monotonic() + seconds)
        while loader not in self._idle and time.monotonic() < end:
            self._receive(end, is_bound=False)

    def _send(self, method: str, session: str, parameters: dict[str, Any]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        try:
            os.write(self._to, json.dumps(message).encode() + b"\0")
        except OSError:
            raise BrowserError("the browser ended") from None
        return self._number

    def _receive(self, until: float, *, is_bound: bool = True) -> None:
        """Take what the browser says next, if it says anything soon."""
        self._check()
        left = until - time.monotonic()
        if left <= 0:
            if is_bound:
                raise BrowserError("the page took too long")
            return
        if not select.select([self._answers], [], [], min(left, _LOOK_SECONDS))[0]:
            return
        piece = os.read(self._answers, _PIECE)
        if not piece:
            raise BrowserError("the browser ended")
        *messages, self._pending = (
            (self._pending + piece).split(b"\0") if b"\0" in piece else [self._pending + piece]
        )
        if len(self._pending) > _LARGEST_MESSAGE:
            raise BrowserError("the browser's answer has no end")
        for message in messages:
            self._take(decode_object(message))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            # Nobody waits for the answer to what closes a dialog.
            if message["id"] == self._awaited:
                self._reply = message
            return
        parameters = as_object(message.get("params"))
        if message.get("method") == "Page.javascriptDialogOpening":
            self._send("Page.handleJavaScriptDialog", str(message.get("sessionId", "")), {"accept": True})
        elif message.get("method") == "Page.lifecycleEvent" and parameters.get("name") == "networkIdle":
            self._idle.add(str(parameters.get("loaderId")))

"""The browser's side of the pipe is foreign: it may say anything, nothing, or too much."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from runner.preview import devtools as module
from runner.preview.devtools import BrowserError, Devtools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def _devtools(
    answer: Callable[[dict[str, Any]], bytes],
    *,
    check: Callable[[], None] = lambda: None,
    seconds: float = 30,
) -> Iterator[Devtools]:
    """Provide a browser that answers each message with some bytes; none end it."""
    there, to = os.pipe()
    answers, back = os.pipe()

    def serve() -> None:
        pending = b""
        with suppress(OSError):
            while piece := os.read(there, 1 << 16):
                *messages, pending = (pending + piece).split(b"\0")
                for message in messages:
                    if not (said := answer(json.loads(message))):
                        os.close(back)
                        return
                    while said:
                        said = said[os.write(back, said) :]

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Devtools(to, answers, check, time.monotonic() + seconds)
    finally:
        os.close(to)
        os.close(answers)
        thread.join(5)


def _said(*messages: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\0" for message in messages)


def test_an_answer_is_found_among_what_else_is_said() -> None:
    """Events and answers to others may come before it, and what is no JSON says nothing."""

    def answer(asked: dict[str, Any]) -> bytes:
        assert asked["params"] == {"url": "about:blank"}
        assert asked["sessionId"] == "s"
        others = _said({"method": "Page.loadEventFired"}, {"id": 99, "result": {"it": "is another's"}})
        return others + b"no JSON\0[]\0" + _said({"id": asked["id"], "result": {"targetId": "t"}})

    with _devtools(answer) as devtools:
        assert devtools.call("Target.createTarget", session="s", url="about:blank") == {"targetId": "t"}


def test_a_dialog_is_closed() -> None:
    """A page that asks somebody would otherwise wait for ever."""
    closed = []

    def answer(asked: dict[str, Any]) -> bytes:
        if asked["method"] == "Page.handleJavaScriptDialog":
            closed.append(asked)
            return _said({"id": asked["id"], "result": {}}, {"id": asked["id"] - 1, "result": {"a": "page"}})
        return _said({"method": "Page.javascriptDialogOpening", "sessionId": "s", "params": {}})

    with _devtools(answer) as devtools:
        assert devtools.call("Page.navigate", session="s") == {"a": "page"}
    assert [(asked["sessionId"], asked["params"]) for asked in closed] == [("s", {"accept": True})]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda asked: _said({"id": asked["id"], "error": {"message": "secret"}}),
            "could not do Page.navigate",
        ),
        (lambda _: b"", "ended"),
        (lambda _: _said({"method": "of no interest"}), "too long"),
        (lambda _: b"x" * 2_000_000, "no end"),
    ],
)
def test_what_goes_wrong_is_said(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[dict[str, Any]], bytes], said: str
) -> None:
    """A refusal, an end, silence, and an answer without end."""
    monkeypatch.setattr(module, "_LARGEST_MESSAGE", 1_000_000)
    with _devtools(answer, seconds=1) as devtools, pytest.raises(BrowserError, match=said):
        devtools.call("Page.navigate")


def test_who_waits_may_give_up() -> None:
    """Such as when the page needs too much memory."""

    def check() -> None:
        raise BrowserError("the page needed more than 768 MiB of memory")

    with _devtools(lambda _: _said({}), check=check) as devtools, pytest.raises(BrowserError, match="768"):
        devtools.call("Page.navigate")


def test_a_page_that_is_never_idle_is_waited_for_no_longer_than_asked() -> None:
    """It has its picture as it is then; one that is idle is waited for no longer."""

    def answer(asked: dict[str, Any]) -> bytes:
        idle = {"method": "Page.lifecycleEvent", "params": {"name": "networkIdle", "loaderId": "l"}}
        return _said({"id": asked["id"], "result": {}}, idle)

    with _devtools(answer) as devtools:
        devtools.call("Page.navigate")
        devtools.wait_until_idle("l", 3_600)
        devtools.wait_until_idle("another", 0.01)

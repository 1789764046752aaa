"""The outermost layer: ordered failures, dropped connections and the log of requests."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from standin.times import fine_stamp

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from standin.answers import Reply
    from standin.faults import Fault, Faults

_KEPT = 10_000


@dataclass
class Entry:
    """One request, for the list of requests and the log.

    Attributes:
        actor: who made it, as the stand-in names people; empty for what is no call of its API.
    """

    time: str
    method: str
    path: str
    query: str
    status: int = 0
    actor: str = ""
    user_agent: str = ""
    body: Any = None
    fault: str = ""


class Gate:
    """Wraps the whole application.

    Args:
        app: what answers when nothing is ordered to fail.
        clock: returns Unix seconds.
        canned: returns the answer of a failure, as the service's front end gives it.
        own: beginnings of paths that the service does not have: they never fail and are not listed.
        log: file for one JSON line per request, or None.
    """

    def __init__(
        self,
        app: ASGIApp,
        clock: Callable[[], float],
        faults: Faults,
        canned: Callable[[Fault], Reply],
        own: Sequence[str],
        log: Path | None,
    ) -> None:
        self._app = app
        self._now = clock
        self._faults = faults
        self._canned = canned
        self._own = tuple(own)
        self._log = log
        self.entries: deque[Entry] = deque(maxlen=_KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail as ordered."""
        if scope["type"] != "http" or scope["path"].startswith(self._own):
            await self._app(scope, receive, send)
            return
        agent = dict(scope["headers"]).get(b"user-agent", b"").decode(errors="replace")
        entry = Entry(
            time=fine_stamp(self._now()),
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode(errors="replace"),
            user_agent=agent,
        )
        scope["standin.entry"] = entry
        self.entries.append(entry)
        fault = self._faults.strike(entry.method, entry.path, entry.query)
        try:
            if fault is None:
                await self._app(scope, receive, self._noting(entry, send))
            else:
                await self._fail(fault, entry, scope, receive, send)
        finally:
            self._write(entry)

    @staticmethod
    def _noting(entry: Entry, send: Send) -> Send:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        return noting

    async def _fail(self, fault: Fault, entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
        entry.fault = "drop" if fault.drop else str(fault.status or "delay")
        await fault.wait()
        if fault.status is None and not fault.drop:
            await self._app(scope, receive, self._noting(entry, send))
            return
        if fault.after:
            await self._app(scope, receive, _nowhere)
        if fault.drop:
            await _hang_up(receive, send)
            return
        reply = self._canned(fault)
        entry.status = reply.status
        content = json.dumps(reply.body).encode()
        headers = {"content-type": reply.media_type, "content-length": str(len(content)), **reply.headers}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    def _write(self, entry: Entry) -> None:
        if self._log is not None:
            # Bodies stay out of the file: they are other people's texts.
            line = {name: value for name, value in asdict(entry).items() if name != "body"}
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


async def _nowhere(_message: Message) -> None:
    """Take an answer that nobody will see."""


async def _hang_up(receive: Receive, send: Send) -> None:
    """Close the connection without an answer.

    ASGI has no such message, so it is the server's own transport that is closed.
    """
    cycle = getattr(send, "__self__", None)
    transport = cast("Transport | None", getattr(cycle, "transport", None))
    if transport is None:
        raise RuntimeError("this server does not let a connection be dropped")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass

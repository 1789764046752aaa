"""HTTP/1.1 over one connection: h11 knows the protocol, asyncio moves the bytes."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

import h11

HEADER_BYTES = 65_536
"""What all headers of a message may have together."""
_CHUNK = 65_536


class Wire:
    """A connection as a client or as a server."""

    def __init__(
        self,
        role: type[h11.CLIENT] | type[h11.SERVER],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=HEADER_BYTES)
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, host: str, port: int) -> Self:
        """Connect to a server.

        Raises:
            OSError: it cannot be reached.
        """
        return cls(h11.CLIENT, *await asyncio.open_connection(host, port))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def receive(self) -> h11.Event | type[h11.PAUSED] | type[h11.NEED_DATA]:
        """Return the next event of the other side.

        Raises:
            h11.RemoteProtocolError: it does not speak HTTP/1.1.
            OSError: the connection is broken.
        """
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.http.receive_data(await self.reader.read(_CHUNK))

    async def send(self, event: h11.Event) -> None:
        """Send an event.

        Raises:
            OSError: the connection is broken.
        """
        if data := self.http.send(event):
            self.writer.write(data)
            await self.writer.drain()


async def join(first: Wire, second: Wire, idle_seconds: float) -> None:
    """Pass bytes between two connections that speak another protocol now, until one ends or both are idle."""
    loop = asyncio.get_running_loop()
    last = loop.time()

    async def pump(source: Wire, sink: Wire) -> None:
        nonlocal last
        data = source.http.trailing_data[0] or await source.reader.read(_CHUNK)
        while data:
            last = loop.time()
            sink.writer.write(data)
            await sink.writer.drain()
            data = await source.reader.read(_CHUNK)

    async def watch() -> None:
        while (left := last + idle_seconds - loop.time()) > 0:  # noqa: ASYNC110 - only time passes
            await asyncio.sleep(left)

    work = [asyncio.ensure_future(part) for part in (pump(first, second), pump(second, first), watch())]
    try:
        await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for part in work:
            part.cancel()
        await asyncio.gather(*work, return_exceptions=True)

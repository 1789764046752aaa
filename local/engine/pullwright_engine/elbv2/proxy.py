"""One client's connection to a listener.

What a load balancer answers when a target does not:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus

import h11

from pullwright_engine.elbv2 import headers as fields
from pullwright_engine.elbv2.table import Fixed, Forward, Listener
from pullwright_engine.elbv2.wire import Wire, join

LOG = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
"""How long a target may take to accept a connection."""
KEEP_ALIVE_SECONDS = 3_600.0
"""How long a client may keep a connection that it does not use."""
SERVER = (b"Server", b"awselb/2.0")
_PHRASES = {463: "", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
_SWITCHING = HTTPStatus.SWITCHING_PROTOCOLS

Address = tuple[str, int]
Pick = Callable[[Forward], Address | None]
"""Gives the target of the next request; None where no target may have it."""


class NoResponseError(Exception):
    """There is no response of a target's to pass on.

    Args:
        status: what the client gets instead.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@contextlib.contextmanager
def _blamed() -> Iterator[None]:
    """Take what goes wrong here for the target's fault: 504 when it is late, 502 for everything else."""
    try:
        yield
    except TimeoutError as error:
        raise NoResponseError(HTTPStatus.GATEWAY_TIMEOUT) from error
    except (OSError, h11.RemoteProtocolError) as error:
        raise NoResponseError(HTTPStatus.BAD_GATEWAY) from error


class Proxy:
    """Serves one client.

    Args:
        listener: gives the listener as it is now; None when it is gone.
        pick: chooses targets.
    """

    def __init__(self, wire: Wire, listener: Callable[[], Listener | None], pick: Pick) -> None:
        self._wire = wire
        self._listener = listener
        self._pick = pick

    async def serve(self) -> None:
        """Answer requests until either side ends the connection."""
        try:
            while await self._serve_next():
                self._wire.http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            with contextlib.suppress(h11.LocalProtocolError, OSError):
                is_too_long = error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                status = HTTPStatus.BAD_REQUEST if is_too_long else error.error_status_hint
                await self._answer(_page(status), is_head=False)
        except (OSError, NoResponseError, h11.LocalProtocolError) as error:
            LOG.debug("a connection of a load balancer ended: %r", error)

    async def _serve_next(self) -> bool:
        """Answer one request; return whether another one may follow."""
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            request = await self._wire.receive()
        listener = self._listener()
        if not isinstance(request, h11.Request) or listener is None:
            return False
        if (status := fields.refusal(request)) is not None:
            await self._answer(_page(status), is_head=request.method == b"HEAD")
            return False
        sent = request.headers.raw_items()
        path = request.target.decode("latin-1").partition("?")[0]
        action = listener.action(fields.host_name(sent), path)
        try:
            await self._act(request, action, listener)
        except NoResponseError as error:
            if self._wire.http.our_state is not h11.SEND_RESPONSE:
                raise
            await self._answer(_page(error.status), is_head=request.method == b"HEAD")
        async with asyncio.timeout(listener.idle_seconds):
            await self._read_to_end()
        return set(self._wire.http.states.values()) == {h11.DONE}

    async def _read_to_end(self) -> None:
        """Read what a client still sends of a request that was answered: it may not look before that."""
        while self._wire.http.their_state is h11.SEND_BODY:
            await self._wire.receive()

    async def _act(self, request: h11.Request, action: Fixed | Forward, listener: Listener) -> None:
        if isinstance(action, Fixed):
            await self._answer(action, is_head=request.method == b"HEAD")
            return
        target = self._pick(action)
        if target is None:
            raise NoResponseError(HTTPStatus.SERVICE_UNAVAILABLE)
        with _blamed():
            async with asyncio.timeout(CONNECT_SECONDS):
                upstream = await Wire.to(*target)
        async with upstream:
            await self._exchange(request, upstream, listener)

    async def _exchange(self, request: h11.Request, upstream: Wire, listener: Listener) -> None:
        client = str(self._wire.writer.get_extra_info("peername")[0])
        sent = fields.for_target(request.headers.raw_items(), client=client, port=listener.port)
        await self._send_request(
            h11.Request(method=request.method, target=request.target, headers=sent), upstream, listener
        )
        is_begun = False
        while True:
            with _blamed():
                async with asyncio.timeout(listener.idle_seconds):
                    event = await upstream.receive()
                if isinstance(event, h11.ConnectionClosed):
                    raise NoResponseError(HTTPStatus.BAD_GATEWAY)
            if isinstance(event, h11.InformationalResponse) and event.status_code == _SWITCHING:
                accepted = event.headers.raw_items()
                await self._wire.send(h11.InformationalResponse(status_code=_SWITCHING, headers=accepted))
                await join(self._wire, upstream, listener.idle_seconds)
                return
            if isinstance(event, h11.Response):
                is_begun = True
                kept = fields.for_client(event.headers.raw_items())
                await self._wire.send(
                    h11.Response(status_code=event.status_code, headers=kept, reason=event.reason)
                )
            elif isinstance(event, (h11.Data, h11.EndOfMessage)) and is_begun:
                await self._wire.send(event)
                if isinstance(event, h11.EndOfMessage):
                    return

    async def _send_request(self, head: h11.Request, upstream: Wire, listener: Listener) -> None:
        """Pass a request on, its body as it comes; a target may answer before it has read all of that."""
        with _blamed():
            await upstream.send(head)
        is_read = True
        while True:
            try:
                async with asyncio.timeout(listener.idle_seconds):
                    event = await self._wire.receive()
            except TimeoutError as error:
                raise NoResponseError(HTTPStatus.REQUEST_TIMEOUT) from error
            if is_read and isinstance(event, (h11.Data, h11.EndOfMessage)):
                try:
                    await upstream.send(event)
                except OSError:
                    is_read = False
            if not isinstance(event, h11.Data):
                return

    async def _answer(self, answer: Fixed, *, is_head: bool) -> None:
        """Send a response of the load balancer's own."""
        body = answer.body.encode()
        await self._wire.send(
            h11.Response(
                status_code=answer.status,
                reason=_phrase(answer.status).encode(),
                headers=[
                    SERVER,
                    (b"Content-Type", answer.content_type.encode()),
                    (b"Content-Length", str(len(body)).encode()),
                ],
            )
        )
        if body and not is_head:
            await self._wire.send(h11.Data(data=body))
        await self._wire.send(h11.EndOfMessage())


def _phrase(status: int) -> str:
    return _PHRASES[status] if status in _PHRASES else HTTPStatus(status).phrase


def _page(status: int) -> Fixed:
    """Return the load balancer's own page for an error."""
    title = f"{status} {_phrase(status)}"
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Fixed(status, "text/html", body)

"""The web application of a stand-in: its requests, control requests, and what is written down of both."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from standin.control import is_local
from standin.exchanges import Asked, Exchanges, decoded
from standin.faults import Faults
from standin.gate import Entry, Gate
from standin.serving import response

if TYPE_CHECKING:
    import threading
    from collections import deque
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from standin.answers import Reply
    from standin.faults import Fault

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_CONTROL = "/_standin"
_OWN = (f"{_CONTROL}/", "/_static/")
C = TypeVar("C", bound=Asked)


class Service(Protocol):
    """What a stand-in knows.

    Attributes:
        lock: held to read or change it.
        outbox: what sends its webhooks.
    """

    lock: threading.RLock
    outbox: Any

    def close(self) -> None:
        """End what runs, and close the store."""


class Application(Generic[C]):
    """The addresses of one stand-in.

    Args:
        make: makes a call of method, path, query, headers and content.
        asker: says who made a call, and what sort of account that is.
        clock: returns Unix seconds.
        canned: see `Gate`.
        routes: what the service has.
        controls: makes what responds to control requests, and what then settles without the lock.
        webhooks: what its webhooks are called in the file of exchanges.
        log: file for one JSON line per request, or None.
        exchanges: folder for whole requests and answers, or None.
    """

    def __init__(
        self,
        service: Service,
        make: Callable[..., C],
        asker: Callable[[C], tuple[str, str]],
        clock: Callable[[], float],
        canned: Callable[[Fault], Reply],
        routes: Sequence[BaseRoute],
        controls: Callable[[Faults, deque[Entry]], Any],
        *,
        webhooks: str,
        log: Path | None,
        exchanges: Path | None,
    ) -> None:
        self._service = service
        self._make, self._asker = make, asker
        self._exchanges = Exchanges(exchanges)
        faults = Faults()
        service.outbox.delivered = lambda headers, body: self._exchanges.delivered(headers, body, webhooks)
        service.outbox.fault = faults.strike
        application = Starlette(
            routes=[Route(f"{_CONTROL}/{{path:path}}", self._control, methods=METHODS), *routes],
            lifespan=self._lifespan,
        )
        self.asgi = Gate(application, clock, faults, canned, _OWN, log)
        self._controls = controls(faults, self.asgi.entries)

    async def answer(
        self, request: Request, kind: str, respond: Callable[[C], Reply], prefix: str = ""
    ) -> Response:
        """Answer a request of the service's own.

        Args:
            kind: which description is for it.
            prefix: of the path, which the call does not have.
        """
        call = await self._call(request, prefix)
        reply = await run_in_threadpool(self._locked, respond, call)
        actor, account = self._asker(call)
        entry: Entry | None = request.scope.get("standin.entry")
        if entry is not None:
            entry.actor = actor
            entry.body = decoded(call.content)
        self._exchanges.answered(kind, account, call, reply)
        return response(reply)

    async def _control(self, request: Request) -> Response:
        if not is_local(request):
            return JSONResponse({"message": "Only for callers on this machine."}, 403)
        call = await self._call(request, _CONTROL)
        reply = await run_in_threadpool(self._locked, self._controls.respond, call)
        return response(await run_in_threadpool(self._controls.settle, call, reply))

    def _locked(self, respond: Callable[[C], Reply], call: C) -> Reply:
        with self._service.lock:
            return respond(call)

    async def _call(self, request: Request, prefix: str) -> C:
        return self._make(
            method=request.method,
            path=str(request.scope["path"]).removeprefix(prefix) or "/",
            query=dict(request.query_params),
            headers={name.lower(): value for name, value in request.headers.items()},
            content=await request.body(),
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._service.outbox.start()
        yield
        await run_in_threadpool(self._service.close)

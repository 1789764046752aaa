"""The web application: REST, control requests and pages."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from jira_standin import api
from jira_standin.answers import canned
from jira_standin.calls import Call
from jira_standin.control import Control
from jira_standin.pages import Pages
from standin.control import is_local
from standin.exchanges import Exchanges, decoded
from standin.faults import Faults
from standin.gate import Entry, Gate
from standin.serving import response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from jira_standin.jira import Jira
    from standin.answers import Reply

_OWN = ("/_standin/", "/_static/")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Application:
    """The addresses of one stand-in.

    Args:
        log: file for one JSON line per request, or None.
        exchanges: folder for whole requests and answers, or None.
    """

    def __init__(self, jira: Jira, log: Path | None = None, exchanges: Path | None = None) -> None:
        self._jira = jira
        self._exchanges = Exchanges(exchanges)
        jira.outbox.delivered = lambda headers, body: self._exchanges.delivered(headers, body, "jira webhook")
        faults = Faults()
        jira.outbox.fault = faults.strike
        application = Starlette(
            routes=[
                Route("/rest/{path:path}", self._rest, methods=_METHODS),
                Route("/_standin/{path:path}", self._control, methods=_METHODS),
                *Pages(jira).routes(),
            ],
            lifespan=self._lifespan,
        )
        self.asgi = Gate(application, jira.now, faults, canned, _OWN, log)
        self._controls = Control(jira, faults, self.asgi.entries)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._jira.outbox.start()
        yield
        await run_in_threadpool(self._jira.close)

    async def _call(self, request: Request, prefix: str = "") -> Call:
        return Call(
            jira=self._jira,
            method=request.method,
            path=str(request.scope["path"]).removeprefix(prefix),
            query=dict(request.query_params),
            headers={name.lower(): value for name, value in request.headers.items()},
            content=await request.body(),
        )

    async def _rest(self, request: Request) -> Response:
        call = await self._call(request)
        entry: Entry | None = request.scope.get("standin.entry")

        def locked() -> Reply:
            with self._jira.lock:
                return api.respond(call)

        reply = await run_in_threadpool(locked)
        if entry is not None:
            entry.actor = call.actor.account_id if call.actor else ""
            entry.body = decoded(call.content)
        self._exchanges.answered("jira", "user" if call.actor else "anonymous", call, reply)
        return response(reply)

    async def _control(self, request: Request) -> Response:
        if not is_local(request):
            return JSONResponse({"message": "Only for callers on this machine."}, 403)
        call = await self._call(request, "/_standin")

        def locked() -> Reply:
            with self._jira.lock:
                reply = self._controls.respond(call)
            return self._controls.settle(call, reply)

        return response(await run_in_threadpool(locked))

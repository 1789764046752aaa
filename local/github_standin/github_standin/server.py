"""The web application: REST, GraphQL, git, control requests and pages."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from github_standin import api, graphql, logs
from github_standin.answers import canned
from github_standin.calls import Call
from github_standin.control import Control
from github_standin.git.http import GitHttp
from github_standin.web.pages import Pages
from standin.control import is_local
from standin.exchanges import Exchanges, decoded
from standin.faults import Faults
from standin.gate import Entry, Gate
from standin.serving import response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from github_standin.github import GitHub
    from standin.answers import Reply

_OWN = ("/_standin/", "/_static/")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Application:
    """The endpoints of one stand-in.

    Args:
        log: file for one JSON line per request, or None.
        exchanges: folder for whole requests and answers, or None.
    """

    def __init__(self, github: GitHub, log: Path | None = None, exchanges: Path | None = None) -> None:
        self._github = github
        self._exchanges = Exchanges(exchanges)
        github.outbox.delivered = self._exchanges.delivered
        faults = Faults()
        github.outbox.fault = faults.strike
        git, pages = GitHttp(github), Pages(github)
        application = Starlette(
            routes=[
                Route("/api/graphql", self._graphql, methods=["POST"]),
                Route("/api/v3", self._rest, methods=_METHODS),
                Route("/api/v3/{path:path}", self._rest, methods=_METHODS),
                Route("/_standin/{path:path}", self._control, methods=_METHODS),
                Route(f"{logs.PATH}/{{name}}", self._log, methods=["GET"]),
                *git.routes(),
                *pages.routes(),
            ],
            lifespan=self._lifespan,
        )
        # Tests replace the clock of a running stand-in.
        self.asgi = Gate(application, lambda: github.now(), faults, canned, _OWN, log)  # noqa: PLW0108
        self._controls = Control(github, faults, self.asgi.entries)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._github.outbox.start()
        yield
        await run_in_threadpool(self._github.close)

    async def _call(self, request: Request, prefix: str) -> Call:
        return Call(
            github=self._github,
            method=request.method,
            path=str(request.scope["path"]).removeprefix(prefix) or "/",
            query=dict(request.query_params),
            headers={name.lower(): value for name, value in request.headers.items()},
            content=await request.body(),
        )

    async def _answer(
        self, kind: str, request: Request, prefix: str, respond: Callable[[Call], Reply]
    ) -> Response:
        call = await self._call(request, prefix)
        entry: Entry | None = request.scope.get("standin.entry")

        def locked() -> Reply:
            with self._github.lock:
                return respond(call)

        reply = await run_in_threadpool(locked)
        if entry is not None:
            entry.actor = call.actor.key
            entry.body = decoded(call.content)
        self._exchanges.answered(kind, call.actor.kind, call, reply)
        return response(reply)

    async def _rest(self, request: Request) -> Response:
        return await self._answer("rest", request, "/api/v3", api.respond)

    async def _graphql(self, request: Request) -> Response:
        return await self._answer("graphql", request, "/api/graphql", graphql.respond)

    async def _log(self, request: Request) -> Response:
        with self._github.lock:
            reply = logs.read(self._github, request.path_params["name"], request.headers.get("authorization"))
        return response(reply)

    async def _control(self, request: Request) -> Response:
        if not is_local(request):
            return JSONResponse({"message": "Only for callers on this machine."}, 403)
        call = await self._call(request, "/_standin")

        def locked() -> Reply:
            with self._github.lock:
                reply = self._controls.respond(call)
            return self._controls.settle(call, reply)

        return response(await run_in_threadpool(locked))

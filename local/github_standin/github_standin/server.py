"""The web application: REST, GraphQL, git, control requests and pages."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from github_standin import api, graphql, logs
from github_standin.calls import Call
from github_standin.control import Control
from github_standin.exchanges import Exchanges, decoded
from github_standin.faults import Faults
from github_standin.gate import Entry, Gate
from github_standin.git.http import GitHttp
from github_standin.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.requests import Request

    from github_standin.answers import Reply
    from github_standin.github import GitHub

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def _response(reply: Reply) -> Response:
    if reply.body is None:
        return Response(status_code=reply.status, headers=reply.headers)
    if isinstance(reply.body, str | bytes):
        return Response(reply.body, reply.status, reply.headers, reply.media_type)
    content = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, reply.status, reply.headers, reply.media_type)


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
        self.asgi = Gate(application, github, faults, log)
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
        self._exchanges.answered(kind, call, reply)
        return _response(reply)

    async def _rest(self, request: Request) -> Response:
        return await self._answer("rest", request, "/api/v3", api.respond)

    async def _graphql(self, request: Request) -> Response:
        return await self._answer("graphql", request, "/api/graphql", graphql.respond)

    async def _log(self, request: Request) -> Response:
        with self._github.lock:
            reply = logs.read(self._github, request.path_params["name"], request.headers.get("authorization"))
        return _response(reply)

    async def _control(self, request: Request) -> Response:
        # A page of another site must not be able to steer the stand-in through somebody's browser.
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        if host not in _LOOPBACK or "origin" in request.headers:
            return JSONResponse({"message": "Only for callers on this machine."}, 403)
        call = await self._call(request, "/_standin")

        def locked() -> Reply:
            with self._github.lock:
                reply = self._controls.respond(call)
            return self._controls.settle(call, reply)

        return _response(await run_in_threadpool(locked))

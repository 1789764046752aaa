"""The web application: REST, GraphQL, git, control requests and pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from github_standin import api, graphql, logs
from github_standin.answers import canned
from github_standin.calls import Call
from github_standin.control import Control
from github_standin.git.http import GitHttp
from github_standin.web.pages import Pages
from standin.application import METHODS, Application
from standin.serving import response

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from github_standin.github import GitHub
    from standin.gate import Gate


def application(github: GitHub, log: Path | None = None, exchanges: Path | None = None) -> Gate:
    """Return the endpoints of one stand-in; see `standin.application.Application`."""

    async def rest(request: Request) -> Response:
        return await made.answer(request, "rest", api.respond, "/api/v3")

    async def graph(request: Request) -> Response:
        return await made.answer(request, "graphql", graphql.respond, "/api/graphql")

    async def log_of(request: Request) -> Response:
        with github.lock:
            reply = logs.read(github, request.path_params["name"], request.headers.get("authorization"))
        return response(reply)

    made = Application[Call](
        github,
        partial(Call, github),
        lambda call: (call.actor.key, call.actor.kind),
        # Tests replace the clock of a running stand-in.
        lambda: github.now(),  # noqa: PLW0108
        canned,
        [
            Route("/api/graphql", graph, methods=["POST"]),
            Route("/api/v3", rest, methods=METHODS),
            Route("/api/v3/{path:path}", rest, methods=METHODS),
            Route(f"{logs.PATH}/{{name}}", log_of, methods=["GET"]),
            *GitHttp(github).routes(),
            *Pages(github).routes(),
        ],
        partial(Control, github),
        webhooks="webhook",
        log=log,
        exchanges=exchanges,
    )
    return made.asgi

"""The pages as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pullwright import errors
from pullwright_cli.dashboard.guard import STATIC, Guard
from pullwright_cli.dashboard.lists import Lists
from pullwright_cli.dashboard.rendering import FOLDER, Renderer
from pullwright_cli.dashboard.session_pages import SessionPages
from pullwright_cli.errors import CliError
from pullwright_cli.failures import explained

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pullwright_cli.session import Deployed

_SESSION = "/sessions/{session}"
_NOT_FOUND = (errors.SessionMissing, errors.ExecutionForgotten)


def make(stack: Deployed, name: str, place: str, port: int, token: str) -> Guard:
    """Return the application.

    Args:
        name: the stack's, on each page.
        place: the stack's region, beside its name.
        port: on which browsers find the pages.
        token: gives a browser access.
    """
    renderer = Renderer(name, place)
    lists, sessions = Lists(stack, renderer), SessionPages(stack, renderer)

    async def problem(request: Request, error: Exception) -> Response:
        # The whole part is rendered anew, which need not hold up other requests.
        return await run_in_threadpool(_problem, renderer, request, error)

    handlers = (*_FAILURES, HTTPException, Exception)
    app = Starlette(
        routes=[
            Route("/", lists.sessions),
            Route("/costs", lists.costs),
            Route("/events", lists.events),
            Route(_SESSION, sessions.overview),
            Route(f"{_SESSION}/log", sessions.log),
            Route(f"{_SESSION}/files/{{name:path}}", sessions.file),
            Mount(STATIC, StaticFiles(directory=FOLDER / "static")),
        ],
        exception_handlers=dict.fromkeys(handlers, problem),
    )
    return Guard(app, port, token)


_FAILURES: tuple[type[Exception], ...] = (BotoCoreError, ClientError, CliError, errors.PullwrightError)


def _problem(renderer: Renderer, request: Request, error: Exception) -> Response:
    """Return the page that says what is wrong."""
    if isinstance(error, HTTPException):
        return renderer.problem(request, "There is no such page.", "Go to the sessions.", error.status_code)
    if isinstance(error, CliError):
        return renderer.problem(request, f"{error}.", "", 400)
    found = explained(error)
    if found is None:
        sentence = f"A defect of this page: {type(error).__name__}."
        return renderer.problem(request, sentence, "The terminal says where; report it.", 500)
    return renderer.problem(
        request, found.sentence, found.remedy, 404 if isinstance(found, _NOT_FOUND) else 502
    )

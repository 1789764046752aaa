"""The pages: projects, issues with their comments, links and history, and deliveries. Nobody signs in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from jira_standin.adf import text
from jira_standin.times import stamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from jira_standin.jira import Jira

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
_AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="4"/></svg>'
)
_SHOWN = 200


class Pages:
    """Answers people's browsers."""

    def __init__(self, jira: Jira) -> None:
        self._jira = jira
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
        )
        self._templates.filters |= {"text": text, "stamp": stamp}

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/", self._shown(self._projects)),
            Route("/browse/{key}", self._shown(self._issue)),
            Route("/deliveries", self._shown(self._deliveries)),
            Route("/_static/avatar.svg", lambda _request: Response(_AVATAR, media_type="image/svg+xml")),
        ]

    def _shown(
        self, page: Callable[[Request], tuple[str, dict[str, Any]] | None]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            def locked() -> Response:
                with self._jira.lock:
                    made = page(request)
                    if made is None:
                        return PlainTextResponse("There is no such page.", 404)
                    name, values = made
                    html = self._templates.get_template(name).render(jira=self._jira, **values)
                    return HTMLResponse(html, 200, _HEADERS)

            return await run_in_threadpool(locked)

        return answer

    def _projects(self, _request: Request) -> tuple[str, dict[str, Any]]:
        by_project = [
            (project, [it for it in self._jira.store.issues if it.project_id == project.id][-_SHOWN:])
            for project in self._jira.store.projects
        ]
        return "projects.html", {"projects": by_project}

    def _issue(self, request: Request) -> tuple[str, dict[str, Any]] | None:
        issue = self._jira.issue(request.path_params["key"])
        if issue is None:
            return None
        store = self._jira.store
        return "issue.html", {
            "issue": issue,
            "links": [it for it in store.links if it.issue_id == issue.id],
            "comments": self._jira.comments_on(issue),
            "changes": [it for it in store.changes if it.issue_id == issue.id],
        }

    def _deliveries(self, _request: Request) -> tuple[str, dict[str, Any]]:
        return "deliveries.html", {"deliveries": list(self._jira.store.deliveries)[: -_SHOWN - 1 : -1]}

"""The web application: REST, control requests and pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from jira_standin import api
from jira_standin.answers import canned
from jira_standin.calls import Call
from jira_standin.control import Control
from jira_standin.pages import Pages
from standin.application import METHODS, Application

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from jira_standin.jira import Jira
    from standin.gate import Gate


def application(jira: Jira, log: Path | None = None, exchanges: Path | None = None) -> Gate:
    """Return the addresses of one stand-in; see `standin.application.Application`."""

    async def rest(request: Request) -> Response:
        return await made.answer(request, "jira", api.respond)

    made = Application[Call](
        jira,
        partial(Call, jira),
        lambda call: (call.actor.account_id, "user") if call.actor else ("", "anonymous"),
        jira.now,
        canned,
        [Route("/rest/{path:path}", rest, methods=METHODS), *Pages(jira).routes()],
        partial(Control, jira),
        webhooks="jira webhook",
        log=log,
        exchanges=exchanges,
    )
    return made.asgi

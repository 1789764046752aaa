"""A deployment with Jira in one process: its stand-in without a server beside that of GitHub."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jira_standin import api
from jira_standin.calls import Call
from jira_standin.control import Control
from jira_standin.jira import Jira
from pullwright.errors import GitHubUnavailable
from pullwright.github.transport import Request, Response
from pullwright.jira.client import JiraClient
from standin.faults import Faults
from tests.unit.jira_delivery_kit import LABEL, PROJECT
from tests.unit.pipeline_kit import Deployment
from tests.unit.reconcile_kit import SweptDeployment
from tests.unit.test_reporting import Reporting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pullwright.services import Services

SITE = "http://jira.test"
GROUP = "developers"
EMAIL, TOKEN = "pullwright@acme.example", "token-of-ours"
DOWN = Response(503, {}, None)
LIMITED = Response(429, {"retry-after": "120"}, None)


class JiraSite:
    """The stand-in as a transport.

    `before` holds answers to give instead, each once, by method and the path's end; None is no answer.
    """

    def __init__(self, folder: Path) -> None:
        self.now: Callable[[], float] = time.time
        self._jira = Jira(folder, SITE, self._now)
        self._control = Control(self._jira, Faults(), deque())
        self.slept: list[float] = []
        self.seen: list[tuple[str, str]] = []
        self.before: list[tuple[str, str, Response | None]] = []
        self.token = TOKEN
        self.ours = self.person(EMAIL, "Pullwright", token=TOKEN)
        self.member = self.person("mia@acme.example", "Mia", token="token-of-mia")
        self.stranger = self.person("otto@acme.example", "Otto", token="token-of-otto")
        self.control("PUT", f"/groups/{GROUP}", {"members": [self.member]})
        self.control("PUT", f"/projects/{PROJECT}", {"name": "Shop"})

    def _now(self) -> float:
        return self.now()

    def close(self) -> None:
        """Close its database."""
        self._jira.close()

    def client(self) -> JiraClient:
        """Return a client as a fresh Lambda environment makes it."""
        return JiraClient(SITE, lambda: (EMAIL, self.token), transport=self, sleep=self.slept.append)

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        parts = urlsplit(request.url)
        path = unquote(parts.path)
        self.seen.append((request.method, path))
        for order in self.before:
            if order[0] == request.method and path.endswith(order[1]):
                self.before.remove(order)
                if order[2] is None:
                    raise GitHubUnavailable("no answer")
                return order[2]
        call = Call(
            jira=self._jira,
            method=request.method,
            path=path,
            query=dict(parse_qsl(parts.query)),
            headers=dict(request.headers),
            content=request.body or b"",
        )
        reply = api.respond(call)
        # Through JSON, as over the network.
        decoded = None if reply.body is None else json.loads(json.dumps(reply.body))
        return Response(reply.status, {name.lower(): value for name, value in reply.headers.items()}, decoded)

    def control(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Make a control request."""
        reply = self._control.respond(
            Call(jira=self._jira, method=method, path=path, content=json.dumps(body).encode())
        )
        assert reply.status < 300, reply.body
        return reply.body

    def person(self, email: str, name: str, *, token: str) -> str:
        """Add a person and return the account id."""
        made = self.control("POST", "/people", {"email": email, "display_name": name, "token": token})
        return str(made["accountId"])

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, who: str = "mia") -> Any:
        """Make a request as a person does, with their token."""
        person = JiraClient(SITE, lambda: (f"{who}@acme.example", f"token-of-{who}"), transport=self)
        return person._call(method, path, "ask", body=body).decoded

    def issue(self, text: str | dict[str, Any] | None = "The total is wrong.", **fields: Any) -> str:
        """Create an issue and return its key."""
        document = text if isinstance(text, dict) or text is None else described(text)
        wanted = {
            "project": {"key": PROJECT},
            "issuetype": {"name": "Task"},
            "summary": "Totals",
            "labels": [LABEL],
            **({"description": document} if document else {}),
            **fields,
        }
        return str(self.ask("POST", "/issue", {"fields": wanted})["key"])

    def edit(self, key: str, *, who: str = "mia", **fields: Any) -> None:
        """Change fields of an issue."""
        self.ask("PUT", f"/issue/{key}", {"fields": fields}, who=who)

    def comments(self, key: str) -> list[Any]:
        """Return the documents of an issue's comments."""
        return [it["body"] for it in self.ask("GET", f"/issue/{key}/comment")["comments"]]

    def links(self, key: str) -> list[Any]:
        """Return an issue's links."""
        return list(self.ask("GET", f"/issue/{key}/remotelink"))

    def last_change(self, key: str) -> int:
        """Return the number of an issue's last change; 0 if it has none."""
        changes = self.ask("GET", f"/issue/{key}/changelog")["values"]
        return int(changes[-1]["id"]) if changes else 0


def described(*lines: str) -> dict[str, Any]:
    """Return a document of paragraphs."""
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return {"type": "doc", "version": 1, "content": paragraphs}


class JiraSide(Deployment):
    """A deployment in which sessions are asked for in Jira."""

    def __init__(self, folder: Path, *more: Any) -> None:
        super().__init__(folder / "github", *more)
        self.jira = JiraSite(folder / "jira")
        self.groups = f"others, {GROUP}"

    def services_of(self, settings: Any) -> Services[Any]:
        """See `Deployment`."""
        with_jira = settings.model_copy(update={"jira_base_url": SITE, "jira_groups": self.groups})
        return replace(super().services_of(with_jira), jira=self.jira.client)

    def asked(self, key: str, account: str = "", **fields: Any) -> dict[str, Any]:
        """Return the request for a label that somebody has just added."""
        change = self.jira.last_change(key)
        issue = {"key": key, "id": "1", "account": account or self.jira.member, "change": change}
        at = datetime.now(UTC).isoformat()
        return {"jira": issue, "label": LABEL, "delivery_id": "d-1", "asked_at": at, **fields}


class JiraDeployment(JiraSide, Reporting):
    """One whose sessions end in the state machine."""


@contextmanager
def mapped(folder: Path) -> Iterator[JiraDeployment]:
    """Provide a repository, and a project in Jira that is mapped to it."""
    made = JiraDeployment(folder)
    made.github.repository()
    yield made
    made.jira.close()


class SweptJira(JiraSide, SweptDeployment):
    """One whose sessions the sweep ends, or reports."""

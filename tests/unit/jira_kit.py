"""The Jira stand-in without any network: an administrator, a developer, a stranger and a project."""

from __future__ import annotations

import base64
import json
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jira_standin import api
from jira_standin.calls import Call
from jira_standin.control import Control
from jira_standin.jira import ADMINISTRATORS, Jira
from local.services import EXCHANGES
from standin.exchanges import Exchanges
from standin.faults import Faults

if TYPE_CHECKING:
    from jira_standin.records import Delivery
    from standin.answers import Reply

NOW = 1_800_000_000.0
ADMIN, DEVELOPER, OUTSIDER = "ada@example.com", "dev@example.com", "out@example.com"
TOKENS = {ADMIN: "admin-token", DEVELOPER: "developer-token", OUTSIDER: "outsider-token"}
PROJECT = "SHOP"


def document(*paragraphs: str) -> dict[str, Any]:
    """Return a document of paragraphs."""
    content = [{"type": "paragraph", "content": [{"type": "text", "text": it}]} for it in paragraphs]
    return {"type": "doc", "version": 1, "content": content}


def basic(email: str, token: str) -> str:
    """Return the value of `Authorization`."""
    return f"Basic {base64.b64encode(f'{email}:{token}'.encode()).decode()}"


@dataclass
class Site:
    """A stand-in with people and a project.

    Attributes:
        accounts: account ids by address.
    """

    jira: Jira
    exchanges: Exchanges
    accounts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path) -> Site:
        """Create the stand-in with three people, two groups and a project."""
        written = os.environ.get(EXCHANGES)
        made = cls(
            Jira(folder, "https://shop.example.net", lambda: NOW),
            Exchanges(Path(written) if written else None),
        )
        for email, token in TOKENS.items():
            person = made.control("POST", "/people", {"email": email, "token": token})
            made.accounts[email] = person.body["accountId"]
        made.control("PUT", f"/groups/{ADMINISTRATORS}", {"members": [made.accounts[ADMIN]]})
        made.control("PUT", "/groups/developers", {"members": [made.accounts[DEVELOPER]]})
        made.control("PUT", f"/projects/{PROJECT}", {"name": "Shop"})
        return made

    def control(self, method: str, path: str, body: object = None) -> Reply:
        """Ask the control API."""
        content = json.dumps(body).encode() if body is not None else b""
        return Control(self.jira, Faults(), deque()).respond(Call(self.jira, method, path, content=content))

    def ask(
        self, method: str, path: str, body: object = None, who: str | None = DEVELOPER, **query: str
    ) -> Reply:
        """Ask the REST API; a path without `/rest` is one of version 3."""
        path = path if path.startswith("/rest") else f"/rest/api/3{path}"
        headers = {"authorization": basic(who, TOKENS[who])} if who else {}
        content = json.dumps(body).encode() if body is not None else b""
        call = Call(self.jira, method, path, query, headers, content)
        reply = api.respond(call)
        self.exchanges.answered("jira", "user" if call.actor else "anonymous", call, reply)
        return reply

    def get(self, path: str, who: str = DEVELOPER, **query: str) -> Any:
        """Ask for something that is there."""
        reply = self.ask("GET", path, who=who, **query)
        assert reply.status == 200, reply.body
        return reply.body

    def create(self, summary: str = "Broken till", who: str = DEVELOPER, **fields: Any) -> str:
        """Create an issue and return its key."""
        all_fields = {"project": {"key": PROJECT}, "issuetype": {"name": "Bug"}, "summary": summary, **fields}
        reply = self.ask("POST", "/issue", {"fields": all_fields}, who)
        assert reply.status == 201, reply.body
        return str(reply.body["key"])

    def hook(self, **more: Any) -> Reply:
        """Create a webhook as the administrator does."""
        events = ["jira:issue_created", "jira:issue_updated", "jira:issue_deleted"]
        body = {"name": "Sessions", "url": "https://hooks.example.com/jira", "events": events, **more}
        return self.ask("POST", "/rest/webhooks/1.0/webhook", body, ADMIN)

    @property
    def deliveries(self) -> list[Delivery]:
        """What waits to be delivered or was, oldest first."""
        found = list(self.jira.store.deliveries)
        for delivery in found:
            self.exchanges.delivered({}, delivery.payload, "jira webhook")
        return found

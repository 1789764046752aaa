"""People on the Jira stand-in: they act through the same REST API as people on Jira Cloud do."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import urllib3

from local.people import StandInError

ADMINISTRATORS = "jira-administrators"
_HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=60), retries=False)


def _call(url: str, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
    response = _HTTP.request(
        method,
        url + path,
        body=None if body is None else json.dumps(body),
        headers={"Content-Type": "application/json", "User-Agent": "pullwright-local", **headers},
    )
    text = response.data.decode()
    if response.status >= 400:  # noqa: PLR2004 - HTTP's own boundary
        raise StandInError(method, path, response.status, text)
    return json.loads(text) if text else None


def document(*paragraphs: str) -> dict[str, Any]:
    """Return a document of paragraphs."""
    content = [{"type": "paragraph", "content": [{"type": "text", "text": it}]} for it in paragraphs]
    return {"type": "doc", "version": 1, "content": content}


@dataclass(frozen=True)
class JiraPerson:
    """Somebody with an account on the stand-in."""

    url: str
    email: str
    token: str = field(repr=False)
    account_id: str

    def rest(self, method: str, path: str, body: object = None) -> Any:
        """Call the REST API as this person.

        Args:
            path: from the site's root, or from version 3 of the API, such as `/issue/SHOP-1`.
        """
        path = path if path.startswith("/rest") else f"/rest/api/3{path}"
        credentials = base64.b64encode(f"{self.email}:{self.token}".encode()).decode()
        return _call(self.url, method, path, body, {"Authorization": f"Basic {credentials}"})

    def open_issue(self, project: str, summary: str, *paragraphs: str, labels: tuple[str, ...] = ()) -> str:
        """Open an issue and return its key."""
        fields: dict[str, Any] = {"project": {"key": project}, "issuetype": {"name": "Task"}}
        fields |= {"summary": summary, "labels": list(labels)}
        if paragraphs:
            fields["description"] = document(*paragraphs)
        return str(self.rest("POST", "/issue", {"fields": fields})["key"])

    def label(self, key: str, label: str, verb: str = "add") -> None:
        """Add a label to an issue, or `remove` it."""
        self.rest("PUT", f"/issue/{key}", {"update": {"labels": [{verb: label}]}})

    def comments(self, key: str) -> list[dict[str, Any]]:
        """Return an issue's comments, oldest first."""
        return list(self.rest("GET", f"/issue/{key}/comment")["comments"])

    def links(self, key: str) -> list[dict[str, Any]]:
        """Return an issue's remote links."""
        return list(self.rest("GET", f"/issue/{key}/remotelink"))


@dataclass(frozen=True)
class JiraSite:
    """A running stand-in.

    Attributes:
        url: its root, such as `http://127.0.0.1:4100`: `jira_url` of `stack.json`.
    """

    url: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API.

        Args:
            path: without `/_standin`.
        """
        return _call(self.url, method, f"/_standin{path}", body, {})

    def join(self, email: str, *groups: str) -> JiraPerson:
        """Create an account, or give it another token if it is there, and put it into groups."""
        token = secrets.token_urlsafe(24)
        person = self.control("POST", "/people", {"email": email, "token": token})
        made = JiraPerson(self.url, email, token, person["accountId"])
        for name in groups:
            self.control("PUT", f"/groups/{name}", {"add": [made.account_id]})
        return made

    def project(self, key: str, **permissions: list[str]) -> None:
        """Have a project.

        Args:
            permissions: names of the groups that have a permission, by its key.
        """
        self.control("PUT", f"/projects/{key}", {"permissions": permissions})

    def settle(self) -> None:
        """Wait until no webhook is due."""
        self.control("POST", "/quiet")

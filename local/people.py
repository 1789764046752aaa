"""People on the GitHub stand-in: they act through the same REST API as people on GitHub do."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

import urllib3

LAG_SECONDS = 1.5
_HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=60), retries=False)


class StandInError(RuntimeError):
    """The stand-in refused a request."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path} answered {status}: {body}")
        self.status = status
        self.body = body


def call(url: str, method: str, path: str, body: object = None, *, token: str | None = None) -> Any:
    """Send one JSON request to the stand-in and return what it answered.

    Args:
        url: root of the stand-in, such as `http://127.0.0.1:4000`.
        path: from the root, with the leading slash.

    Raises:
        StandInError: the answer's status is 400 or above.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "pullwright-local"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    response = _HTTP.request(
        method, url + path, body=None if body is None else json.dumps(body), headers=headers
    )
    text = response.data.decode()
    if response.status >= 400:  # noqa: PLR2004 - HTTP's own boundary
        raise StandInError(method, path, response.status, text)
    return json.loads(text) if text else None


def set_lags(url: str, status: int | None) -> None:
    """Have the stand-in accept new tokens and show new objects after a delay, or at once.

    Args:
        status: what a new token is answered with: 401, 403 or 404; None for no lag.
    """
    seconds = 0.0 if status is None else LAG_SECONDS
    lags = {"token_lag": seconds, "token_status": status or 401, "read_lag": seconds}
    call(url, "PUT", "/_standin/lags", lags)


@dataclass(frozen=True)
class Person:
    """Somebody with an account on the stand-in."""

    url: str
    login: str
    token: str

    @classmethod
    def join(cls, url: str, login: str) -> Person:
        """Create the account, or give it a new token if it is there."""
        token = f"ghp_{secrets.token_hex(18)}"
        call(url, "POST", "/_standin/users", {"login": login, "token": token})
        return cls(url, login, token)

    def rest(self, method: str, path: str, body: object = None) -> Any:
        """Call the REST API as this person.

        Args:
            path: from the API's root, such as `/repos/o/r/issues`.
        """
        return call(self.url, method, f"/api/v3{path}", body, token=self.token)

    def open_issue(self, repository: str, title: str, body: str) -> int:
        """Open an issue and return its number."""
        number = self.rest("POST", f"/repos/{repository}/issues", {"title": title, "body": body})["number"]
        return int(number)

    def label(self, repository: str, issue: int, label: str) -> None:
        """Add a label to an issue, which is what starts a session."""
        self.rest("POST", f"/repos/{repository}/issues/{issue}/labels", {"labels": [label]})

"""Jira's refusals, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin.answers import Refusal, Reply

if TYPE_CHECKING:
    from standin.faults import Fault

FAILED = {"X-Seraph-Loginreason": "AUTHENTICATED_FAILED"}
"""What tells a client that its credentials are wrong, where Jira answers as to a stranger.

https://support.servicenow.com/kb?id=kb_article_view&sysparm_article=KB2942093, and for what strangers never
get https://github.com/atlassian/gajira-login/issues/59.
"""


class JiraError(Refusal):
    """A refusal in Jira's shape, an `ErrorCollection`.

    Args:
        errors: sentences by the name of the field that they are about.
    """

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = messages
        self.errors = errors or {}
        self.headers = headers or {}

    def reply(self) -> Reply:
        """Return the answer to send."""
        body: dict[str, Any] = {"errorMessages": list(self.messages), "errors": self.errors}
        return Reply(self.status, body, dict(self.headers))


class UnauthenticatedError(Refusal):
    """A stranger asks for what strangers never get; Jira's front end says so in plain text."""

    def reply(self) -> Reply:
        """Return the answer to send."""
        text = "Client must be authenticated to access this resource."
        return Reply(401, text, {"WWW-Authenticate": 'OAuth realm="jira"'}, "text/plain; charset=utf-8")


def no_issue() -> JiraError:
    """Return the answer about an issue that is not there, and as well about one that must not be seen."""
    return JiraError(404, "Issue does not exist or you do not have permission to see it.")


def no_route() -> JiraError:
    """Return the answer for an address that the stand-in does not have; Jira's own is a page."""
    return JiraError(404, "The Jira stand-in has no such address; its README lists those that it has.")


def field(name: str, message: str) -> JiraError:
    """Return a 400 about one field."""
    return JiraError(400, errors={name: message})


def canned(fault: Fault) -> Reply:
    """Return the answer of an ordered failure."""
    status = fault.status or 500
    if fault.body is not None:
        return Reply(status, fault.body, dict(fault.headers))
    return JiraError(status, f"Ordered failure {status}.", headers=dict(fault.headers)).reply()

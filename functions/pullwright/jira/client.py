"""Jira's REST API, as far as it is needed: https://developer.atlassian.com/cloud/jira/platform/rest/v3/."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import ValidationError

from pullwright.errors import (
    GitHubUnavailable,
    JiraIssueNotFound,
    JiraRateLimited,
    JiraRefused,
    JiraUnavailable,
    PullwrightError,
)
from pullwright.github.transport import Request, Response, Transport, Urllib3Transport
from pullwright.jira.payloads import Change, Comment, Group, Issue, Payload, Person
from pullwright.json_object import as_object

PATIENCE_SECONDS = 10.0
PROPERTY = "pullwright"
"""Key of the property by which our comment is found again."""
_API = "/rest/api/3"
_FIELDS = "summary,description,labels,creator"
# Nothing else waits longer for Jira: what it does not take now, the sweep tells it.
_READ_SECONDS = 6.0
_PAUSES = (0.5, 1.5)
_PAGE = 100
_MOST = 1_000
_LONGEST_WORDS = 300
_SERVER_ERROR, _ERROR = 500, 400
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_PayloadT = TypeVar("_PayloadT", bound=Payload)


class JiraClient:
    """Reads issues and tells them what becomes of them.

    Args:
        site: address of the site, without a slash at the end.
        credentials: gives e-mail address and API token; asked before the first request.
    """

    def __init__(
        self,
        site: str,
        credentials: Callable[[], tuple[str, str]],
        *,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.site = site
        self._credentials = credentials
        self._transport = transport if transport is not None else Urllib3Transport(_READ_SECONDS)
        self._sleep = sleep
        self._authorization = ""

    def issue(self, key: str) -> Issue:
        """Read an issue, by its key or by one that it had before it was moved.

        Raises:
            JiraIssueNotFound: there is none, or our account does not see it.
        """
        return self._get(f"/issue/{key}?fields={_FIELDS}", "read the issue", Issue)

    def changes(self, key: str) -> Iterator[Change]:
        """Yield an issue's history, oldest first."""
        return self._pages(f"/issue/{key}/changelog", "read the issue's history", "values", Change)

    def comments(self, key: str) -> Iterator[Comment]:
        """Yield an issue's comments, the newest first."""
        return self._pages(
            f"/issue/{key}/comment?orderBy=-created", "read the issue's comments", "comments", Comment
        )

    def person(self, account: str) -> Person | None:
        """Read an account; None if there is none."""
        path = f"/user?{urlencode({'accountId': account})}"
        response = self._call("GET", path, "read an account", allow={_NOT_FOUND})
        return None if response.status == _NOT_FOUND else _parse(Person, response.decoded, "read an account")

    def groups(self, account: str) -> list[Group]:
        """Return the groups that an account is in."""
        path, what = f"/user/groups?{urlencode({'accountId': account})}", "read an account's groups"
        response = self._call("GET", path, what, allow={_NOT_FOUND})
        found = response.decoded if response.status != _NOT_FOUND else []
        return [_parse(Group, group, what) for group in (found if isinstance(found, list) else [])]

    def myself(self) -> Person:
        """Return our own account."""
        return self._get("/myself", "read our own account", Person)

    def put_link(self, key: str, link: Mapping[str, Any]) -> None:
        """Make a remote link, or change the one with the same `globalId`."""
        # Asked twice it does the same as once.
        self._call("POST", f"/issue/{key}/remotelink", "link the pull request", body=link, may_repeat=True)

    def has_property(self, comment: str) -> bool:
        """Return whether a comment has the property by which ours are known."""
        path = f"/comment/{comment}/properties/{PROPERTY}"
        return self._call("GET", path, "read a comment's property", allow={_NOT_FOUND}).status != _NOT_FOUND

    def create_comment(self, key: str, document: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        """Write a comment with our property.

        Args:
            value: of the property.
        """
        body = {"body": document, "properties": [{"key": PROPERTY, "value": value}]}
        self._call("POST", f"/issue/{key}/comment", "comment on the issue", body=body)

    def update_comment(self, key: str, comment: str, document: Mapping[str, Any]) -> bool:
        """Change a comment; False if it is not there any more."""
        path = f"/issue/{key}/comment/{comment}"
        response = self._call("PUT", path, "edit a comment", body={"body": document}, allow={_NOT_FOUND})
        return response.status != _NOT_FOUND

    def _get(self, path: str, what: str, model: type[_PayloadT]) -> _PayloadT:
        return _parse(model, self._call("GET", path, what).decoded, what)

    def _pages(self, path: str, what: str, name: str, model: type[_PayloadT]) -> Iterator[_PayloadT]:
        """Read a list page by page, a thousand things at most.

        Args:
            name: of the list in its page.
        """
        start = 0
        while start < _MOST:
            mark = "&" if "?" in path else "?"
            page = as_object(
                self._call("GET", f"{path}{mark}startAt={start}&maxResults={_PAGE}", what).decoded
            )
            found, total = page.get(name), page.get("total")
            if not isinstance(found, list) or not isinstance(total, int):
                raise JiraRefused(f"Jira's answer could not be read when asked to {what}.")
            yield from (_parse(model, item, what) for item in found)
            start += len(found)
            if not found or start >= total:
                return

    def _call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: Mapping[str, Any] | None = None,
        allow: Collection[int] = (),
        may_repeat: bool = False,
    ) -> Response:
        """Make one request, again where that does no harm.

        Args:
            path: below the API's root.
            what: what is asked for, as it stands in "Jira refused to …".
            allow: statuses that the caller wants to see itself.

        Raises:
            JiraUnavailable, JiraRateLimited, JiraRefused, JiraIssueNotFound: Jira did not do it.
        """
        pauses = iter(_PAUSES if may_repeat or method != "POST" else ())
        patience = PATIENCE_SECONDS
        while True:
            try:
                response = self._transport.send(self._request(method, path, body))
            except GitHubUnavailable as error:
                # The transport is the one to GitHub.
                failure: PullwrightError = JiraUnavailable("Jira did not answer.")
                failure.__cause__ = error
            else:
                if response.status < _ERROR or (response.status in allow and not is_stranger(response)):
                    return response
                failure = _failure(response, what)
                if isinstance(failure, JiraRefused):
                    # The token may have been replaced: whoever asks next reads the secret again.
                    self._authorization = ""
            if isinstance(failure, JiraRateLimited) and failure.retry_after <= patience:
                # A refused request was not carried out.
                patience -= max(failure.retry_after, 1.0)
                self._sleep(failure.retry_after)
            elif isinstance(failure, JiraUnavailable) and (pause := next(pauses, None)) is not None:
                self._sleep(pause)
            else:
                raise failure

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> Request:
        if not self._authorization:
            email, token = self._credentials()
            self._authorization = authorization(email, token)
        headers = {
            "accept": "application/json",
            "authorization": self._authorization,
            "user-agent": "pullwright",
            **({} if body is None else {"content-type": "application/json"}),
        }
        encoded = None if body is None else json.dumps(body).encode()
        return Request(method, f"{self.site}{_API}{path}", headers, encoded)


def browse_url(site: str, key: str) -> str:
    """Return the address of an issue's page."""
    return f"{site}/browse/{key}"


def authorization(email: str, token: str) -> str:
    """Return the header by which an account signs in.

    https://developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis/
    """
    return f"Basic {b64encode(f'{email}:{token}'.encode()).decode()}"


def is_stranger(response: Response) -> bool:
    """Return whether Jira did not know us: with a wrong token it answers as to anybody, often with 404.

    https://support.atlassian.com/confluence/kb/confluence-access-logs-x-seraph-loginreason-header/
    """
    return "AUTHENTICATED_FAILED" in response.headers.get("x-seraph-loginreason", "")


def _failure(response: Response, what: str) -> PullwrightError:
    status = response.status
    if status == _TOO_MANY:
        # https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
        text = response.headers.get("retry-after", "")
        return JiraRateLimited(
            "Jira's rate limit is used up.", retry_after=float(text) if text.isdigit() else 60.0
        )
    if status >= _SERVER_ERROR:
        return JiraUnavailable(f"Jira answered with {status}.")
    if status == _UNAUTHORIZED or is_stranger(response):
        return JiraRefused(
            "Jira does not take this Pullwright's API token: it has expired, or its account is deactivated.",
            remedy="Ask the operator to store a new token with `pullwright jira setup`.",
        )
    if status == _NOT_FOUND:
        return JiraIssueNotFound(
            "Jira has no such issue, or does not show it to the account of this Pullwright."
        )
    return JiraRefused(f"Jira refused to {what} ({status}): {words(response.decoded)}")


def words(decoded: Any) -> str:
    """Return what Jira says in an `ErrorCollection`."""
    said = as_object(decoded)
    messages = said.get("errorMessages")
    lines = [str(line) for line in (messages if isinstance(messages, list) else [])]
    lines += [f"{name}: {line}" for name, line in as_object(said.get("errors")).items()]
    return " ".join(lines)[:_LONGEST_WORDS] or "it gave no reason."


def _parse(model: type[_PayloadT], decoded: Any, what: str) -> _PayloadT:
    try:
        return model.model_validate(decoded)
    except ValidationError as error:
        raise JiraRefused(f"Jira's answer could not be read when asked to {what}.") from error

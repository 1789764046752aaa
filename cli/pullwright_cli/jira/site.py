"""A site in Jira Cloud, asked by one account: https://developer.atlassian.com/cloud/jira/platform/rest/v3/."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pullwright.errors import GitHubUnavailable, NotInOrder
from pullwright.github.transport import Request, Transport, Urllib3Transport
from pullwright.jira.client import authorization, is_stranger, words
from pullwright.log import hide
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Collection

API = "/rest/api/3"
_ERROR, _UNAUTHORIZED = 400, 401


class JiraError(CliError):
    """Jira does not answer, or refuses."""

    def __init__(self, message: str) -> None:
        super().__init__(message, NotInOrder.exit_code)


class Site:
    """One site and one account.

    Args:
        url: of the site, without a slash at the end.
        token: an API token of the account.
    """

    def __init__(self, url: str, email: str, token: str, transport: Transport | None = None) -> None:
        hide(token)
        self.url = url
        self.email = email
        self._authorization = authorization(email, token)
        self._transport = transport or Urllib3Transport()

    def get(self, path: str, absent: Collection[int] = (), **query: str | int) -> Any:
        """Read something; None where the answer's status is one of `absent`.

        Args:
            path: from the site's root.
        """
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path, None, absent)

    def send(self, method: str, path: str, body: object) -> Any:
        """Change something and return the answer."""
        return self._send(method, path, body, ())

    def _send(self, method: str, path: str, body: object, absent: Collection[int]) -> Any:
        headers = {
            "accept": "application/json",
            "authorization": self._authorization,
            "content-type": "application/json",
            "user-agent": "pullwright",
        }
        encoded = None if body is None else json.dumps(body).encode()
        try:
            response = self._transport.send(Request(method, self.url + path, headers, encoded))
        except GitHubUnavailable:
            # The transport is the one to GitHub.
            raise JiraError(f"{self.url} does not answer: check JiraBaseUrl and the network") from None
        if is_stranger(response) or response.status == _UNAUTHORIZED:
            raise JiraError(
                f"{self.url} does not take the API token of {self.email}: it has expired, belongs to another "
                "account, or the account is deactivated. Make one at "
                "https://id.atlassian.com/manage-profile/security/api-tokens and run `pullwright jira setup`"
            )
        if response.status in absent:
            return None
        if response.status >= _ERROR:
            asked = path.partition("?")[0]
            raise JiraError(
                f"{self.url} refused {method} {asked} ({response.status}): {words(response.decoded)}"
            )
        return response.decoded

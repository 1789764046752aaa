"""One authenticated line to GitHub: what is sent with every request, what is repeated, and what never is."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import ValidationError

from pullwright.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable, PullwrightError
from pullwright.github.payloads import Payload
from pullwright.github.refusals import FORBIDDEN, UNAUTHORIZED, graphql_refusal, refusal
from pullwright.github.transport import Request, Response, Transport, Urllib3Transport
from pullwright.github.urls import GitHubUrls

TokenProvider = Callable[[], str]
PayloadT = TypeVar("PayloadT", bound=Payload)

JSON = "application/vnd.github+json"
# Texts come as they were written and as they are rendered, both of the same version.
# https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types
RENDERED = "application/vnd.github.full+json"
PATIENCE_SECONDS = 20.0
PAGE_SIZE = 100
_PAUSES = (0.5, 1.5)
_ERROR = 400
# Asked twice these do the same as once; a POST that got a 502 may have been carried out.
_REPEATABLE = frozenset({"GET", "PATCH", "PUT", "DELETE"})
_REDIRECTS = frozenset({301, 302, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_MAX_REDIRECTS = 3


class Connection:
    """Sends requests with a token, waits where GitHub asks for it, and turns refusals into our errors.

    Args:
        api_url: root of the REST API, see `GitHubUrls.of`.
        token: gives the token to send; asked before every request.
        forget_token: called when GitHub refuses the token, so that `token` gives a new one; the request is
            then made once more.
        granted: the permissions the token has, if known: tells a missing one from another refusal.
        transport: the network.
        sleep: waits so many seconds.
        patience: seconds that one call may spend on waiting for a rate limit.
    """

    def __init__(
        self,
        api_url: str,
        token: TokenProvider,
        *,
        forget_token: Callable[[], None] | None = None,
        granted: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.urls = GitHubUrls.of(api_url)
        self._token = token
        self._forget_token = forget_token
        self._granted = granted
        self._transport = transport if transport is not None else Urllib3Transport()
        self._sleep = sleep
        self._patience = patience

    def call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: Any = None,
        allow: Collection[int] = (),
        accept: str = JSON,
        changes_nothing: bool = False,
    ) -> Response:
        """Makes one request.

        Args:
            method: HTTP method.
            path: below the REST root, with its query.
            what: what is asked for, as it stands in "GitHub refused to …".
            body: sent as JSON.
            allow: statuses of 300 and more that the caller wants to see itself.
            accept: media type of the answer.
            changes_nothing: a POST that only asks, and so may be repeated.

        Raises:
            PullwrightError: GitHub did not do it; see `pullwright.github.refusals`.
        """
        url, may_repeat = self.urls.rest + path, changes_nothing or method in _REPEATABLE
        return self._call(method, url, what, body=body, allow=allow, accept=accept, may_repeat=may_repeat)

    def get(self, path: str, what: str, model: type[PayloadT]) -> PayloadT:
        """Reads one thing."""
        return parse(model, self.call("GET", path, what).decoded, what)

    def find(
        self,
        path: str,
        what: str,
        model: type[PayloadT],
        absent: Collection[int] = (404,),
        *,
        accept: str = JSON,
    ) -> PayloadT | None:
        """Reads one thing that may be absent."""
        response = self.call("GET", path, what, allow=absent, accept=accept)
        return None if response.status in absent else parse(model, response.decoded, what)

    def pages(self, path: str, what: str, model: type[PayloadT], *, limit: int = 1_000) -> Iterator[PayloadT]:
        """Reads a list, page by page, at most `limit` things."""
        for page in range(1, -(-limit // PAGE_SIZE) + 1):
            mark = "&" if "?" in path else "?"
            query = urlencode({"per_page": PAGE_SIZE, "page": page})
            found = self.call("GET", f"{path}{mark}{query}", what).decoded
            if not isinstance(found, list):
                raise GitHubRefused(f"GitHub answered no list when asked to {what}.")
            yield from (parse(model, item, what) for item in found)
            if len(found) < PAGE_SIZE:
                return

    def graphql(self, query: str, variables: Mapping[str, Any], what: str) -> Any:
        """Makes one GraphQL request and returns its `data`."""
        body = {"query": query, "variables": dict(variables)}
        answer = self._call("POST", self.urls.graphql, what, body=body).decoded
        if not isinstance(answer, dict) or answer.get("errors"):
            raise graphql_refusal(what, answer.get("errors", []) if isinstance(answer, dict) else [])
        return answer.get("data")

    def _call(
        self,
        method: str,
        url: str,
        what: str,
        *,
        body: Any = None,
        allow: Collection[int] = (),
        accept: str = JSON,
        may_repeat: bool = False,
    ) -> Response:
        patience = self._patience
        pauses = iter(_PAUSES if may_repeat else ())
        may_renew = self._forget_token is not None
        while True:
            response = None
            try:
                response = self._follow(method, url, what, body=body, allow=allow, accept=accept)
            except GitHubUnavailable as unavailable:
                error: PullwrightError = unavailable
            else:
                if response.status < _ERROR or response.status in allow:
                    return response
                error = refusal(what, response, self._granted)
            if isinstance(error, GitHubRateLimited) and error.retry_after <= patience:
                patience -= max(error.retry_after, 1.0)
                self._sleep(error.retry_after)
            elif isinstance(error, GitHubUnavailable) and (pause := next(pauses, None)) is not None:
                self._sleep(pause)
            elif may_renew and _is_about_token(response, error):
                # A refused request was not carried out, so even a POST may be made again.
                may_renew = False
                self._renew()
            else:
                raise error

    def _renew(self) -> None:
        if self._forget_token is not None:
            self._forget_token()

    def _follow(
        self, method: str, url: str, what: str, *, body: Any, allow: Collection[int], accept: str
    ) -> Response:
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._transport.send(self._request(method, url, body, accept))
            if response.status not in _REDIRECTS or response.status in allow:
                return response
            target = response.headers.get("location", "")
            # The token goes nowhere but to the API it belongs to.
            if not target.startswith(self.urls.rest + "/"):
                break
            if method != "GET" and response.status not in _KEEPS_METHOD:
                break
            url = target
        raise GitHubRefused(f"GitHub redirected us astray when asked to {what}.")

    def _request(self, method: str, url: str, body: Any, accept: str) -> Request:
        headers = {
            "accept": accept,
            "authorization": f"Bearer {self._token()}",
            "user-agent": "pullwright",
            "x-github-api-version": "2022-11-28",
        }
        if body is None:
            return Request(method, url, headers)
        headers["content-type"] = "application/json"
        return Request(method, url, headers, json.dumps(body).encode())


def _is_about_token(response: Response | None, error: PullwrightError) -> bool:
    refused = response is not None and response.status in {UNAUTHORIZED, FORBIDDEN}
    return refused and not isinstance(error, GitHubRateLimited)


def parse(model: type[PayloadT], decoded: Any, what: str) -> PayloadT:
    """Reads an answer.

    Raises:
        GitHubRefused: it lacks a field that GitHub documents.
    """
    try:
        return model.model_validate(decoded)
    except ValidationError as error:
        raise GitHubRefused(f"GitHub's answer made no sense when asked to {what}.") from error

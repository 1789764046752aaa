"""Authenticated requests to GitHub: what each carries, which are repeated, and which never."""

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import ValidationError

from pullwright.errors import (
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    PermissionMissing,
    PullwrightError,
)
from pullwright.github.fresh import Fresh, Waits
from pullwright.github.pace import Pace
from pullwright.github.payloads import Payload
from pullwright.github.refusals import (
    FORBIDDEN,
    NOT_FOUND,
    UNAUTHORIZED,
    graphql_errors,
    graphql_limit,
    graphql_refusal,
    refusal,
)
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
_OK = 200
_GONE = (404, 410)
_REPOSITORY = re.compile(r"/repos/[^/]+/[^/?]+")


class Connection:
    """Sends requests with a token, waits where GitHub asks for it, and turns refusals into our errors.

    Args:
        api_url: root of the REST API, see `GitHubUrls.of`.
        token: gives the token to send; asked before every request.
        forget_token: called when GitHub refuses the token, so that `token` gives a new one; the request is
            then made once more.
        granted: the permissions the token has, if known: tells a missing one from another refusal.
        patience: seconds that one call may spend on waiting for a rate limit.
        fresh: knows what GitHub may not know yet; calls that meet it wait.
        pace: knows when GitHub may be asked.
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
        fresh: Fresh | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.urls = GitHubUrls.of(api_url)
        self._token = token
        self._forget_token = forget_token
        self._granted = granted
        self._transport = transport if transport is not None else Urllib3Transport()
        self._sleep = sleep
        self._patience = patience
        self.fresh = fresh if fresh is not None else Fresh()
        self.pace = pace if pace is not None else Pace(sleep=sleep)
        self.reaches_repository = False

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
        about: Collection[str] = (),
        may_be_absent: bool = False,
        is_content: bool = False,
    ) -> Response:
        """Make one request.

        Args:
            path: below the REST root, with its query.
            what: what is asked for, as it stands in "GitHub refused to …".
            allow: statuses of 300 and more that the caller wants to see itself.
            changes_nothing: a POST that only asks, and so may be repeated.
            about: the things that the request names and that may be new, see `Fresh.made`.
            may_be_absent: 404 is as good an answer as any other.
            is_content: it counts as content, see `pullwright.github.budget`.

        Raises:
            PullwrightError: GitHub did not do it; see `pullwright.github.refusals`.
        """
        url, may_repeat = self.urls.rest + path, changes_nothing or method in _REPEATABLE
        waits = Waits(self.fresh, self._sleep, what)
        early = _Early(self, waits, path, allow=allow, about=about, may_be_absent=may_be_absent)
        return self._call(
            *(method, url, what, early),
            body=body,
            allow=allow,
            accept=accept,
            may_repeat=may_repeat,
            is_content=is_content,
        )

    def text_elsewhere(self, path: str, what: str, *, end_bytes: int) -> str | None:
        """Return the end of a text that GitHub redirects to, which is read without our token.

        Where such texts are, a request with foreign credentials is refused:
        https://github.com/KnpLabs/php-github-api/issues/1156.

        Returns:
            None if there is none any more.
        """
        response = self.call("GET", path, what, allow=(302, *_GONE), may_be_absent=True)
        target = response.headers.get("location", "")
        scheme = self.urls.rest.partition("//")[0]
        if response.status in _GONE or not target.startswith(("https://", f"{scheme}//")):
            return None
        headers = {"user-agent": "pullwright"}
        found = self._transport.send(Request("GET", target, headers, end_bytes=end_bytes))
        return found.decoded if found.status == _OK and isinstance(found.decoded, str) else None

    def get(self, path: str, what: str, model: type[PayloadT], about: Collection[str] = ()) -> PayloadT:
        """Read one thing."""
        return parse(model, self.call("GET", path, what, about=about).decoded, what)

    def find(
        self,
        path: str,
        what: str,
        model: type[PayloadT],
        absent: Collection[int] = (404,),
        *,
        accept: str = JSON,
        about: Collection[str] = (),
        may_be_absent: bool = False,
    ) -> PayloadT | None:
        """Read one thing that may be absent."""
        response = self.call(
            "GET", path, what, allow=absent, accept=accept, about=about, may_be_absent=may_be_absent
        )
        return None if response.status in absent else parse(model, response.decoded, what)

    def pages(
        self,
        path: str,
        what: str,
        model: type[PayloadT],
        *,
        limit: int = 1_000,
        accept: str = JSON,
        about: Collection[str] = (),
    ) -> Iterator[PayloadT]:
        """Read a list, page by page, at most `limit` things."""
        for page in range(1, -(-limit // PAGE_SIZE) + 1):
            mark = "&" if "?" in path else "?"
            query = urlencode({"per_page": PAGE_SIZE, "page": page})
            found = self.call("GET", f"{path}{mark}{query}", what, accept=accept, about=about).decoded
            if not isinstance(found, list):
                raise GitHubRefused(f"GitHub did not answer with a list when asked to {what}.")
            yield from (parse(model, item, what) for item in found)
            if len(found) < PAGE_SIZE:
                return

    def graphql(
        self, query: str, variables: Mapping[str, Any], what: str, about: Collection[str] = ()
    ) -> Any:
        """Make one GraphQL request and return its `data`."""
        body = {"query": query, "variables": dict(variables)}
        waits = Waits(self.fresh, self._sleep, what)
        early = _Early(self, waits, "", about=about)
        while True:
            response = self._call("POST", self.urls.graphql, what, early, body=body)
            answer = response.decoded
            if isinstance(answer, dict) and not answer.get("errors"):
                return answer.get("data")
            errors = graphql_errors(answer)
            if not self.fresh.may_be_unknown(errors, about, reaches=self.reaches_repository):
                raise graphql_refusal(what, response)
            waits.wait()

    def _call(
        self,
        method: str,
        url: str,
        what: str,
        early: "_Early",
        *,
        body: Any = None,
        allow: Collection[int] = (),
        accept: str = JSON,
        may_repeat: bool = False,
        is_content: bool = False,
    ) -> Response:
        patience = self._patience
        pauses = iter(_PAUSES if may_repeat else ())
        may_renew = self._forget_token is not None
        while True:
            response = None
            try:
                self.pace.begin(is_content=is_content)
                response = self._follow(method, url, what, body=body, allow=allow, accept=accept)
            except (GitHubUnavailable, GitHubRateLimited) as not_answered:
                error: PullwrightError = not_answered
            else:
                refused = self._refusal(url, what, response)
                if refused is None:
                    early.succeeded()
                    return response
                if early.is_to_be_repeated(response, refused):
                    continue
                if response.status in allow and not isinstance(refused, GitHubRateLimited):
                    return response
                error = refused
            if isinstance(error, GitHubRateLimited) and error.retry_after <= patience:
                patience -= max(error.retry_after, 1.0)
                self._sleep(error.retry_after)
            elif isinstance(error, GitHubUnavailable) and (pause := next(pauses, None)) is not None:
                self._sleep(pause)
            elif not (may_renew and _is_about_token(response, error)):
                raise error
            else:
                # A refused request was not carried out, so even a POST may be made again.
                may_renew = False
                self._renew()

    def _refusal(self, url: str, what: str, response: Response) -> PullwrightError | None:
        """Return the error that an answer stands for; note a rate limit for all sessions."""
        error: PullwrightError | None = graphql_limit(response) if url == self.urls.graphql else None
        if error is None and response.status >= _ERROR:
            error = refusal(what, response, self._granted)
        return self.pace.limited(error) if isinstance(error, GitHubRateLimited) else error

    def lacks_permission(self, error: PullwrightError) -> bool:
        """Return whether a refusal is about a permission that the token was never given."""
        return self._granted is not None and isinstance(error, PermissionMissing)

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
        raise GitHubRefused(f"GitHub redirected to an unexpected address when asked to {what}.")

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


class _Early:
    """Repeats one call while GitHub may not have caught up yet.

    Args:
        path: below the REST root; empty for GraphQL.
        allow: statuses of 400 and more that are answers.
        about: what may be new.
        may_be_absent: 404 is as good an answer as any other.
    """

    def __init__(
        self,
        connection: Connection,
        waits: Waits,
        path: str,
        *,
        allow: Collection[int] = (),
        about: Collection[str] = (),
        may_be_absent: bool = False,
    ) -> None:
        self._connection = connection
        self._waits = waits
        self._repository = _REPOSITORY.match(path)
        self._allow = allow
        self._about = about
        self._looked = may_be_absent

    def succeeded(self) -> None:
        """Note that the token reaches the repository."""
        if self._repository is not None:
            self._connection.reaches_repository = True

    def is_to_be_repeated(self, response: Response, error: PullwrightError) -> bool:
        """Wait if GitHub may not have caught up yet; return False if the answer is final.

        Raises:
            GitHubUnavailable: it has been waited for long enough.
        """
        connection = self._connection
        if isinstance(error, GitHubRateLimited) or connection.lacks_permission(error):
            return False
        if not connection.fresh.misses(response, self._about):
            if not connection.fresh.refuses_token(response):
                return False
            if response.status == NOT_FOUND and NOT_FOUND in self._allow:
                return self._is_absence_doubtful()
        self._waits.wait()
        return True

    def _is_absence_doubtful(self) -> bool:
        """Return whether to ask again for something absent, because the token may not work yet."""
        if self._repository is None:
            return False
        if not self._connection.reaches_repository:
            # Any token may read this; the call waits until it does.
            self._connection.call("GET", self._repository[0], "read the repository")
            return True
        if self._looked:
            return False
        self._looked = True
        self._waits.wait()
        return True


def _is_about_token(response: Response | None, error: PullwrightError) -> bool:
    refused = response is not None and response.status in {UNAUTHORIZED, FORBIDDEN}
    return refused and isinstance(error, GitHubRefused | PermissionMissing)


def parse(model: type[PayloadT], decoded: Any, what: str) -> PayloadT:
    """Read an answer.

    Raises:
        GitHubRefused: it lacks a field that GitHub documents.
    """
    try:
        return model.model_validate(decoded)
    except ValidationError as error:
        raise GitHubRefused(f"GitHub's answer could not be read when asked to {what}.") from error

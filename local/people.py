"""People on the GitHub stand-in: they act through the same REST API as people on GitHub do."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import urllib3

if TYPE_CHECKING:
    from collections.abc import Sequence

LAG_SECONDS = 1.5
_THREADS = """query($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) {
  pullRequest(number: $number) { reviewThreads(first: 100) { nodes { id isResolved isOutdated path line
    comments(first: 100) { nodes { fullDatabaseId body author { login } } } } } } } }"""
_RESOLVE = "mutation($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) { thread { id } } }"
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

    def commit(
        self, repository: str, branch: str, files: dict[str, str | None], message: str = "Work"
    ) -> str:
        """Commit files on a branch as a push does, and return the commit.

        Args:
            branch: made from the default branch if it is not there.
            files: texts by path; None removes a file.
        """
        api = f"/repos/{repository}"
        try:
            head = self.rest("GET", f"{api}/git/ref/heads/{quote(branch)}")["object"]["sha"]
            is_new = False
        except StandInError:
            default = self.rest("GET", api)["default_branch"]
            head = self.rest("GET", f"{api}/git/ref/heads/{default}")["object"]["sha"]
            is_new = True
        tree = self.rest("GET", f"{api}/git/commits/{head}")["tree"]["sha"]
        entries = [
            {"path": path, "mode": "100644", "type": "blob"}
            | ({"sha": None} if text is None else {"content": text})
            for path, text in files.items()
        ]
        tree = self.rest("POST", f"{api}/git/trees", {"base_tree": tree, "tree": entries})["sha"]
        body = {"message": message, "tree": tree, "parents": [head]}
        made = str(self.rest("POST", f"{api}/git/commits", body)["sha"])
        if is_new:
            self.rest("POST", f"{api}/git/refs", {"ref": f"refs/heads/{branch}", "sha": made})
        else:
            self.rest("PATCH", f"{api}/git/refs/heads/{quote(branch)}", {"sha": made})
        return made

    def open_pull(self, repository: str, head: str, title: str, base: str = "main", **more: Any) -> int:
        """Open a pull request and return its number.

        Args:
            head: a branch, or `owner:branch` of a fork.
            more: such as `body` and `draft`.
        """
        body = {"title": title, "head": head, "base": base, **more}
        return int(self.rest("POST", f"/repos/{repository}/pulls", body)["number"])

    def merge(self, repository: str, number: int, method: str = "merge") -> str:
        """Merge a pull request and return the commit on the base.

        Args:
            method: `merge`, `squash` or `rebase`.
        """
        path = f"/repos/{repository}/pulls/{number}/merge"
        return str(self.rest("PUT", path, {"merge_method": method})["sha"])

    def review(
        self,
        repository: str,
        number: int,
        event: str,
        body: str = "",
        comments: Sequence[dict[str, Any]] = (),
    ) -> int:
        """Submit a review and return its id.

        Args:
            event: `APPROVE`, `REQUEST_CHANGES` or `COMMENT`.
            comments: each with `path`, `line` and `body`, and what else GitHub's API takes.
        """
        path = f"/repos/{repository}/pulls/{number}/reviews"
        return int(self.rest("POST", path, {"event": event, "body": body, "comments": list(comments)})["id"])

    def reply(self, repository: str, number: int, comment: int, body: str) -> int:
        """Answer the first comment of a review's thread and return the answer's id."""
        path = f"/repos/{repository}/pulls/{number}/comments/{comment}/replies"
        return int(self.rest("POST", path, {"body": body})["id"])

    def threads(self, repository: str, number: int) -> list[dict[str, Any]]:
        """Return the threads of a pull request's reviews, 100 at most, as GraphQL has them."""
        owner, _, name = repository.partition("/")
        answer = self.graphql(_THREADS, owner=owner, name=name, number=number)
        return list(answer["repository"]["pullRequest"]["reviewThreads"]["nodes"])

    def resolve(self, thread: str) -> None:
        """Resolve a thread.

        Args:
            thread: its GraphQL id.
        """
        self.graphql(_RESOLVE, thread=thread)

    def graphql(self, query: str, **variables: Any) -> Any:
        """Call the GraphQL API as this person and return `data`.

        Raises:
            StandInError: the answer has errors.
        """
        body = {"query": query, "variables": variables}
        answer = call(self.url, "POST", "/api/graphql", body, token=self.token)
        if "errors" in answer:
            raise StandInError("POST", "/api/graphql", 200, json.dumps(answer["errors"]))
        return answer["data"]

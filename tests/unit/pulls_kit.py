"""The stand-in with an App that hears of everything, and pull requests to work with.

What passes is held against GitHub's own descriptions at the end of the run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from github_standin.declaration import Declaration, Permission
from local.services import EXCHANGES
from tests.unit.github_kit import MAINTAINER, REPO, StandIn, open_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standin.answers import Reply

EVENTS = (
    *("issue_comment", "issues", "pull_request", "push", "commit_comment", "status"),
    *("pull_request_review", "pull_request_review_comment", "pull_request_review_thread"),
    *("check_run", "check_suite", "workflow_run", "repository"),
)
PERMISSIONS = (
    *("actions", "checks", "contents", "issues", "members", "metadata", "pull_requests", "statuses"),
)
THREADS = """query($n: Int!, $after: String) { repository(owner: "octo", name: "app") {
  pullRequest(number: $n) { reviewThreads(first: 2, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes {
    id isResolved isOutdated path line startLine originalLine diffSide resolvedBy { login }
    comments(first: 10) { nodes { fullDatabaseId databaseId body author { login } outdated
      replyTo { fullDatabaseId } } } } } } } }"""
TEN_LINES = "".join(f"line {number}\n" for number in range(1, 11))


def open_pulls(folder: Path) -> Iterator[StandIn]:
    """Yield a stand-in whose App listens to all of these events."""
    permissions = {name: Permission(access="write") for name in PERMISSIONS}
    declaration = Declaration(permissions=permissions, events={event: {} for event in EVENTS})
    written = os.environ.get(EXCHANGES)
    yield from open_lab(folder, declaration, Path(written) if written else None)


def fresh(standin: StandIn, files: dict[str, str] | None = None, **settings: Any) -> None:
    """Make the repository anew, long after the last one: what the App may write in an hour is limited."""
    standin.time[0] += 3_700
    standin.control("DELETE", "/repositories/octo/app")
    body = {
        "full_name": "octo/app",
        "files": files or {"a.txt": TEN_LINES},
        "permissions": {"maintainer": "admin"},
        **settings,
    }
    reply = standin.control("POST", "/repositories", body)
    assert reply.status == 201, reply.body
    standin.forget_deliveries()


def write(
    standin: StandIn,
    files: dict[str, str | None],
    branch: str = "topic",
    token: str = MAINTAINER,
    repo: str = REPO,
) -> str:
    """Commit files on a branch, made from the default branch if it is not there; None removes a file."""
    found = standin.ask("GET", f"{repo}/git/ref/heads/{branch}", token=token)
    is_new = found.status == 404
    if is_new:
        found = standin.ask("GET", f"{repo}/git/ref/heads/main", token=token)
    parent = found.body["object"]["sha"]
    entries = [
        {
            "path": path,
            "mode": "100644",
            "type": "blob",
            **({"sha": None} if text is None else {"content": text}),
        }
        for path, text in files.items()
    ]
    base = standin.get(f"{repo}/git/commits/{parent}", token)["tree"]["sha"]
    tree = standin.ask("POST", f"{repo}/git/trees", {"base_tree": base, "tree": entries}, token)
    assert tree.status == 201, tree.body
    body = {"message": f"Write {', '.join(files)}", "tree": tree.body["sha"], "parents": [parent]}
    sha = standin.ask("POST", f"{repo}/git/commits", body, token).body["sha"]
    if is_new:
        moved = standin.ask("POST", f"{repo}/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha}, token)
    else:
        moved = standin.ask("PATCH", f"{repo}/git/refs/heads/{branch}", {"sha": sha}, token)
    assert moved.status < 300, moved.body
    return str(sha)


def with_line(number: int, text: str, of: str = TEN_LINES) -> str:
    """Return a text with one line replaced, or removed by an empty one."""
    lines = of.splitlines(keepends=True)
    lines[number - 1] = text
    return "".join(lines)


def payloads(standin: StandIn, event: str) -> list[dict[str, Any]]:
    """Return the payloads of an event that were queued, oldest first."""
    return [it.payload for it in standin.world.store.deliveries if it.event == event]


def review(standin: StandIn, number: int, token: str = MAINTAINER, **body: Any) -> Reply:
    """Send a review."""
    return standin.ask("POST", f"{REPO}/pulls/{number}/reviews", body, token)


def comments(standin: StandIn, number: int, **query: str) -> list[dict[str, Any]]:
    """Return the comments in a pull request's threads."""
    found: list[dict[str, Any]] = standin.ask("GET", f"{REPO}/pulls/{number}/comments", **query).body
    return found


def threads(standin: StandIn, number: int, after: str | None = None) -> dict[str, Any]:
    """Return a page of a pull request's threads."""
    answer = standin.graphql(THREADS, MAINTAINER, n=number, after=after)
    found: dict[str, Any] = answer["data"]["repository"]["pullRequest"]["reviewThreads"]
    return found

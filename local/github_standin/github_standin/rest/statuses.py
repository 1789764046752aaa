"""Statuses of commits, the older form of checks.

https://docs.github.com/en/rest/commits/statuses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import events
from github_standin.answers import invalid, unprocessable
from github_standin.check_records import CommitStatus
from github_standin.permissions import Rule
from github_standin.routing import Router
from github_standin.shapes import repositories, statuses
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Repository

ROUTER = Router()
_READ = Rule("statuses", "read", "read")
_WRITE = Rule("statuses", "write", "write")
_STATES = ("error", "failure", "pending", "success")
_COMMIT = "/repos/{owner}/{repo}/commits/{ref:path}"


@ROUTER.on("POST", "/repos/{owner}/{repo}/statuses/{sha}")
def create_status(call: Call) -> Reply:
    """Give a commit a status of some context."""
    repository = call.repository(_WRITE)
    sha, state = call.params["sha"], call.text("state")
    if call.git(repository).type_of(sha) != "commit":
        raise unprocessable(f"No commit found for SHA: {sha}")
    if state not in _STATES:
        raise invalid("Status", "invalid", field="state")
    status = call.github.store.statuses.put(
        CommitStatus(
            id=call.github.store.next_id("status"),
            repository_id=repository.id,
            sha=sha,
            state=state,
            context=call.maybe_text("context") or "default",
            description=call.maybe_text("description"),
            target_url=call.maybe_text("target_url"),
            user_id=call.account().id,
            created_at=call.github.now(),
        )
    )
    events.status_event(call.github, repository, status, call.account())
    return Reply(201, statuses.status(call.github, repository, status))


def _on(call: Call, repository: Repository) -> tuple[str, list[CommitStatus]]:
    sha = call.git(repository).resolve(call.params["ref"])
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {call.params['ref']}")
    place = (repository.id, sha)
    return sha, [it for it in call.github.store.statuses if (it.repository_id, it.sha) == place]


@ROUTER.on("GET", f"{_COMMIT}/statuses")
def list_statuses(call: Call) -> Reply:
    """List a commit's statuses, newest first."""
    repository = call.repository(_READ)
    found = _on(call, repository)[1]
    return call.page(found[::-1], lambda status: statuses.status(call.github, repository, status))


@ROUTER.on("GET", f"{_COMMIT}/status")
def combined_status(call: Call) -> Reply:
    """Return the newest status of each context, and what they come to."""
    repository = call.repository(_READ)
    sha, found = _on(call, repository)
    newest = list({status.context: status for status in found}.values())
    states = {status.state for status in newest}
    combined = "failure" if states & {"failure", "error"} else "pending"
    if states == {"success"}:
        combined = "success"
    url = call.github.links.repo(repository, f"/commits/{sha}")
    shown, headers = call.slice(newest)
    body: dict[str, Any] = {
        "state": combined,
        "statuses": [statuses.status(call.github, repository, status) for status in shown],
        "sha": sha,
        "total_count": len(newest),
        "repository": repositories.repository(call.github, repository),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Reply(200, body, headers)

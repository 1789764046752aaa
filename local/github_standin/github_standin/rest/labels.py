"""Labels of issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import changes
from github_standin.answers import ApiError, invalid, unprocessable
from github_standin.permissions import MANAGE_ISSUES
from github_standin.records import Issue, Label
from github_standin.routing import Router
from github_standin.shapes import repositories
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Repository

ROUTER = Router()
_LONGEST = 50
_ISSUE = "/repos/{owner}/{repo}/issues/{number}"


def ensure_labels(call: Call, repository: Repository, names: list[str]) -> list[str]:
    """Return labels as the repository spells them; missing ones are made, as GitHub does.

    Raises:
        ApiError: 422, a name cannot be one.
    """
    existing = {label.name.lower(): label.name for label in repository.labels}
    spelled = []
    for name in names:
        if not name.strip() or len(name) > _LONGEST:
            raise invalid("Label", "invalid", field="name")
        if name.lower() not in existing:
            repository.labels.append(Label(id=call.github.store.next_id("label"), name=name))
            call.github.store.repositories.put(repository)
            existing[name.lower()] = name
        if existing[name.lower()] not in spelled:
            spelled.append(existing[name.lower()])
    return spelled


def _shape(call: Call, repository: Repository, issue: Issue) -> list[Any]:
    return repositories.labels(call.github, repository, issue.labels)


def _asked(call: Call, repository: Repository) -> list[str]:
    # Besides {"labels": [...]}, GitHub takes a bare list.
    if call.content.lstrip().startswith(b"["):
        call.content = b'{"labels":' + call.content + b"}"
    names = call.texts("labels")
    if names is None:
        raise unprocessable('Invalid request.\n\n"labels" wasn\'t supplied.')
    return ensure_labels(call, repository, names)


@ROUTER.on("POST", f"{_ISSUE}/labels")
def add_labels(call: Call) -> Reply:
    """Add labels; those that are there already cause no event."""
    repository, issue = call.issue(MANAGE_ISSUES)
    names = _asked(call, repository)
    changes.set_labels(
        call, repository, issue, issue.labels + [name for name in names if name not in issue.labels]
    )
    return Reply(200, _shape(call, repository, issue))


@ROUTER.on("DELETE", f"{_ISSUE}/labels/{{name:path}}")
def remove_label(call: Call) -> Reply:
    """Remove one label."""
    repository, issue = call.issue(MANAGE_ISSUES)
    wanted = call.params["name"].lower()
    kept = [name for name in issue.labels if name.lower() != wanted]
    if len(kept) == len(issue.labels):
        raise ApiError(404, "Label does not exist")
    changes.set_labels(call, repository, issue, kept)
    return Reply(200, _shape(call, repository, issue))

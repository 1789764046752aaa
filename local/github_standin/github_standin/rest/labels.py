"""Labels of repositories and of issues."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from github_standin import changes
from github_standin.answers import ApiError, Reply, invalid, not_found, unprocessable
from github_standin.permissions import MANAGE_ISSUES, READ_ISSUES, WRITE_PULLS, Rule
from github_standin.records import Issue, Label
from github_standin.routing import Router
from github_standin.shapes import repositories

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Repository

ROUTER = Router()
_LONGEST = 50
_COLOR = re.compile(r"[0-9a-fA-F]{6}")
_CREATE = Rule("issues", "write", WRITE_PULLS.role, or_pulls=True)
_ISSUE = "/repos/{owner}/{repo}/issues/{number}"


def ensure_labels(call: Call, found: Repository, names: list[str]) -> list[str]:
    """Return labels as the repository spells them; missing ones are made, as GitHub does.

    Raises:
        ApiError: 422, a name cannot be one.
    """
    existing = {it.name.lower(): it.name for it in found.labels}
    spelled = []
    for name in names:
        if not name.strip() or len(name) > _LONGEST:
            raise invalid("Label", "invalid", field="name")
        if name.lower() not in existing:
            _make(call, found, name)
            existing[name.lower()] = name
        if existing[name.lower()] not in spelled:
            spelled.append(existing[name.lower()])
    return spelled


def _make(call: Call, found: Repository, name: str, color: str = "ededed", text: str | None = None) -> Label:
    made = Label(id=call.github.store.next_id("label"), name=name, color=color, description=text)
    found.labels.append(made)
    call.github.store.repositories.put(found)
    return made


@ROUTER.on("GET", "/repos/{owner}/{repo}/labels")
def list_repository_labels(call: Call) -> Reply:
    """List a repository's labels."""
    found = call.repository(READ_ISSUES)
    return call.page(found.labels, lambda it: repositories.label(call.github, found, it))


@ROUTER.on("POST", "/repos/{owner}/{repo}/labels")
def create_label(call: Call) -> Reply:
    """Make a label."""
    found = call.repository(_CREATE)
    name, color = call.text("name"), call.maybe_text("color") or "ededed"
    if any(it.name.lower() == name.lower() for it in found.labels):
        raise invalid("Label", "already_exists", field="name")
    if not _COLOR.fullmatch(color):
        raise invalid("Label", "invalid", field="color")
    ensure_labels(call, found, [name])
    made = next(it for it in found.labels if it.name == name)
    made.color, made.description = color, call.maybe_text("description")
    call.github.store.repositories.put(found)
    return Reply(201, repositories.label(call.github, found, made))


@ROUTER.on("GET", "/repos/{owner}/{repo}/labels/{name:path}")
def get_label(call: Call) -> Reply:
    """Return one of a repository's labels."""
    found = call.repository(READ_ISSUES)
    for it in found.labels:
        if it.name.lower() == call.params["name"].lower():
            return Reply(200, repositories.label(call.github, found, it))
    raise not_found()


def _shape(call: Call, found: Repository, it: Issue) -> list[Any]:
    return repositories.labels(call.github, found, it.labels)


@ROUTER.on("GET", f"{_ISSUE}/labels")
def list_labels(call: Call) -> Reply:
    """List an issue's labels."""
    found, it = call.issue(READ_ISSUES)
    return call.page(_shape(call, found, it), lambda label: label)


def _asked(call: Call, found: Repository) -> list[str]:
    # Besides {"labels": [...]}, GitHub takes a bare list.
    if call.content.lstrip().startswith(b"["):
        call.content = b'{"labels":' + call.content + b"}"
    names = call.texts("labels")
    if names is None:
        raise unprocessable('Invalid request.\n\n"labels" wasn\'t supplied.')
    return ensure_labels(call, found, names)


@ROUTER.on("POST", f"{_ISSUE}/labels")
def add_labels(call: Call) -> Reply:
    """Add labels; those that are there already cause no event."""
    found, it = call.issue(MANAGE_ISSUES)
    names = _asked(call, found)
    changes.set_labels(call, found, it, it.labels + [name for name in names if name not in it.labels])
    return Reply(200, _shape(call, found, it))


@ROUTER.on("PUT", f"{_ISSUE}/labels")
def set_labels(call: Call) -> Reply:
    """Replace all labels."""
    found, it = call.issue(MANAGE_ISSUES)
    changes.set_labels(call, found, it, _asked(call, found))
    return Reply(200, _shape(call, found, it))


@ROUTER.on("DELETE", f"{_ISSUE}/labels")
def clear_labels(call: Call) -> Reply:
    """Remove all labels."""
    found, it = call.issue(MANAGE_ISSUES)
    changes.set_labels(call, found, it, [])
    return Reply(204)


@ROUTER.on("DELETE", f"{_ISSUE}/labels/{{name:path}}")
def remove_label(call: Call) -> Reply:
    """Remove one label."""
    found, it = call.issue(MANAGE_ISSUES)
    wanted = call.params["name"].lower()
    kept = [name for name in it.labels if name.lower() != wanted]
    if len(kept) == len(it.labels):
        raise ApiError(404, "Label does not exist")
    changes.set_labels(call, found, it, kept)
    return Reply(200, _shape(call, found, it))

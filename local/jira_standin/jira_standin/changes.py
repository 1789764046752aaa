"""What is done to issues: each change has an entry in the changelog and an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_standin import events
from jira_standin.adf import text
from jira_standin.records import Change, Issue

if TYPE_CHECKING:
    from jira_standin.jira import Jira
    from jira_standin.records import Person, Project

Item = dict[str, str | None]


def create(jira: Jira, project: Project, person: Person, values: dict[str, Any]) -> Issue:
    """Create an issue.

    Args:
        values: `summary`, `description`, `labels` and `type`.
    """
    now = jira.now()
    made = jira.store.issues.put(
        Issue(
            id=jira.store.next_id("issue"),
            key=jira.next_key(project),
            project_id=project.id,
            creator=person.account_id,
            created_at=now,
            updated_at=now,
            **values,
        )
    )
    events.tell(jira, events.CREATED, made, person.account_id)
    return made


def edit(jira: Jira, issue: Issue, person: Person, values: dict[str, Any]) -> None:
    """Change fields of an issue; nothing is told where nothing changes.

    Args:
        values: new ones of `summary`, `description` and `labels`.
    """
    items: list[Item] = []
    for name, new in values.items():
        old = getattr(issue, name)
        if new != old:
            setattr(issue, name, new)
            items.append(_item(name, _shown(old), _shown(new)))
    _record(jira, issue, person, items)


def move(jira: Jira, issue: Issue, person: Person, project: Project) -> None:
    """Move an issue to another project, where it gets another key."""
    old_project = jira.store.projects[issue.project_id]
    old, new = issue.key, jira.next_key(project)
    issue.former_keys.append(old)
    issue.key, issue.project_id = new, project.id
    items = [_item("project", old_project.name, project.name), {**_item("Key", old, new)}]
    items[0] |= {"from": str(old_project.id), "to": str(project.id)}
    del items[1]["fieldId"]
    _record(jira, issue, person, items)


def delete(jira: Jira, issue: Issue, person: Person) -> None:
    """Delete an issue with all that is on it."""
    events.tell(jira, events.DELETED, issue, person.account_id)
    for table in (jira.store.comments, jira.store.links, jira.store.changes):
        for it in table:
            if it.issue_id == issue.id:
                table.delete(it.id)
    jira.store.issues.delete(issue.id)


def _record(jira: Jira, issue: Issue, person: Person, items: list[Item]) -> None:
    if not items:
        return
    issue.updated_at = jira.now()
    jira.store.issues.put(issue)
    change = jira.store.changes.put(
        Change(
            id=jira.store.next_id("change"),
            issue_id=issue.id,
            author=person.account_id,
            at=issue.updated_at,
            items=items,
        )
    )
    events.tell(jira, events.UPDATED, issue, person.account_id, change)


def _item(name: str, old: str | None, new: str | None) -> Item:
    return {
        "field": name,
        "fieldtype": "jira",
        "fieldId": name,
        "from": None,
        "fromString": old,
        "to": None,
        "toString": new,
    }


def _shown(value: Any) -> str | None:
    if isinstance(value, list):
        return " ".join(value)
    return text(value) if isinstance(value, dict) else value

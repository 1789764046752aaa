"""Who asks, and what they may do."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from jira_standin.jira import ADMINISTRATORS

if TYPE_CHECKING:
    from jira_standin.jira import Jira
    from jira_standin.records import Issue, Person, Project

PROJECT = {
    "BROWSE_PROJECTS": ("10", "Browse Projects"),
    "CREATE_ISSUES": ("11", "Create Issues"),
    "EDIT_ISSUES": ("12", "Edit Issues"),
    "ADD_COMMENTS": ("15", "Add Comments"),
    "DELETE_ISSUES": ("16", "Delete Issues"),
    "LINK_ISSUES": ("21", "Link Issues"),
    "EDIT_ALL_COMMENTS": ("34", "Edit All Comments"),
    "EDIT_OWN_COMMENTS": ("35", "Edit Own Comments"),
    "DELETE_ALL_COMMENTS": ("36", "Delete All Comments"),
    "DELETE_OWN_COMMENTS": ("37", "Delete Own Comments"),
}
GLOBAL = {"ADMINISTER": ("0", "Administer Jira"), "USER_PICKER": ("27", "Browse users and groups")}


def authenticate(jira: Jira, header: str | None) -> tuple[Person | None, bool]:
    """Return who a request's `Authorization` names, and whether it is good.

    Jira answers wrong credentials as it answers a stranger, and says so in a header alone.
    """
    if header is None:
        return None, True
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None, False
    try:
        email, _, token = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, False
    person = next((it for it in jira.store.people if it.email.lower() == email.lower()), None)
    if person is None or not person.active or not token or token not in person.tokens:
        return None, False
    return person, True


def administers(jira: Jira, person: Person) -> bool:
    """Tell whether somebody administers Jira."""
    group = jira.group(ADMINISTRATORS)
    return group is not None and person.account_id in group.members


def has(jira: Jira, person: Person, project: Project, permission: str) -> bool:
    """Tell whether somebody has a permission in a project."""
    names = project.permissions.get(permission)
    if names is None:
        return permission not in ("EDIT_ALL_COMMENTS", "DELETE_ALL_COMMENTS") or administers(jira, person)
    return any(group.name in names for group in jira.groups_of(person.account_id))


def sees(jira: Jira, person: Person | None, issue: Issue) -> bool:
    """Tell whether somebody can see an issue; strangers see none."""
    if person is None or not has(jira, person, jira.store.projects[issue.project_id], "BROWSE_PROJECTS"):
        return False
    if issue.security is None:
        return True
    return any(group.name in issue.security for group in jira.groups_of(person.account_id))


def held(jira: Jira, person: Person, project: Project | None, key: str) -> dict[str, object]:
    """Return what `mypermissions` says about one permission; without a project, whether any gives it."""
    if key in GLOBAL:
        number, name = GLOBAL[key]
        kind = "GLOBAL"
        owned = administers(jira, person) if key == "ADMINISTER" else person.browses_people
    else:
        number, name = PROJECT[key]
        kind = "PROJECT"
        projects = list(jira.store.projects) if project is None else [project]
        owned = any(has(jira, person, it, key) for it in projects)
    description = f"{name}."
    return {
        "id": number,
        "key": key,
        "name": name,
        "type": kind,
        "description": description,
        "havePermission": owned,
    }

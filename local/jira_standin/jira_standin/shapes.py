"""What Jira shows of its things.

Args of all:
    version: of the API in the addresses: 3, and 2 in webhooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_standin.adf import text
from jira_standin.times import stamp

if TYPE_CHECKING:
    from jira_standin.jira import Jira
    from jira_standin.records import Change, Comment, Group, Hook, Issue, Project, RemoteLink

_SIZES = ("48x48", "24x24", "16x16", "32x32")


def person(jira: Jira, account_id: str, version: int = 3, *, email: bool = False) -> dict[str, Any]:
    """Return a person as others see them; a deleted account is one that nobody knows."""
    found = jira.person(account_id)
    name = found.display_name if found else "Former user"
    avatars = {size: f"{jira.url}/_static/avatar.svg?size={size.partition('x')[0]}" for size in _SIZES}
    shown: dict[str, Any] = {
        "self": f"{jira.url}/rest/api/{version}/user?accountId={account_id}",
        "accountId": account_id,
        "avatarUrls": avatars,
        "displayName": name,
        "active": bool(found and found.active),
        "timeZone": "Etc/UTC",
        "accountType": "atlassian",
    }
    if email and found:
        shown["emailAddress"] = found.email
    return shown


def group(jira: Jira, it: Group) -> dict[str, Any]:
    """Return a group's name and ids."""
    address = f"{jira.url}/rest/api/3/group?groupId={it.group_id}"
    return {"name": it.name, "groupId": it.group_id, "self": address}


def project(jira: Jira, it: Project, version: int = 3) -> dict[str, Any]:
    """Return a project."""
    return {
        "self": f"{jira.url}/rest/api/{version}/project/{it.id}",
        "id": str(it.id),
        "key": it.key,
        "name": it.name,
        "projectTypeKey": "software",
        "simplified": False,
    }


def issue(jira: Jira, it: Issue, version: int = 3) -> dict[str, Any]:
    """Return an issue with the fields that the stand-in has.

    Args:
        version: 2 has documents as text.
    """
    root = f"{jira.url}/rest/api/{version}"
    fields: dict[str, Any] = {
        "summary": it.summary,
        "description": it.description if version == 3 else text(it.description) or None,  # noqa: PLR2004 - see above
        "labels": it.labels,
        "issuetype": {"self": f"{root}/issuetype/10001", "id": "10001", "name": it.type, "subtask": False},
        "status": {"self": f"{root}/status/10000", "id": "10000", "name": it.status},
        "project": project(jira, jira.store.projects[it.project_id], version),
        "creator": person(jira, it.creator, version),
        "reporter": person(jira, it.creator, version),
        "created": stamp(it.created_at),
        "updated": stamp(it.updated_at),
    }
    return {"id": str(it.id), "self": f"{root}/issue/{it.id}", "key": it.key, "fields": fields}


def comment(jira: Jira, it: Comment, *, properties: bool = False) -> dict[str, Any]:
    """Return a comment."""
    shown: dict[str, Any] = {
        "self": f"{jira.url}/rest/api/3/issue/{it.issue_id}/comment/{it.id}",
        "id": str(it.id),
        "author": person(jira, it.author),
        "body": it.body,
        "updateAuthor": person(jira, it.update_author),
        "created": stamp(it.created_at),
        "updated": stamp(it.updated_at),
        "jsdPublic": True,
    }
    if it.visibility:
        shown["visibility"] = it.visibility
    if properties:
        shown["properties"] = [{"key": key, "value": value} for key, value in it.properties.items()]
    return shown


def change(jira: Jira, it: Change) -> dict[str, Any]:
    """Return an entry of a changelog."""
    author = person(jira, it.author)
    return {"id": str(it.id), "author": author, "created": stamp(it.at), "items": it.items}


def link(jira: Jira, it: RemoteLink, key: str) -> dict[str, Any]:
    """Return a remote link."""
    return {"id": it.id, "self": f"{jira.url}/rest/api/3/issue/{key}/remotelink/{it.id}", **it.content}


def hook(jira: Jira, it: Hook) -> dict[str, Any]:
    """Return a webhook; its secret is shown to nobody."""
    author = jira.person(it.author)
    return {
        "name": it.name,
        "url": it.url,
        "excludeBody": it.exclude_body,
        "filters": {"issue-related-events-section": it.filter},
        "events": it.events,
        "enabled": it.enabled,
        "isSigned": bool(it.secret),
        "self": f"{jira.url}/rest/webhooks/1.0/webhook/{it.id}",
        "lastUpdatedUser": it.author,
        "lastUpdatedDisplayName": author.display_name if author else "Former user",
        "lastUpdated": int(it.updated_at * 1000),
    }

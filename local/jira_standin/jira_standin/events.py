"""The events of issues that webhooks are about.

https://developer.atlassian.com/cloud/jira/platform/webhooks/#example-callback-for-an-issue-related-event
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_standin import shapes
from jira_standin.jql import projects

if TYPE_CHECKING:
    from jira_standin.jira import Jira
    from jira_standin.records import Change, Issue

CREATED, UPDATED, DELETED = "jira:issue_created", "jira:issue_updated", "jira:issue_deleted"
KNOWN = (CREATED, UPDATED, DELETED)
_KINDS = {CREATED: "issue_created", UPDATED: "issue_generic"}


def tell(jira: Jira, event: str, issue: Issue, account_id: str, change: Change | None = None) -> None:
    """Queue an event for each webhook that wants it.

    Args:
        account_id: who has done it.
        change: what was changed; a new issue has none.
    """
    payload: dict[str, Any] = {"timestamp": int(jira.now() * 1000), "webhookEvent": event}
    if event in _KINDS:
        payload["issue_event_type_name"] = _KINDS[event]
    payload["user"] = shapes.person(jira, account_id, 2)
    payload["issue"] = shapes.issue(jira, issue, 2)
    if change is not None:
        payload["changelog"] = {"id": str(change.id), "items": change.items}
    project = jira.store.projects[issue.project_id].key
    for hook in jira.store.hooks:
        wanted = projects(hook.filter)
        if hook.enabled and event in hook.events and (wanted is None or project in wanted):
            jira.outbox.add(hook, event, issue.key, payload)

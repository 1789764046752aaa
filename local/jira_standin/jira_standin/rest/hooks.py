"""Webhooks of administrators; Atlassian's OpenAPI document does not have them.

https://developer.atlassian.com/cloud/jira/platform/webhooks/#registering-a-webhook-using-the-jira-rest-api--other-integrations-
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jira_standin import events, shapes
from jira_standin.answers import JiraError
from jira_standin.jql import projects
from jira_standin.records import Hook
from jira_standin.rest.router import new_router
from standin.answers import Reply

if TYPE_CHECKING:
    from jira_standin.calls import Call
    from jira_standin.records import Person

ROUTER = new_router()
_HOOKS = "/rest/webhooks/1.0/webhook"
_SECTION = "issue-related-events-section"
_LOOPBACK = ("127.0.0.1", "localhost")


@ROUTER.on("GET", _HOOKS)
def list_hooks(call: Call) -> Reply:
    """Return all webhooks."""
    call.administrator()
    return Reply(200, [shapes.hook(call.jira, it) for it in call.jira.store.hooks])


@ROUTER.on("POST", _HOOKS)
def create(call: Call) -> Reply:
    """Create a webhook."""
    person = call.administrator()
    made = _changed(
        call, person, Hook(id=0, name="", url="", events=[], author="", updated_at=0), call.body()
    )
    made.id = call.jira.store.next_id("hook")
    return Reply(201, shapes.hook(call.jira, call.jira.store.hooks.put(made)))


@ROUTER.on("GET", f"{_HOOKS}/{{hook}}")
def read(call: Call) -> Reply:
    """Return one webhook."""
    call.administrator()
    return Reply(200, shapes.hook(call.jira, _hook(call)))


@ROUTER.on("PUT", f"{_HOOKS}/{{hook}}")
def edit(call: Call) -> Reply:
    """Change a webhook; a secret that is not given stays."""
    person = call.administrator()
    changed = _changed(call, person, _hook(call).model_copy(), call.body())
    return Reply(200, shapes.hook(call.jira, call.jira.store.hooks.put(changed)))


@ROUTER.on("DELETE", f"{_HOOKS}/{{hook}}")
def delete(call: Call) -> Reply:
    """Delete a webhook."""
    call.administrator()
    call.jira.store.hooks.delete(_hook(call).id)
    return Reply(204)


def _hook(call: Call) -> Hook:
    number = call.params["hook"]
    found = next((it for it in call.jira.store.hooks if str(it.id) == number), None)
    if found is None:
        raise JiraError(404, f"No webhook with id {number} exists.")
    return found


def _changed(call: Call, person: Person, hook: Hook, body: dict[str, Any]) -> Hook:
    hook.name = str(body.get("name", hook.name)).strip()
    hook.url = str(body.get("url", hook.url))
    hook.events = list(body.get("events", hook.events))
    hook.filter = str((body.get("filters") or {}).get(_SECTION, hook.filter))
    hook.exclude_body = bool(body.get("excludeBody", hook.exclude_body))
    hook.enabled = bool(body.get("enabled", hook.enabled))
    hook.secret = str(body.get("secret", hook.secret))
    hook.author, hook.updated_at = person.account_id, call.jira.now()
    if not hook.name:
        raise JiraError(400, "The name of the webhook is required.")
    parts = urlsplit(hook.url)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in _LOOPBACK):
        raise JiraError(400, "The URL of the webhook must begin with https://.")
    if unknown := [it for it in hook.events if it not in events.KNOWN]:
        raise JiraError(400, f"The Jira stand-in does not send these events: {', '.join(map(str, unknown))}.")
    projects(hook.filter)
    return hook

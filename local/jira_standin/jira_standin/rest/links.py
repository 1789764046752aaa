"""Remote links: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-remote-links/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_standin import shapes
from jira_standin.answers import JiraError
from jira_standin.records import RemoteLink
from jira_standin.rest.router import ROOT, new_router
from standin.answers import Reply

if TYPE_CHECKING:
    from jira_standin.calls import Call
    from jira_standin.records import Issue

ROUTER = new_router()
_LINKS = f"{ROOT}/issue/{{issue}}/remotelink"
_LONGEST_ID = 255
_KEPT = ("globalId", "application", "relationship", "object")


@ROUTER.on("GET", _LINKS)
def list_links(call: Call) -> Reply:
    """Return all links of an issue, or the one with a global id."""
    issue = call.issue()
    call.person()
    if "globalId" not in call.query:
        return Reply(200, [shapes.link(call.jira, it, issue.key) for it in _links(call, issue)])
    return Reply(200, shapes.link(call.jira, _by_global_id(call, issue), issue.key))


@ROUTER.on("POST", _LINKS)
def put(call: Call) -> Reply:
    """Create a link, or change the one with the same global id; what is not given is then emptied."""
    issue = call.issue()
    refusal = JiraError(403, "No Link Issue Permission for issue.")
    call.need(call.project_of(issue), "LINK_ISSUES", refusal)
    content = _content(call.body())
    global_id = content.get("globalId")
    found = next(
        (it for it in _links(call, issue) if global_id and it.content.get("globalId") == global_id), None
    )
    if found is None:
        number = call.jira.store.next_id("link")
        made = call.jira.store.links.put(RemoteLink(id=number, issue_id=issue.id, content=content))
    else:
        found.content = content
        made = call.jira.store.links.put(found)
    address = f"{call.jira.url}{ROOT}/issue/{issue.key}/remotelink/{made.id}"
    return Reply(200 if found else 201, {"id": made.id, "self": address})


@ROUTER.on("GET", f"{_LINKS}/{{link}}")
def read(call: Call) -> Reply:
    """Return one link."""
    issue = call.issue()
    found = next((it for it in _links(call, issue) if str(it.id) == call.params["link"]), None)
    if found is None:
        raise JiraError(404, f"No remote issue link exists with id '{call.params['link']}'.")
    return Reply(200, shapes.link(call.jira, found, issue.key))


@ROUTER.on("DELETE", _LINKS)
def delete(call: Call) -> Reply:
    """Delete the link with a global id."""
    issue = call.issue()
    refusal = JiraError(403, "No Link Issue Permission for issue.")
    call.need(call.project_of(issue), "LINK_ISSUES", refusal)
    if "globalId" not in call.query:
        raise JiraError(400, "'globalId' is required.")
    call.jira.store.links.delete(_by_global_id(call, issue).id)
    return Reply(204)


def _links(call: Call, issue: Issue) -> list[RemoteLink]:
    return [it for it in call.jira.store.links if it.issue_id == issue.id]


def _by_global_id(call: Call, issue: Issue) -> RemoteLink:
    wanted = call.query["globalId"]
    found = next((it for it in _links(call, issue) if it.content.get("globalId") == wanted), None)
    if found is None:
        raise JiraError(404, f"No remote issue link exists with global id '{wanted}'.")
    return found


def _content(body: dict[str, Any]) -> dict[str, Any]:
    errors = {}
    target = body.get("object")
    target = target if isinstance(target, dict) else {}
    for name in ("title", "url"):
        if not isinstance(target.get(name), str) or not target[name].strip():
            errors[name] = f"'{name}' is required."
    if len(str(body.get("globalId") or "")) > _LONGEST_ID:
        errors["globalId"] = f"'globalId' must have at most {_LONGEST_ID} characters."
    if errors:
        raise JiraError(400, errors=errors)
    return {name: body[name] for name in _KEPT if body.get(name) is not None}

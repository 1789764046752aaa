"""Comments and their properties.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jira_standin import permissions, shapes
from jira_standin.answers import JiraError, field
from jira_standin.records import Comment
from jira_standin.rest.issues import document
from jira_standin.rest.router import ROOT, new_router
from standin.answers import Reply

if TYPE_CHECKING:
    from jira_standin.calls import Call
    from jira_standin.records import Issue

ROUTER = new_router()
_COMMENTS = f"{ROOT}/issue/{{issue}}/comment"
_PROPERTIES = f"{ROOT}/comment/{{comment}}/properties"
_ONE_PAGE = 5_000
_MOST_IDS = 1_000
_LONGEST_KEY = 255
_LONGEST_VALUE = 32_768


@ROUTER.on("GET", _COMMENTS)
def list_comments(call: Call) -> Reply:
    """Return a page of an issue's comments."""
    found = call.jira.comments_on(call.issue())
    order = call.query.get("orderBy", "created")
    if order.lstrip("+-") != "created":
        raise JiraError(400, f"The order by field is not valid: {order}")
    part, place = call.slice(found[::-1] if order.startswith("-") else found, _ONE_PAGE)
    return Reply(200, {**place, "comments": [shapes.comment(call.jira, it) for it in part]})


@ROUTER.on("POST", _COMMENTS)
def add(call: Call) -> Reply:
    """Add a comment."""
    issue = call.issue()
    refusal = JiraError(400, "You do not have the permission to comment on this issue.")
    person = call.need(call.project_of(issue), "ADD_COMMENTS", refusal)
    body = call.body()
    now = call.jira.now()
    made = Comment(
        id=call.jira.store.next_id("comment"),
        issue_id=issue.id,
        author=person.account_id,
        update_author=person.account_id,
        body=_text(call, body),
        visibility=body.get("visibility"),
        properties=_properties(body),
        created_at=now,
        updated_at=now,
    )
    return Reply(201, shapes.comment(call.jira, call.jira.store.comments.put(made)))


@ROUTER.on("GET", f"{_COMMENTS}/{{comment}}")
def read(call: Call) -> Reply:
    """Return one comment."""
    return Reply(200, shapes.comment(call.jira, _comment(call, call.issue())))


@ROUTER.on("PUT", f"{_COMMENTS}/{{comment}}")
def edit(call: Call) -> Reply:
    """Change a comment; its properties that are not named stay."""
    comment = _comment(call, call.issue())
    person = _needed(call, comment, "EDIT")
    body = call.body()
    comment.body = _text(call, body)
    comment.properties |= _properties(body)
    comment.visibility = body.get("visibility", comment.visibility)
    comment.update_author, comment.updated_at = person, call.jira.now()
    return Reply(200, shapes.comment(call.jira, call.jira.store.comments.put(comment)))


@ROUTER.on("DELETE", f"{_COMMENTS}/{{comment}}")
def delete(call: Call) -> Reply:
    """Delete a comment."""
    comment = _comment(call, call.issue())
    _needed(call, comment, "DELETE")
    call.jira.store.comments.delete(comment.id)
    return Reply(204)


@ROUTER.on("POST", f"{ROOT}/comment/list")
def list_by_ids(call: Call) -> Reply:
    """Return comments by their ids, with their properties if the query asks for them."""
    ids = call.body().get("ids")
    if not isinstance(ids, list) or not ids or len(ids) > _MOST_IDS:
        raise JiraError(400, f"The number of ids must be between 1 and {_MOST_IDS}.")
    found = [it for it in call.jira.store.comments if it.id in ids and _is_seen(call, it)]
    with_properties = call.expands("properties")
    return Reply(200, call.page(found, lambda it: shapes.comment(call.jira, it, properties=with_properties)))


@ROUTER.on("GET", _PROPERTIES)
def list_properties(call: Call) -> Reply:
    """Return the keys of a comment's properties."""
    comment = _any_comment(call)
    root = f"{call.jira.url}{ROOT}/comment/{comment.id}/properties"
    return Reply(200, {"keys": [{"self": f"{root}/{key}", "key": key} for key in comment.properties]})


@ROUTER.on("GET", f"{_PROPERTIES}/{{key}}")
def read_property(call: Call) -> Reply:
    """Return one property of a comment."""
    comment, key = _any_comment(call), call.params["key"]
    if key not in comment.properties:
        raise JiraError(404, f"The property with key '{key}' does not exist.")
    return Reply(200, {"key": key, "value": comment.properties[key]})


@ROUTER.on("PUT", f"{_PROPERTIES}/{{key}}")
def write_property(call: Call) -> Reply:
    """Set one property of a comment."""
    comment, key = _any_comment(call), call.params["key"]
    _needed(call, comment, "EDIT")
    is_new = key not in comment.properties
    comment.properties |= _properties({"properties": [{"key": key, "value": call.decoded()}]})
    call.jira.store.comments.put(comment)
    return Reply(201 if is_new else 200, {})


@ROUTER.on("DELETE", f"{_PROPERTIES}/{{key}}")
def delete_property(call: Call) -> Reply:
    """Delete one property of a comment."""
    comment, key = _any_comment(call), call.params["key"]
    _needed(call, comment, "EDIT")
    if comment.properties.pop(key, None) is None:
        raise JiraError(404, f"The property with key '{key}' does not exist.")
    call.jira.store.comments.put(comment)
    return Reply(204)


def _text(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    value = body.get("body")
    if not isinstance(value, dict):
        raise field("comment", "Comment body is not valid!")
    return document(call, "comment", value)


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for it in body.get("properties") or []:
        key, value = it.get("key"), it.get("value")
        if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
            raise JiraError(400, f"The property key must have 1 to {_LONGEST_KEY} characters.")
        if value is None or len(json.dumps(value)) > _LONGEST_VALUE:
            raise JiraError(400, f"The property value must be JSON of at most {_LONGEST_VALUE} characters.")
        made[key] = value
    return made


def _comment(call: Call, issue: Issue) -> Comment:
    number = call.params["comment"]
    found = next((it for it in call.jira.comments_on(issue) if str(it.id) == number), None)
    if found is None:
        raise JiraError(404, f"Can not find a comment for the id: {number}.")
    return found


def _any_comment(call: Call) -> Comment:
    number = call.params["comment"]
    found = next((it for it in call.jira.store.comments if str(it.id) == number), None)
    if found is None or not _is_seen(call, found):
        raise JiraError(404, f"Can not find a comment for the id: {number}.")
    return found


def _is_seen(call: Call, comment: Comment) -> bool:
    return permissions.sees(call.jira, call.actor, call.jira.store.issues[comment.issue_id])


def _needed(call: Call, comment: Comment, verb: str) -> str:
    """Return the account id of who asks, if they may change a comment.

    Args:
        verb: `EDIT` or `DELETE`.
    """
    project = call.project_of(call.jira.store.issues[comment.issue_id])
    whose = "OWN" if call.person().account_id == comment.author else "ALL"
    refusal = JiraError(400, f"You do not have the permission to {verb.lower()} this comment.")
    return call.need(project, f"{verb}_{whose}_COMMENTS", refusal).account_id

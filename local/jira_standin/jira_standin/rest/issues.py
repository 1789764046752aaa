"""Issues: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_standin import changes, shapes
from jira_standin.adf import is_document, text
from jira_standin.answers import JiraError, field
from jira_standin.rest.router import ROOT, new_router
from standin.answers import Reply

if TYPE_CHECKING:
    from jira_standin.calls import Call
    from jira_standin.records import Issue

ROUTER = new_router()
_ISSUE = f"{ROOT}/issue/{{issue}}"
_LONGEST_SUMMARY = 255
_LONGEST_LABEL = 255
_NOT_ON_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
_CHANGELOG_EXPANDED = 100


@ROUTER.on("POST", f"{ROOT}/issue")
def create(call: Call) -> Reply:
    """Create an issue."""
    call.person()
    fields = _fields(call)
    named = fields.pop("project", None)
    wanted = str(named.get("key") or named.get("id")) if isinstance(named, dict) else ""
    project = call.jira.project(wanted)
    if project is None:
        raise field("project", "Specify a valid project ID or key")
    person = call.need(
        project, "CREATE_ISSUES", field("project", "You cannot create issues in this project.")
    )
    kind = fields.pop("issuetype", None)
    values = _values(call, fields)
    if not str(values.get("summary") or "").strip():
        raise field("summary", "You must specify a summary of the issue.")
    if isinstance(kind, dict) and kind.get("name"):
        values["type"] = str(kind["name"])
    elif not isinstance(kind, dict) or "id" not in kind:
        raise field("issuetype", "Specify an issue type")
    made = changes.create(call.jira, project, person, values)
    address = f"{call.jira.url}{ROOT}/issue/{made.id}"
    return Reply(201, {"id": str(made.id), "key": made.key, "self": address})


@ROUTER.on("GET", _ISSUE)
def read(call: Call) -> Reply:
    """Return an issue."""
    issue = call.issue()
    shown = shapes.issue(call.jira, issue)
    if wanted := [name for name in call.query.get("fields", "").split(",") if name]:
        excluded = {name[1:] for name in wanted if name.startswith("-")}
        chosen = {name for name in wanted if not name.startswith("-")}
        everything = not chosen or chosen & {"*all", "*navigable"}
        shown["fields"] = {
            name: value
            for name, value in shown["fields"].items()
            if (everything or name in chosen) and name not in excluded
        }
    if call.expands("changelog"):
        newest = list(reversed(_changes(call, issue)))[:_CHANGELOG_EXPANDED]
        shown["changelog"] = {
            "startAt": 0,
            "maxResults": len(newest),
            "total": len(newest),
            "histories": [shapes.change(call.jira, it) for it in newest],
        }
    return Reply(200, shown)


@ROUTER.on("PUT", _ISSUE)
def edit(call: Call) -> Reply:
    """Change an issue's fields; labels can be added and removed one by one."""
    issue = call.issue()
    body = call.body()
    fields, updates = body.get("fields") or {}, body.get("update") or {}
    if both := sorted(set(fields) & set(updates)):
        raise field(both[0], f"Field '{both[0]}' cannot appear in both 'fields' and 'update'")
    names = sorted({*fields, *updates})
    refusal = JiraError(400, errors={name: _NOT_ON_SCREEN.format(name) for name in names})
    person = call.need(call.project_of(issue), "EDIT_ISSUES", refusal)
    values = _values(call, fields)
    for name, operations in updates.items():
        values[name] = _updated(call, issue, name, operations)
    if "summary" in values and not str(values["summary"] or "").strip():
        raise field("summary", "You must specify a summary of the issue.")
    changes.edit(call.jira, issue, person, values)
    if call.query.get("returnIssue") == "true":
        return Reply(200, shapes.issue(call.jira, issue))
    return Reply(204)


@ROUTER.on("DELETE", _ISSUE)
def delete(call: Call) -> Reply:
    """Delete an issue."""
    issue = call.issue()
    refusal = JiraError(403, "You do not have permission to delete issues in this project.")
    changes.delete(call.jira, issue, call.need(call.project_of(issue), "DELETE_ISSUES", refusal))
    return Reply(204)


@ROUTER.on("GET", f"{_ISSUE}/changelog")
def changelog(call: Call) -> Reply:
    """Return a page of an issue's changelog, oldest first."""
    found = _changes(call, call.issue())
    return Reply(200, call.page(found, lambda it: shapes.change(call.jira, it)))


@ROUTER.on("GET", f"{ROOT}/label")
def labels(call: Call) -> Reply:
    """Return a page of all labels."""
    call.person()
    found = sorted({label for issue in call.jira.store.issues for label in issue.labels})
    page = call.page(found, lambda it: it, most=1000)
    return Reply(200, {name: value for name, value in page.items() if name != "self"})


def _changes(call: Call, issue: Issue) -> list[Any]:
    return [it for it in call.jira.store.changes if it.issue_id == issue.id]


def _fields(call: Call) -> dict[str, Any]:
    fields = call.body().get("fields")
    if not isinstance(fields, dict):
        raise JiraError(
            400, "Can not instantiate value of type [simple type, class IssueUpdateBean]: no fields"
        )
    return dict(fields)


def _values(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(call, name, value) for name, value in fields.items()}


def _value(call: Call, name: str, value: Any) -> Any:
    """Return a field's new value.

    Raises:
        JiraError: 400 with the field.
    """
    if name == "summary":
        if not isinstance(value, str):
            raise field(name, "Operation value must be a string")
        if len(value) > _LONGEST_SUMMARY:
            raise field(name, "Summary can't exceed 255 characters.")
        if "\n" in value or "\r" in value:
            raise field(name, "The summary is invalid because it contains newline characters.")
        return value
    if name == "description":
        if value is None:
            return None
        if not isinstance(value, dict):
            message = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
            raise field(name, message)
        return document(call, name, value)
    if name == "labels":
        if not isinstance(value, list):
            raise field(name, "data was not an array")
        return list(dict.fromkeys(_label(label) for label in value))
    raise field(name, _NOT_ON_SCREEN.format(name))


def document(call: Call, name: str, value: Any) -> dict[str, Any]:
    """Return a document that can be stored.

    Args:
        name: of the field that it is for.

    Raises:
        JiraError: 400, it is no valid document, or it is too long.
    """
    if not isinstance(value, dict) or not is_document(value):
        raise JiraError(400, "INVALID_INPUT")
    longest = call.jira.store.settings.longest_text
    if len(text(value)) > longest:
        raise field(
            name, f"The entered text is too long. It exceeds the allowed limit of {longest:,} characters."
        )
    return value


def _label(value: Any) -> str:
    if not isinstance(value, str):
        raise field("labels", "string expected at index 0")
    if " " in value:
        raise field("labels", f"The label '{value}' contains spaces which is invalid.")
    if not value or len(value) > _LONGEST_LABEL:
        raise field(
            "labels", f"The label '{value}' exceeds the maximum length for labels ({_LONGEST_LABEL})."
        )
    return value


def _updated(call: Call, issue: Issue, name: str, operations: Any) -> Any:
    if name != "labels":
        new = operations[0].get("set") if isinstance(operations, list) and operations else None
        return _value(call, name, new)
    found = list(issue.labels)
    for operation in operations:
        for verb, value in operation.items():
            if verb == "set":
                found = _value(call, name, value)
            elif verb == "add":
                found = list(dict.fromkeys([*found, _label(value)]))
            elif verb == "remove":
                found = [label for label in found if label != value]
            else:
                raise field(name, f"operation '{verb}' is unknown")
    return found

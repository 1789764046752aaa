"""People, their groups and their permissions.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-users/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jira_standin import permissions, shapes
from jira_standin.answers import JiraError
from jira_standin.rest.router import ROOT, new_router
from standin.answers import Reply

if TYPE_CHECKING:
    from jira_standin.calls import Call
    from jira_standin.records import Group, Person, Project

ROUTER = new_router()
_ONE_PAGE = 50


@ROUTER.on("GET", f"{ROOT}/myself")
def myself(call: Call) -> Reply:
    """Return who asks."""
    person = call.person()
    shown = shapes.person(call.jira, person.account_id, email=True)
    groups = [shapes.group(call.jira, it) for it in call.jira.groups_of(person.account_id)]
    shown |= {
        "locale": "en_US",
        "groups": {"size": len(groups), "items": groups if call.expands("groups") else []},
        "applicationRoles": {"size": 1, "items": []},
        "expand": "groups,applicationRoles",
    }
    return Reply(200, shown)


@ROUTER.on("GET", f"{ROOT}/user")
def user(call: Call) -> Reply:
    """Return somebody."""
    return Reply(200, shapes.person(call.jira, _named(call).account_id))


@ROUTER.on("GET", f"{ROOT}/user/groups")
def user_groups(call: Call) -> Reply:
    """Return somebody's groups."""
    found = call.jira.groups_of(_named(call).account_id)
    return Reply(200, [shapes.group(call.jira, it) for it in found])


@ROUTER.on("GET", f"{ROOT}/group/member")
def members(call: Call) -> Reply:
    """Return a page of a group's members; deactivated ones only if the query asks for them."""
    person = call.person()
    if not (person.browses_people or permissions.administers(call.jira, person)):
        raise JiraError(403, "You do not have the permission to view the members of a group.")
    inactive = call.query.get("includeInactiveUsers") == "true"
    people = [call.jira.person(it) for it in _group(call).members]
    found = [it for it in people if it is not None and (it.active or inactive)]
    return Reply(200, call.page(found, lambda it: shapes.person(call.jira, it.account_id), _ONE_PAGE))


@ROUTER.on("GET", f"{ROOT}/mypermissions")
def mypermissions(call: Call) -> Reply:
    """Tell which permissions who asks has, everywhere, in a project or for an issue."""
    person = call.person()
    keys = [key for key in call.query.get("permissions", "").split(",") if key]
    if not keys:
        raise JiraError(400, "The 'permissions' query parameter is required.")
    for key in keys:
        if key not in permissions.PROJECT and key not in permissions.GLOBAL:
            raise JiraError(400, f"Unrecognized permission: {key}")
    project = _place(call, person)
    return Reply(
        200, {"permissions": {key: permissions.held(call.jira, person, project, key) for key in keys}}
    )


def _named(call: Call) -> Person:
    if not call.person().browses_people:
        raise JiraError(403, "You do not have permission to browse users.")
    found = call.jira.person(call.query.get("accountId", ""))
    if found is None:
        raise JiraError(404, "Specified user does not exist or you do not have required permissions")
    return found


def _group(call: Call) -> Group:
    name, number = call.query.get("groupname", ""), call.query.get("groupId", "")
    if not name and not number:
        raise JiraError(400, "The group name or the group ID must be specified.")
    found = call.jira.group(name, number)
    if found is None:
        what = f"named '{name}'" if name else f"with id '{number}'"
        raise JiraError(404, f"The group {what} does not exist.")
    return found


def _place(call: Call, person: Person) -> Project | None:
    """Return the project of a question about permissions, or None for everywhere."""
    issue = call.query.get("issueKey") or call.query.get("issueId")
    if issue:
        call.params["issue"] = issue
        return call.project_of(call.issue())
    wanted = call.query.get("projectKey") or call.query.get("projectId")
    if not wanted:
        return None
    project = call.jira.project(wanted)
    if project is None or not permissions.has(call.jira, person, project, "BROWSE_PROJECTS"):
        raise JiraError(404, f"No project could be found with key '{wanted}'.")
    return project

"""Projects: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-projects/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jira_standin import permissions, shapes
from jira_standin.answers import JiraError
from jira_standin.rest.router import ROOT, new_router
from standin.answers import Reply

if TYPE_CHECKING:
    from jira_standin.calls import Call
    from jira_standin.records import Project

ROUTER = new_router()
_ONE_PAGE = 50


@ROUTER.on("GET", f"{ROOT}/project/search")
def search(call: Call) -> Reply:
    """Return a page of the projects that who asks can see."""
    found = [it for it in call.jira.store.projects if _is_seen(call, it)]
    if keys := call.query.get("keys"):
        found = [it for it in found if it.key in keys.split(",")]
    return Reply(200, call.page(found, lambda it: shapes.project(call.jira, it), _ONE_PAGE))


@ROUTER.on("GET", f"{ROOT}/project/{{project}}")
def read(call: Call) -> Reply:
    """Return a project."""
    wanted = call.params["project"]
    found = call.jira.project(wanted)
    if found is None or not _is_seen(call, found):
        raise JiraError(404, f"No project could be found with key '{wanted}'.")
    return Reply(200, shapes.project(call.jira, found))


def _is_seen(call: Call, project: Project) -> bool:
    return call.actor is not None and permissions.has(call.jira, call.actor, project, "BROWSE_PROJECTS")

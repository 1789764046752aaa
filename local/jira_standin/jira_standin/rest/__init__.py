"""The addresses of the REST API."""

from __future__ import annotations

from jira_standin.rest import comments, hooks, issues, links, people, projects
from jira_standin.rest.router import new_router

ROUTER = new_router()
for part in (issues, comments, links, people, projects, hooks):
    ROUTER.include(part.ROUTER)

"""Workflow runs that an event would have started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.answers import Reply
from github_standin.permissions import Rule
from github_standin.routing import Router
from github_standin.shapes.runs import workflow_run

if TYPE_CHECKING:
    from github_standin.calls import Call

ROUTER = Router()
_READ = Rule("actions", "read", "read")
_FILTERS = {"event": "event", "branch": "head_branch", "head_sha": "head_sha"}


@ROUTER.on("GET", "/repos/{owner}/{repo}/actions/runs")
def list_runs(call: Call) -> Reply:
    """List runs, newest first; they stay queued for ever."""
    repository = call.repository(_READ)
    runs = [run for run in call.github.store.workflow_runs if run.repository_id == repository.id]
    for name, field in _FILTERS.items():
        if name in call.query:
            runs = [run for run in runs if getattr(run, field) == call.query[name]]
    shown, headers = call.slice(runs[::-1])
    shaped = [workflow_run(call.github, repository, run) for run in shown]
    return Reply(200, {"total_count": len(runs), "workflow_runs": shaped}, headers)

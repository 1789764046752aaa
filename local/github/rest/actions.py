"""Workflow runs, as far as they are known: that an event would have started them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.github.answers import Reply
from local.github.links import node_id
from local.github.permissions import Rule
from local.github.routing import Router
from local.github.shapes.accounts import maybe_user
from local.github.times import stamp

if TYPE_CHECKING:
    from local.github.calls import Call

ROUTER = Router()
_READ = Rule("actions", "read", "read")
_FILTERS = {"event": "event", "branch": "head_branch", "head_sha": "head_sha"}


@ROUTER.on("GET", "/repos/{owner}/{repo}/actions/runs")
def list_runs(call: Call) -> Reply:
    """List runs, newest first; they stay queued for ever."""
    found = call.repository(_READ)
    runs = [it for it in call.world.store.workflow_runs if it.repository_id == found.id]
    for name, field in _FILTERS.items():
        if name in call.query:
            runs = [it for it in runs if getattr(it, field) == call.query[name]]
    shown, headers = call.slice(runs[::-1])
    shaped = [
        {
            "id": it.id,
            "node_id": node_id("WFR", it.id),
            "name": it.name,
            "path": it.path,
            "event": it.event,
            "status": "queued",
            "conclusion": None,
            "head_branch": it.head_branch,
            "head_sha": it.head_sha,
            "actor": maybe_user(call.world, it.actor_id),
            "created_at": stamp(it.created_at),
            "url": call.world.links.repo(found, f"/actions/runs/{it.id}"),
            "html_url": call.world.links.page(found, f"/actions/runs/{it.id}"),
        }
        for it in shown
    ]
    return Reply(200, {"total_count": len(runs), "workflow_runs": shaped}, headers)

"""Workflow runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, maybe_user
from github_standin.shapes.repositories import repository
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Repository, WorkflowRun

_ADDRESSES = ("jobs", "logs", "cancel", "rerun", "artifacts")


def workflow_run(github: GitHub, found: Repository, run: WorkflowRun) -> JSON:
    """Return a run as GitHub lists it; none has begun, so none has jobs."""
    commit = github.git(found).commit(run.head_sha)
    runs = [other for other in github.store.workflow_runs if other.repository_id == found.id]
    same = [other for other in runs if other.path == run.path]
    workflow = min(other.id for other in same)
    made, address = stamp(run.created_at), github.links.repo(found, f"/actions/runs/{run.id}")
    shaped = repository(github, found)
    return {
        "id": run.id,
        "node_id": node_id("WFR", run.id),
        "name": run.name,
        "display_title": commit.message.partition("\n")[0],
        "path": run.path,
        "run_number": sum(other.id <= run.id for other in same),
        "run_attempt": 1,
        "workflow_id": workflow,
        "event": run.event,
        "status": "queued",
        "conclusion": None,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": commit.committer.date,
            "author": {"name": commit.author.name, "email": commit.author.email},
            "committer": {"name": commit.committer.name, "email": commit.committer.email},
        },
        "actor": maybe_user(github, run.actor_id),
        "triggering_actor": maybe_user(github, run.actor_id),
        "pull_requests": [],
        "repository": shaped,
        "head_repository": shaped,
        "created_at": made,
        "updated_at": made,
        "run_started_at": made,
        "url": address,
        "html_url": github.links.page(found, f"/actions/runs/{run.id}"),
        **{f"{name}_url": f"{address}/{name}" for name in _ADDRESSES},
        "workflow_url": github.links.repo(found, f"/actions/workflows/{workflow}"),
        "check_suite_url": github.links.repo(found, f"/check-suites/{run.id}"),
    }

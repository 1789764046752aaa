"""Workflow runs, their jobs and logs.

https://docs.github.com/en/rest/actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import logs, runs
from github_standin.answers import forbidden, not_accessible, not_found
from github_standin.permissions import Rule, grants
from github_standin.routing import Router
from github_standin.shapes import checks
from github_standin.shapes.runs import workflow_run
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.check_records import WorkflowRun
    from github_standin.records import Repository

ROUTER = Router()
_READ = Rule("actions", "read", "read")
_WRITE = Rule("actions", "write", "write")
_RUNS = "/repos/{owner}/{repo}/actions/runs"
_FILTERS = {"event": "event", "branch": "head_branch", "head_sha": "head_sha"}


@ROUTER.on("GET", _RUNS)
def list_runs(call: Call) -> Reply:
    """List runs, newest first; `status` is a status or a conclusion."""
    repository = call.repository(_READ)
    found = [run for run in call.github.store.workflow_runs if run.repository_id == repository.id]
    for name, field in _FILTERS.items():
        if name in call.query:
            found = [run for run in found if getattr(run, field) == call.query[name]]
    if "status" in call.query:
        found = [run for run in found if call.query["status"] in (run.status, run.conclusion)]
    shown, headers = call.slice(found[::-1])
    shaped = [workflow_run(call.github, repository, run) for run in shown]
    return Reply(200, {"total_count": len(found), "workflow_runs": shaped}, headers)


def _run(call: Call, rule: Rule) -> tuple[Repository, WorkflowRun]:
    repository = call.repository(rule)
    run = call.github.store.workflow_runs.get(call.number("run"))
    if run is None or run.repository_id != repository.id:
        raise not_found()
    return repository, run


@ROUTER.on("GET", f"{_RUNS}/{{run}}")
def get_run(call: Call) -> Reply:
    """Return one run."""
    return Reply(200, workflow_run(call.github, *_run(call, _READ)))


@ROUTER.on("GET", f"{_RUNS}/{{run}}/jobs")
def list_jobs(call: Call) -> Reply:
    """List a run's jobs: of its latest attempt, or of all."""
    repository, run = _run(call, _READ)
    found = runs.jobs_of(call.github, run, latest=call.query.get("filter", "latest") == "latest")
    shown, headers = call.slice(found)
    shaped = [checks.job(call.github, repository, run, job) for job in shown]
    return Reply(200, {"total_count": len(found), "jobs": shaped}, headers)


@ROUTER.on("GET", "/repos/{owner}/{repo}/actions/jobs/{job}/logs")
def job_logs(call: Call) -> Reply:
    """Redirect to a job's log, which even of a public repository nobody reads without a permission."""
    repository = call.repository(_READ)
    if call.actor.kind == "anonymous":
        raise forbidden("Must have admin rights to Repository.")
    if call.by_app and not grants(call.actor.permissions, "actions", "read"):
        raise not_accessible(_READ.accepted())
    job = call.github.store.check_runs.get(call.number("job"))
    if job is None or job.repository_id != repository.id or job.run_id is None:
        raise not_found()
    return Reply(302, None, {"Location": logs.link(call.github, job)})


@ROUTER.on("POST", f"{_RUNS}/{{run}}/rerun-failed-jobs")
def rerun_failed_jobs(call: Call) -> Reply:
    """Run the failed jobs again, as another attempt of the same run."""
    repository, run = _run(call, _WRITE)
    runs.rerun_failed(call.github, repository, run, call.account())
    return Reply(201, {})

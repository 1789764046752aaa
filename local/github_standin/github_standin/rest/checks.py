"""Check runs, which only an App may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin.answers import Reply, forbidden, unprocessable
from github_standin.links import node_id
from github_standin.permissions import READ_CHECKS, WRITE_CHECKS
from github_standin.records import CheckRun
from github_standin.routing import Router
from github_standin.shapes.accounts import via_app
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Repository

ROUTER = Router()
_STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
_FIELDS = ("external_id", "details_url")
_LONGEST_TEXT = 65_535
_MOST_ANNOTATIONS = 50


def _shape(call: Call, repository: Repository, run: CheckRun) -> dict[str, Any]:
    output = run.fields.get("output") or {}
    url = call.github.links.repo(repository, f"/check-runs/{run.id}")
    return {
        "id": run.id,
        "node_id": node_id("CR", run.id),
        "head_sha": run.head_sha,
        "name": run.name,
        "external_id": run.fields.get("external_id", ""),
        "url": url,
        "html_url": call.github.links.page(repository, f"/runs/{run.id}"),
        "details_url": run.fields.get("details_url"),
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": {
            "title": output.get("title"),
            "summary": output.get("summary"),
            "text": output.get("text"),
            "annotations_count": len(output.get("annotations") or []),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.id},
        "app": via_app(call.github, by_app=True),
        "pull_requests": [],
    }


def _fill(call: Call, run: CheckRun) -> None:
    body = call.body()
    status = call.maybe_text("status")
    if status is not None and status not in _STATUSES:
        raise unprocessable(f"Invalid request.\n\nInvalid input: {status} is not a status.")
    run.name = call.maybe_text("name") or run.name
    run.status = status or run.status
    run.conclusion = call.maybe_text("conclusion") or run.conclusion
    if run.conclusion is not None:
        run.status = "completed"
        run.completed_at = run.completed_at or call.github.now()
    elif run.status == "completed":
        raise unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.')
    output = call.table("output")
    if output is not None:
        if not output.get("title") or not output.get("summary"):
            raise unprocessable("Invalid request.\n\nMissing keys in output: title and summary are needed.")
        for part in ("summary", "text"):
            if len(str(output.get(part) or "")) > _LONGEST_TEXT:
                raise unprocessable(
                    f"Invalid request.\n\nOnly {_LONGEST_TEXT} characters are allowed; {part}."
                )
        if len(output.get("annotations") or []) > _MOST_ANNOTATIONS:
            raise unprocessable(f"Invalid request.\n\nNo more than {_MOST_ANNOTATIONS} items are allowed.")
        run.fields["output"] = output
    run.fields |= {name: body[name] for name in _FIELDS if name in body}
    call.github.store.check_runs.put(run)


@ROUTER.on("POST", "/repos/{owner}/{repo}/check-runs")
def create_check_run(call: Call) -> Reply:
    """Create a check run on a commit."""
    repository = call.repository(WRITE_CHECKS)
    if not call.by_app:
        raise forbidden("You must authenticate via a GitHub App.")
    sha = call.text("head_sha")
    if call.git(repository).type_of(sha) != "commit" or call.hidden(repository, "object", sha):
        raise unprocessable(f"No commit found for SHA: {sha}")
    number = call.github.store.next_id("check_run")
    run = CheckRun(
        id=number,
        repository_id=repository.id,
        head_sha=sha,
        name=call.text("name"),
        started_at=call.github.now(),
    )
    _fill(call, run)
    return Reply(201, _shape(call, repository, run))


@ROUTER.on("GET", "/repos/{owner}/{repo}/commits/{ref:path}/check-runs")
def list_check_runs(call: Call) -> Reply:
    """List the check runs on a commit."""
    repository = call.repository(READ_CHECKS)
    sha = call.git(repository).resolve(call.params["ref"])
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {call.params['ref']}")
    runs = [
        run
        for run in call.github.store.check_runs
        if (run.repository_id, run.head_sha) == (repository.id, sha)
    ]
    shown, headers = call.slice(runs)
    body = {"total_count": len(runs), "check_runs": [_shape(call, repository, run) for run in shown]}
    return Reply(200, body, headers)

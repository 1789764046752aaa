"""Check runs, which only an App may write, and check suites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import checking
from github_standin.answers import forbidden, not_found, unprocessable
from github_standin.check_records import CheckRun
from github_standin.checks import runs_of, suite_of_app, suites_on
from github_standin.permissions import READ_CHECKS, WRITE_CHECKS
from github_standin.routing import Router
from github_standin.shapes import checks as shapes
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.check_records import CheckSuite
    from github_standin.permissions import Rule
    from github_standin.records import Repository

ROUTER = Router()
_RUN = "/repos/{owner}/{repo}/check-runs/{id}"
_SUITE = "/repos/{owner}/{repo}/check-suites/{id}"
_STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
_FIELDS = ("external_id", "details_url")
_LONGEST_TEXT = 65_535
_MOST_ANNOTATIONS = 50


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
    run = CheckRun(
        id=call.github.store.next_id("check_run"),
        repository_id=repository.id,
        head_sha=sha,
        name=call.text("name"),
        suite_id=suite_of_app(call.github, repository, sha).id,
        started_at=call.github.now(),
    )
    _fill(call, run)
    checking.tell(call.github, repository, run, call.account(), fresh=True)
    return Reply(201, shapes.check_run(call.github, repository, run))


def _run(call: Call, rule: Rule) -> tuple[Repository, CheckRun]:
    repository = call.repository(rule)
    run = call.github.store.check_runs.get(call.number("id"))
    if run is None or run.repository_id != repository.id:
        raise not_found()
    return repository, run


@ROUTER.on("GET", _RUN)
def get_check_run(call: Call) -> Reply:
    """Return one check run."""
    return Reply(200, shapes.check_run(call.github, *_run(call, READ_CHECKS)))


@ROUTER.on("PATCH", _RUN)
def change_check_run(call: Call) -> Reply:
    """Change a check run, which only the App that made it may."""
    repository, run = _run(call, WRITE_CHECKS)
    if not call.by_app or run.run_id is not None:
        raise forbidden("You must authenticate via a GitHub App.")
    was_completed = run.status == "completed"
    _fill(call, run)
    if not was_completed:
        checking.tell(call.github, repository, run, call.account(), fresh=False)
    return Reply(200, shapes.check_run(call.github, repository, run))


def _commit(call: Call, repository: Repository) -> str:
    sha = call.git(repository).resolve(call.params["ref"])
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {call.params['ref']}")
    return sha


def _list(call: Call, repository: Repository, suites: list[CheckSuite]) -> Reply:
    latest = call.query.get("filter", "latest") == "latest"
    found = [run for suite in suites for run in runs_of(call.github, suite, latest=latest)]
    for name, field in (("check_name", "name"), ("status", "status")):
        if name in call.query:
            found = [run for run in found if getattr(run, field) == call.query[name]]
    shown, headers = call.slice(found)
    shaped = [shapes.check_run(call.github, repository, run) for run in shown]
    return Reply(200, {"total_count": len(found), "check_runs": shaped}, headers)


@ROUTER.on("GET", "/repos/{owner}/{repo}/commits/{ref:path}/check-runs")
def list_check_runs(call: Call) -> Reply:
    """List the check runs on a commit."""
    repository = call.repository(READ_CHECKS)
    return _list(call, repository, suites_on(call.github, repository, _commit(call, repository)))


@ROUTER.on("GET", "/repos/{owner}/{repo}/commits/{ref:path}/check-suites")
def list_check_suites(call: Call) -> Reply:
    """List the check suites on a commit."""
    repository = call.repository(READ_CHECKS)
    found = suites_on(call.github, repository, _commit(call, repository))
    shown, headers = call.slice(found)
    shaped = [shapes.check_suite(call.github, repository, suite) for suite in shown]
    return Reply(200, {"total_count": len(found), "check_suites": shaped}, headers)


def _suite(call: Call) -> tuple[Repository, CheckSuite]:
    repository = call.repository(READ_CHECKS)
    suite = call.github.store.check_suites.get(call.number("id"))
    if suite is None or suite.repository_id != repository.id:
        raise not_found()
    return repository, suite


@ROUTER.on("GET", _SUITE)
def get_check_suite(call: Call) -> Reply:
    """Return one check suite."""
    return Reply(200, shapes.check_suite(call.github, *_suite(call)))


@ROUTER.on("GET", f"{_SUITE}/check-runs")
def list_runs_of_suite(call: Call) -> Reply:
    """List the check runs of one suite."""
    repository, suite = _suite(call)
    return _list(call, repository, [suite])

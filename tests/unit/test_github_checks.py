"""Checks on the GitHub stand-in: suites, workflows that fail, their logs, attempts and statuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from github_standin import checks, logs
from github_standin.check_records import CheckRun
from tests.unit.github_kit import OUTSIDER, REPO, StandIn
from tests.unit.pulls_kit import fresh, open_pulls, payloads, write

if TYPE_CHECKING:
    from collections.abc import Iterator

CI = "name: CI\non: [push, pull_request]\njobs:\n  test: {}\n  lint:\n    name: Lint it\n"
FILES = {"a.txt": "one\n", ".github/workflows/ci.yml": CI}
FAILING = {"job": "test", "attempts": ["failure"], "log": "E   assert 1 == 2\nexit 1"}


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in for all tests of this module."""
    yield from open_pulls(tmp_path_factory.mktemp("checks"))


def order(standin: StandIn, *outcomes: dict[str, Any], wait: bool = False) -> None:
    """Say how the repository's workflows end."""
    body = {"outcomes": list(outcomes), "wait": wait}
    assert standin.control("PUT", "/repositories/octo/app/outcomes", body).status == 200


def runs(standin: StandIn, **query: str) -> list[dict[str, Any]]:
    """Return runs of workflows, newest first."""
    found: list[dict[str, Any]] = standin.ask("GET", f"{REPO}/actions/runs", **query).body["workflow_runs"]
    return found


def jobs(standin: StandIn, run: int, **query: str) -> list[dict[str, Any]]:
    """Return the jobs of a run."""
    path = f"{REPO}/actions/runs/{run}/jobs"
    found: list[dict[str, Any]] = standin.ask("GET", path, **query).body["jobs"]
    return found


def test_a_failing_workflow_is_told_with_its_log(standin: StandIn) -> None:
    """Suite, runs, jobs and log of a failure, and which pull request it belongs to."""
    fresh(standin, FILES)
    order(standin, FAILING)
    head = write(standin, {"a.txt": "two\n"})
    number = standin.pull().body["number"]
    run, pushed = runs(standin, head_sha=head)
    assert (run["event"], run["status"], run["conclusion"]) == ("pull_request", "completed", "failure")
    assert [it["number"] for it in run["pull_requests"]] == [number]
    assert pushed["pull_requests"] == run["pull_requests"]
    assert standin.get(f"{REPO}/actions/runs/{run['id']}")["check_suite_id"] == run["check_suite_id"]
    failed, passed = jobs(standin, run["id"])
    assert [(it["name"], it["conclusion"]) for it in (failed, passed)] == [
        *(("test", "failure"), ("Lint it", "success"))
    ]
    told = payloads(standin, "check_suite")[-1]
    suite = told["check_suite"]
    assert (told["action"], suite["conclusion"], suite["head_sha"]) == ("completed", "failure", head)
    assert (suite["id"], suite["app"]["slug"]) == (run["check_suite_id"], "github-actions")
    assert [it["number"] for it in suite["pull_requests"]] == [number]
    check_runs = [it["check_run"] for it in payloads(standin, "check_run") if it["action"] == "completed"]
    assert (check_runs[-2]["id"], check_runs[-2]["conclusion"]) == (failed["id"], "failure")
    assert check_runs[-1]["check_suite"]["head_branch"] == "topic"
    assert payloads(standin, "workflow_run")[-1]["workflow_run"]["id"] == run["id"]
    reply = standin.ask("GET", f"{REPO}/actions/jobs/{failed['id']}/logs")
    assert reply.status == 302
    name = reply.headers["Location"].rpartition("/")[2]
    text = logs.read(standin.world, name, None)
    assert [re.sub(r"^\S+Z ", "", it) for it in text.body.removeprefix("\ufeff").splitlines()] == [
        *("E   assert 1 == 2", "exit 1")
    ]
    # Neither with GitHub's credentials nor after a minute.
    assert logs.read(standin.world, name, "Bearer x").status == 403
    standin.time[0] += 61
    assert logs.read(standin.world, name, None).status == 403


def test_logs_need_a_permission_even_where_everything_is_public(standin: StandIn) -> None:
    """Strangers with an account read them, nobody and Apps without `actions` do not."""
    fresh(standin, FILES)
    order(standin, FAILING)
    write(standin, {"a.txt": "two\n"})
    job = jobs(standin, runs(standin)[0]["id"])[0]["id"]
    path = f"{REPO}/actions/jobs/{job}/logs"
    assert standin.ask("GET", path, token=OUTSIDER).status == 302
    assert standin.ask("GET", path, token=None).status == 403
    assert standin.ask("GET", path, token=standin.token(checks="write")).status == 403
    assert standin.ask("GET", path, token=standin.token(actions="read")).status == 302
    assert standin.ask("GET", path.replace(str(job), "1")).status == 404


def test_a_flaky_job_passes_when_it_is_run_again(standin: StandIn) -> None:
    """Another attempt of the same run, with the failed job alone, and its own events."""
    fresh(standin, FILES)
    order(standin, {**FAILING, "attempts": ["failure", "success"]})
    write(standin, {"a.txt": "two\n"})
    run = runs(standin)[0]
    path = f"{REPO}/actions/runs/{run['id']}/rerun-failed-jobs"
    assert standin.ask("POST", path, {}, standin.token(actions="read")).status == 403
    assert standin.ask("POST", path, {}, standin.token(actions="write")).status == 201
    again = standin.get(f"{REPO}/actions/runs/{run['id']}")
    assert (again["run_attempt"], again["conclusion"]) == (2, "success")
    assert [(it["name"], it["run_attempt"]) for it in jobs(standin, run["id"])] == [
        *(("test", 2), ("Lint it", 1))
    ]
    assert len(jobs(standin, run["id"], filter="all")) == 3
    suites = [it["check_suite"] for it in payloads(standin, "check_suite") if it["action"] == "completed"]
    assert [(it["id"], it["conclusion"]) for it in suites] == [
        (run["check_suite_id"], conclusion) for conclusion in ("failure", "success")
    ]
    assert standin.ask("POST", path, {}).status == 403


def test_a_failure_lasts_as_long_as_its_cause(standin: StandIn) -> None:
    """An outcome may hold only while a file has a text: there on the base, and gone once it is mended."""
    fresh(standin, FILES)
    order(standin, {**FAILING, "workflow": "CI", "path": "a.txt", "contains": "bug"})
    for text, conclusion in (("a bug\n", "failure"), ("mended\n", "success")):
        write(standin, {"a.txt": text})
        assert runs(standin)[0]["conclusion"] == conclusion
    assert runs(standin, status="failure")[0]["conclusion"] == "failure"
    assert len(runs(standin, status="success")) == 1


def test_runs_wait_until_they_are_let_go(standin: StandIn) -> None:
    """With `wait` they stay queued, without any outcome for ever; a run under way cannot be run again."""
    fresh(standin, FILES)
    write(standin, {"a.txt": "two\n"})
    standin.control("POST", "/repositories/octo/app/runs/finish")
    assert runs(standin)[0]["conclusion"] == "success"
    order(standin, FAILING, wait=True)
    write(standin, {"a.txt": "three\n"})
    run = runs(standin)[0]
    assert (run["status"], run["conclusion"]) == ("queued", None)
    assert standin.ask("POST", f"{REPO}/actions/runs/{run['id']}/rerun-failed-jobs", {}).status == 403
    standin.control("POST", "/repositories/octo/app/runs/finish")
    assert runs(standin)[0]["conclusion"] == "failure"
    refused = standin.control("PUT", "/repositories/octo/app/outcomes", {"outcomes": [{"attempts": []}]})
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "outcomes.0.attempts")


def test_a_stranger_s_workflows_wait_for_approval(standin: StandIn) -> None:
    """Those of a fork's pull request do not run before somebody has looked, but the base's own do.

    https://docs.github.com/en/actions/how-tos/manage-workflow-runs/approve-runs-from-forks
    """
    target = "on: pull_request_target\njobs:\n  greet: {}\n"
    fresh(standin, {**FILES, ".github/workflows/target.yml": target})
    order(standin)
    standin.ask("POST", f"{REPO}/forks", {}, OUTSIDER)
    head = write(standin, {"a.txt": "two\n"}, token=OUTSIDER, repo="/repos/outsider/app")
    assert standin.pull(OUTSIDER, head="outsider:topic").status == 201
    found = {run["event"]: run for run in runs(standin, head_sha=head)}
    assert {event: run["conclusion"] for event, run in found.items()} == {
        "pull_request": "action_required",
        "pull_request_target": "success",
    }
    waiting = found["pull_request"]
    assert (waiting["pull_requests"], waiting["head_repository"]["full_name"]) == ([], "outsider/app")
    standin.control("DELETE", "/repositories/outsider/app")


def test_the_app_is_asked_for_checks_and_hears_of_its_own(standin: StandIn) -> None:
    """Who may write checks hears of them without asking for the events; a run of its own ends its suite.

    https://github.com/orgs/community/discussions/210531
    """
    fresh(standin, installation_permissions={"contents": "write", "checks": "write"})
    installation = standin.world.installation_of(standin.world.repository("octo", "app"))  # type: ignore[arg-type] # it is there
    assert installation is not None
    installation.events = []
    head = write(standin, {"a.txt": "two\n"})
    [asked] = payloads(standin, "check_suite")
    assert (asked["action"], asked["check_suite"]["head_branch"]) == ("requested", "topic")
    token = standin.token()
    body = {"name": "pullwright", "head_sha": head, "status": "in_progress"}
    run = standin.ask("POST", f"{REPO}/check-runs", body, token).body
    suite = run["check_suite"]["id"]
    assert suite == asked["check_suite"]["id"]
    path = f"{REPO}/check-runs/{run['id']}"
    assert standin.ask("PATCH", path, {"conclusion": "failure"}).status == 403
    assert standin.ask("PATCH", path, {"conclusion": "failure"}, token).body["status"] == "completed"
    assert standin.get(path)["conclusion"] == "failure"
    told = [(it["action"], it["sender"]["type"]) for it in payloads(standin, "check_run")]
    assert told == [("created", "Bot"), ("completed", "Bot")]
    done = payloads(standin, "check_suite")[-1]
    assert (done["action"], done["check_suite"]["conclusion"]) == ("completed", "failure")
    assert done["check_suite"]["app"]["slug"] == "wright"
    assert standin.get(f"{REPO}/check-suites/{suite}")["latest_check_runs_count"] == 1
    assert standin.get(f"{REPO}/check-suites/{suite}/check-runs")["total_count"] == 1
    assert standin.get(f"{REPO}/commits/topic/check-suites")["check_suites"][0]["id"] == suite
    named = standin.ask("GET", f"{REPO}/commits/{head}/check-runs", check_name="other").body
    assert named["total_count"] == 0
    assert payloads(standin, "push") == []


def test_held_commits_ask_for_no_checks(standin: StandIn) -> None:
    """A `skip-checks` trailer keeps the suite from being made."""
    fresh(standin)
    base = standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    tree = standin.get(f"{REPO}/git/commits/{base}")["tree"]["sha"]
    body = {"message": "Held\n\n\nskip-checks: true", "tree": tree, "parents": [base]}
    sha = standin.ask("POST", f"{REPO}/git/commits", body).body["sha"]
    standin.ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/held", "sha": sha})
    assert payloads(standin, "check_suite") == []


@pytest.mark.parametrize(
    ("conclusions", "expected"),
    [
        (("success", "failure"), ("completed", "failure")),
        (("success", "neutral", "timed_out"), ("completed", "timed_out")),
        (("failure", "cancelled"), ("completed", "failure")),
        (("skipped", "success"), ("completed", "success")),
        (("skipped", "skipped"), ("completed", "skipped")),
        (("success", "success"), ("completed", "success")),
        (("success", None), ("in_progress", None)),
        ((None, None), ("queued", None)),
        ((), ("queued", None)),
    ],
)
def test_a_suite_is_what_its_runs_are(
    standin: StandIn, conclusions: tuple[str | None, ...], expected: tuple[str, str | None]
) -> None:
    """The most serious conclusion, as in the example of GitHub's guide; jobs that were skipped do not count.

    https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks#about-check-suites
    """
    fresh(standin)
    repository = standin.world.repository("octo", "app")
    assert repository is not None
    suite = checks.begin(standin.world, repository, "f" * 40, "topic")
    for number, conclusion in enumerate(conclusions):
        standin.world.store.check_runs.put(
            CheckRun(
                id=standin.world.store.next_id("check_run"),
                repository_id=repository.id,
                head_sha=suite.head_sha,
                name=f"check {number}",
                suite_id=suite.id,
                status="completed" if conclusion else "queued",
                conclusion=conclusion,
                started_at=standin.time[0],
            )
        )
    assert checks.state(standin.world, suite) == expected


def test_statuses_come_together(standin: StandIn) -> None:
    """The newest of each context counts; each new one is told, with the branches that have the commit."""
    fresh(standin)
    head = write(standin, {"a.txt": "two\n"})
    path = f"{REPO}/statuses/{head}"
    assert standin.get(f"{REPO}/commits/topic/status")["state"] == "pending"
    for state, context, combined in (
        ("success", "ci/one", "success"),
        ("pending", "ci/two", "pending"),
        ("error", "ci/two", "failure"),
        ("success", "ci/two", "success"),
    ):
        made = standin.ask("POST", path, {"state": state, "context": context, "description": "Said so"})
        assert made.status == 201, made.body
        assert standin.get(f"{REPO}/commits/topic/status")["state"] == combined
    assert [it["state"] for it in standin.get(f"{REPO}/commits/{head}/statuses")] == [
        *("success", "error", "pending", "success")
    ]
    assert standin.ask("POST", path, {"state": "fine"}).status == 422
    assert standin.ask("POST", path, {"state": "success"}, OUTSIDER).status == 403
    assert standin.ask("POST", path.replace(head, "f" * 40), {"state": "success"}).status == 422
    told = payloads(standin, "status")
    assert [it["state"] for it in told] == ["success", "pending", "error", "success"]
    assert [it["name"] for it in told[0]["branches"]] == ["topic"]

"""A session's own work breaks a check, and another session mends it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.people import call
from local.sessions import Session
from tests.integration.conftest import FILES, LABEL
from tests.integration.test_conversation import edit, play, until

if TYPE_CHECKING:
    from local.sessions import Stack
    from tests.integration.conftest import Repositories

CI = "name: CI\non: pull_request\njobs:\n  test: {}\n"
LOG = "E   AssertionError: nobody says goodby"


def test_a_red_check_is_mended_in_one_session(repositories: Repositories, stack: Stack) -> None:
    """The check fails twice on one commit; one session reads its log, and its push makes the check pass."""
    repository = repositories.make(files={**FILES, ".github/workflows/ci.yml": CI}, private=True)
    outcome = {"job": "test", "attempts": ["failure"], "path": "src/app.py", "contains": "goodby", "log": LOG}
    url = f"/_standin/repositories/{repository.name}/outcomes"
    call(stack.github_url, "PUT", url, {"outcomes": [outcome]})
    play(stack, repository, edit("hello", "goodby"), {"text": "Say goodby."})
    assert stack.model_url is not None
    mend = {
        "match": "Checks have failed on this branch",
        "steps": [edit("goodby", "good bye"), {"text": "Mended."}],
    }
    call(stack.model_url, "PUT", "/_standin/scripts/red", mend)
    issue = repository.issue()
    repository.person.label(repository.name, issue, LABEL)
    first = stack.wait_for_execution(repository.name, issue, 30)
    assert first.wait(120) == "SUCCEEDED", first.record()
    broken, number = first.record().commit, first.record().pull_request
    [second] = until(lambda: [arn for arn in stack.executions(repository.name) if arn != first.arn])
    session = Session(stack, second)
    assert session.id == f"fix-ci-{number}-{str(broken)[:36]}"
    assert session.wait(120) == "SUCCEEDED", session.record()
    assert session.record().requested_by == repository.person.login
    [check] = json.loads(session.artifacts()["request.json"])["failing"]
    assert (check["name"], check["conclusion"], check["log"]) == ("test", "failure", LOG)
    [run] = repository.rest("GET", f"/actions/runs?head_sha={session.record().commit}")["workflow_runs"]
    assert (run["conclusion"], run["run_attempt"]) == ("success", 1)
    [failed] = repository.rest("GET", f"/actions/runs?head_sha={broken}")["workflow_runs"]
    assert (failed["conclusion"], failed["run_attempt"]) == ("failure", 2)
    assert len(stack.executions(repository.name)) == 2
    [comment] = repository.comments(number or 0)
    assert "Mended." in comment

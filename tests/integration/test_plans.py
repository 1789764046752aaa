"""A plan comes before the work: people read it in the comment, and may have it carried out later."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from local.people import call
from local.sessions import Session
from tests.integration.conftest import FILES, Repositories, Repository
from tests.integration.test_conversation import READ, edit, play, until, work
from tests.integration.test_workers import WORKERS, stored

if TYPE_CHECKING:
    from local.sessions import Stack

PLAN = "1. Greet the day in src/app.py"
DONE = "It greets the day."


@pytest.fixture(scope="module")
def repository(repositories: Repositories, stack: Stack) -> Repository:
    """Provide a repository whose worker plans, and a model that plans and then works."""
    made = repositories.make(files={**FILES, f"{WORKERS}/implement.yaml": "plan: true\n"})
    until(lambda: any("#" in key.removeprefix("REPO#") for key in stored(made)))
    steps = (READ, {"text": PLAN}, READ, edit("hello", "good day"), {"text": DONE})
    play(stack, made, *steps)
    return made


def requests_of(stack: Stack, session: Session) -> list[dict[str, Any]]:
    """Return what the model was asked in a session, oldest first."""
    record = session.record()
    began = datetime.fromisoformat(str(record.created_at)).timestamp()
    ended = datetime.fromisoformat(str(record.closed_at)).timestamp()
    asked = call(str(stack.model_url), "GET", "/_standin/requests")
    return [it for it in asked if it.get("script") and began <= it["at"] <= ended]


def test_the_plan_stands_in_the_comment_before_the_first_edit(repository: Repository, stack: Stack) -> None:
    """The tracking comment has the plan before the model is asked for the step that edits."""
    session = repository.label(repository.issue(), 120)
    record = session.record()
    assert (record.status, record.outcome) == ("SUCCEEDED", "changed"), record
    comment = f"/repos/{repository.name}/issues/comments/{record.comment_id}"
    shown = [
        datetime.fromisoformat(request["time"]).timestamp()
        for request in call(stack.github_url, "GET", "/_standin/requests")
        if (request["method"], request["path"].endswith(comment)) == ("PATCH", True)
        and PLAN in str(request["body"])
    ]
    asked = requests_of(stack, session)
    editing = [request["at"] for request in asked if "Edit" in request["tools"]]
    assert shown
    assert len(editing) == 3
    assert shown[0] < editing[1]
    assert [set(it["tools"]) & {"Edit", "Write", "Bash"} for it in asked[:2]] == [set(), set()]


def test_only_a_plan_waits_for_go(repository: Repository, stack: Stack) -> None:
    """`/plan` changes nothing and leaves the plan; `/go` carries it out in the same conversation."""
    issue = repository.issue("Greet the day", "Somehow.")
    repository.rest("POST", f"/issues/{issue}/comments", {"body": "/plan"})
    first = stack.wait_for_execution(repository.name, issue, 30)
    assert first.wait(120) == "SUCCEEDED", first.record()
    planned = first.record()
    assert (planned.outcome, planned.commit) == ("planned", None)
    number = planned.pull_request or 0
    [comment] = repository.comments(number)
    assert PLAN in comment
    before = stack.executions(repository.name)
    repository.rest("POST", f"/issues/{number}/comments", {"body": "/go"})
    [arn] = until(lambda: [it for it in stack.executions(repository.name) if it not in before])
    second = Session(stack, arn)
    assert second.wait(120) == "SUCCEEDED", second.record()
    record = second.record()
    assert (record.outcome, record.pull_request) == ("changed", number)
    assert record.conversation_id == planned.conversation_id
    assert len(work(repository, f"claude/{issue}")) == 1
    [comment] = [body for body in repository.comments(number) if body != "/go"]
    assert DONE in comment

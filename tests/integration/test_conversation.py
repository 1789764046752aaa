"""People talk to a session on GitHub: they ask for more while it works, and stop it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from local.people import call
from local.sessions import Session
from tests.integration.conftest import LABEL, Repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.sessions import Stack

READ = {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}}
SLOWLY = 12.0


def edit(old: str, new: str) -> dict[str, Any]:
    """Return the model's step that changes the program."""
    given = {"file_path": "{cwd}/src/app.py", "old_string": old, "new_string": new}
    return {"tool": "Edit", "input": given}


def play(stack: Stack, repository: Repository, *steps: dict[str, Any]) -> None:
    """Let the model answer the sessions of one repository."""
    assert stack.model_url is not None
    name = repository.name.replace("/", "-")
    script = {"match": repository.name, "steps": list(steps)}
    call(stack.model_url, "PUT", f"/_standin/scripts/{name}", script)


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.3)
    return found


def work(repository: Repository, branch: str = "claude/1") -> list[str]:
    """Return the sessions' commits on the branch that change something, oldest first."""
    commits = repository.rest("GET", f"/compare/main...{branch}")["commits"]
    return [
        one["sha"]
        for one in commits
        if "Pullwright-Session" in one["commit"]["message"]
        and not one["commit"]["message"].startswith("Hold CI")
    ]


def test_three_comments_during_a_run_become_one_follow_up(repository: Repository, stack: Stack) -> None:
    """They wait, one session does all three in the same conversation, and there is one pull request."""
    play(
        *(stack, repository, READ, {**edit("hello", "good day"), "delay": SLOWLY}, {"text": "Good day."}),
        *(READ, edit("good day", "good evening"), {"text": "All three are done."}),
    )
    issue = repository.issue()
    repository.person.label(repository.name, issue, LABEL)
    first = stack.wait_for_execution(repository.name, issue, 30)
    number = until(lambda: first.record().pull_request)
    for text in ("also handle None", "and evenings", "and say it louder"):
        repository.rest("POST", f"/issues/{number}/comments", {"body": f"@pullwright {text}"})
    assert first.wait(120) == "SUCCEEDED", first.record()
    others = until(
        lambda: _others(stack, repository, first) if len(_others(stack, repository, first)) == 3 else None
    )
    assert [session.wait(180) for session in others] == ["SUCCEEDED"] * 3, [one.record() for one in others]
    outcomes = {session.record().outcome: session for session in others}
    assert sorted(session.record().outcome or "" for session in others) == [
        *("changed", "taken_along", "taken_along"),
    ]
    follow_up = outcomes["changed"]
    request = follow_up.artifacts()["request.json"].decode()
    assert all(text in request for text in ("also handle None", "and evenings", "and say it louder"))
    assert follow_up.record().conversation_id == first.record().conversation_id
    assert len(work(repository)) == 2
    [pull] = repository.pulls()
    assert (pull["number"], pull["draft"]) == (number, False)
    ours = [body for body in repository.comments(number) if not body.startswith("@pullwright")]
    assert len(ours) == 1
    assert "All three are done." in ours[0]


def test_a_comment_after_the_run_is_a_second_commit_on_the_same_pull_request(
    repository: Repository, stack: Stack
) -> None:
    """A mention goes on with the conversation, on a branch that has been brought up to date with its base."""
    play(
        *(stack, repository, READ, edit("hello", "good day"), {"text": "Good day."}),
        *(READ, edit("good day", "good evening"), {"text": "None is handled too."}),
    )
    first = repository.label(repository.issue(), 120)
    number = first.record().pull_request or 0
    assert len(work(repository)) == 1
    base = repository.person.commit(repository.name, "main", {"LATER.md": "Meanwhile.\n"})
    repository.rest("POST", f"/issues/{number}/comments", {"body": "@pullwright also handle None"})
    [second] = until(lambda: _others(stack, repository, first))
    assert second.wait(120) == "SUCCEEDED", second.record()
    record = second.record()
    assert (record.outcome, record.pull_request) == ("changed", number)
    assert record.conversation_id == first.record().conversation_id
    assert len(work(repository)) == 2
    commits = repository.rest("GET", "/compare/main...claude/1")["commits"]
    [merge] = [it for it in commits if len(it["parents"]) > 1]
    assert merge["parents"][1]["sha"] == base
    assert merge["commit"]["verification"]["verified"]
    assert [it["sha"] for it in commits].index(work(repository)[1]) > commits.index(merge)
    [pull] = repository.pulls()
    assert (pull["number"], pull["draft"]) == (number, False)


def _others(stack: Stack, repository: Repository, first: Session) -> list[Session]:
    arns = stack.executions(repository.name)
    return [Session(stack, arn) for arn in arns if arn != first.arn]


@pytest.mark.parametrize("where", ["issue", "pull request"])
def test_stop_ends_the_task_keeps_the_work_and_names_who(
    repository: Repository, stack: Stack, where: str
) -> None:
    """In the middle of the work: 👍, the task is gone, the work is kept, and the comment says by whom."""
    play(stack, repository, READ, edit("hello", "good day"), {"text": "Never said.", "delay": 120})
    issue = repository.issue()
    repository.person.label(repository.name, issue, LABEL)
    session = stack.wait_for_execution(repository.name, issue, 30)
    until(lambda: any(line.get("tool") == "Edit" for line in session.log_lines()))
    number = session.record().pull_request
    target = issue if where == "issue" else number
    asked = repository.rest("POST", f"/issues/{target}/comments", {"body": "/stop"})
    assert session.wait(30) == "ABORTED"
    until(lambda: session.record().is_over, 90)
    record = session.record()
    assert record.error == "SessionStopped"
    cluster = stack.outputs["EcsClusterArn"]
    [task] = stack.client("ecs").describe_tasks(cluster=cluster, tasks=[record.task_arn])["tasks"]
    assert task["lastStatus"] == "STOPPED"
    assert len(work(repository)) == 1
    assert record.commit == repository.rest("GET", "/git/ref/heads/claude/1")["object"]["sha"]
    [comment] = [body for body in repository.comments(number or 0) if body != "/stop"]
    assert f"stopped by {repository.person.login}" in comment
    reactions = repository.rest("GET", f"/issues/comments/{asked['id']}/reactions")
    assert [reaction["content"] for reaction in reactions] == ["+1"]

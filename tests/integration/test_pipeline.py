"""The main job, whole: a label becomes a pull request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from local.demo import scenario
from local.demo.summary import checkout_test
from local.people import call
from tests.integration.conftest import LABEL, Repository
from tests.statemachine.kit import GOOD_PATH

if TYPE_CHECKING:
    from local.people import Person
    from local.sessions import Session, Stack

TRACKING = "<!-- pullwright:tracking -->"


@dataclass
class Done:
    """The demo's session, finished by the real CLI against the scripted model."""

    work: scenario.Scenario
    session: Session
    status: str

    @property
    def repository(self) -> Repository:
        """Its repository."""
        return Repository(self.session.stack, self.work.person, self.work.repository)


@pytest.fixture(scope="module")
def done(stack: Stack) -> Done:
    """One issue, labelled, and its session at the end."""
    work = scenario.built_in(stack.github_url, stack.model_url)
    work.person.label(work.repository, work.issue, LABEL)
    session = stack.wait_for_execution(work.repository, work.issue, 30)
    return Done(work, session, session.wait(180))


def test_a_label_becomes_one_ready_pull_request(done: Done) -> None:
    """The label leaves exactly one open pull request that is no draft and closes the issue."""
    assert done.status == "SUCCEEDED", done.session.record()
    [pull] = done.repository.pulls()
    assert (pull["state"], pull["draft"], pull["head"]["ref"]) == ("open", False, "claude/1")
    assert "Closes #1" in pull["body"]


def test_the_branch_makes_the_projects_test_pass(done: Done) -> None:
    """The project's failing test passes on the branch, and fails on the base."""
    url = f"{done.session.stack.github_url}/{done.work.repository}.git"
    assert done.work.test_command is not None
    assert checkout_test(url, "main", done.work.test_command)[0] is False
    assert checkout_test(url, "claude/1", done.work.test_command)[0] is True


def test_the_only_comment_shows_cost_turns_and_time(done: Done) -> None:
    """The pull request has one comment, ours, with cost, turns and time in it."""
    [pull] = done.repository.pulls()
    [comment] = done.repository.comments(pull["number"])
    assert TRACKING in comment
    record = done.session.record()
    assert record.turns
    assert record.cost_usd
    assert record.turns > 0
    assert record.cost_usd > 0
    assert f"{record.cost_usd:.2f}" in comment
    for word in ("Cost", "Turns", "Time"):
        assert word in comment


def test_the_issue_was_acknowledged(done: Done) -> None:
    """The issue carries the eyes of the App, and no comment."""
    reactions = done.repository.rest("GET", "/issues/1/reactions")
    assert [reaction["content"] for reaction in reactions] == ["eyes"]
    assert done.repository.comments(1) == []


def test_the_record_has_every_field(done: Done) -> None:
    """The session record tells status, times, places, figures and links."""
    record = done.session.record()
    assert record.status == "SUCCEEDED"
    expected = {
        *("session_id", "execution_arn", "created_at", "admitted_at", "task_started_at", "closed_at"),
        *("repository", "issue", "branch", "base", "pull_request", "pull_request_url", "comment_id"),
        *("requested_by", "installation_id", "worker", "provider", "model", "stub", "task_arn"),
        *("outcome", "commit", "cost_usd", "turns", "agent_seconds", "conversation_id"),
        *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
        *("artifacts", "log_group", "log_stream", "ttl"),
    }
    known = record.model_dump(exclude_none=True).keys()
    assert expected <= known, expected - known
    assert record.failure_class == ""
    head = done.repository.rest("GET", "/git/ref/heads/claude/1")["object"]["sha"]
    assert record.commit == head


def test_five_artifacts_are_in_the_bucket(done: Done) -> None:
    """Request, result, transcript, diff and log are kept."""
    artifacts = done.session.artifacts()
    assert {"request.json", "result.json", "transcript.jsonl", "diff.patch", "runner.log"} <= artifacts.keys()
    assert b"total += int(amount)" in artifacts["diff.patch"]
    assert json.loads(artifacts["result.json"])["outcome"] == "changed"


def test_a_good_session_takes_eight_states_and_two_functions(done: Done) -> None:
    """The good path enters eight states and invokes two functions."""
    assert [visit.name for visit in done.session.visits()] == GOOD_PATH
    scheduled = [
        event["taskScheduledEventDetails"]["resourceType"]
        for event in done.session.events()
        if "taskScheduledEventDetails" in event
    ]
    assert scheduled.count("lambda") == 2


def test_the_author_is_the_bot_and_credits_who_asked(done: Done) -> None:
    """The commit's author is the App's bot, with the person who asked as co-author."""
    commit = done.repository.rest("GET", f"/git/commits/{done.session.record().commit}")
    assert commit["author"]["name"].endswith("[bot]")
    assert f"Co-authored-by: {done.work.person.login}" in commit["message"]


def test_the_same_delivery_again_changes_nothing(done: Done, stack: Stack) -> None:
    """A redelivered webhook meets its own execution."""
    [delivery] = [
        entry
        for entry in call(stack.github_url, "GET", "/_standin/deliveries")
        if entry["guid"] in done.session.id and not entry["redelivery"]
    ]
    before = len(stack.executions(done.work.repository))
    call(stack.github_url, "POST", f"/_standin/deliveries/{delivery['id']}/redeliver")
    assert len(stack.executions(done.work.repository)) == before
    assert len(done.repository.pulls()) == 1


def test_starting_it_by_hand_goes_on_with_the_same_pull_request(done: Done) -> None:
    """`start-execution` for the same issue ends well on the same pull request and comment."""
    again = done.session.stack.start({"repository": done.work.repository, "issue": done.work.issue})
    assert again.wait(180) == "SUCCEEDED", again.record()
    [pull] = done.repository.pulls()
    assert len(done.repository.comments(pull["number"])) == 1
    assert again.record().pull_request == pull["number"]
    assert again.record().outcome in ("changed", "no_change")


def test_a_stub_session_changes_something_without_any_model(repository: Repository, stack: Stack) -> None:
    """Stub mode runs the whole pipeline and asks no model."""
    assert stack.model_url is not None
    before = len(call(stack.model_url, "GET", "/_standin/requests"))
    session = repository.start(issue=repository.issue())
    assert session.status() == "SUCCEEDED", session.record()
    record = session.record()
    assert (record.outcome, record.cost_usd, record.turns) == ("changed", Decimal(0), 0)
    assert len(call(stack.model_url, "GET", "/_standin/requests")) == before
    [pull] = repository.pulls()
    assert pull["draft"] is False


def test_a_prompt_alone_gets_its_own_pull_request_each_time(repository: Repository) -> None:
    """The same prompt started twice is two pull requests on two branches."""
    first = repository.start(prompt="Add a line to the README")
    second = repository.start(prompt="Add a line to the README")
    assert [first.status(), second.status()] == ["SUCCEEDED", "SUCCEEDED"], (first.record(), second.record())
    assert len({pull["head"]["ref"] for pull in repository.pulls()}) == 2


def test_one_session_can_run_the_image_of_staging(repository: Repository, stack: Stack) -> None:
    """Its task has a definition of its own, and its record a digest; the engine has one for all images."""
    session = repository.start(prompt="Add a line to the README", image="staging")
    record = session.record()
    assert session.status() == "SUCCEEDED", record
    [task] = stack.client("ecs").describe_tasks(
        cluster=stack.outputs["EcsClusterArn"], tasks=[record.task_arn or ""]
    )["tasks"]
    assert task["taskDefinitionArn"] == stack.outputs["EcsStagingTaskDefinitionArn"]
    assert (record.image_digest or "").startswith("sha256:")


def test_a_session_on_a_pull_request_works_on_its_branch(repository: Repository) -> None:
    """`pull_request` in the input goes on on that pull request's branch."""
    first = repository.start(issue=repository.issue())
    number = first.record().pull_request
    second = repository.start(pull_request=number)
    assert second.status() == "SUCCEEDED", second.record()
    assert second.record().branch == "claude/1"
    assert len(repository.pulls()) == 1


def test_nothing_is_left_behind(done: Done, stack: Stack) -> None:
    """After sessions have ended there is no lock, no slot and no running task."""
    table = stack.outputs["SessionsTable"]
    items: list[dict[str, Any]] = stack.client("dynamodb").scan(TableName=table)["Items"]
    repository = done.work.repository
    assert not [item for item in items if item["pk"]["S"].startswith(f"LOCK#{repository}#")]
    [slots] = [item for item in items if item["pk"]["S"] == "SLOTS"]
    assert done.session.id not in slots.get("holders", {}).get("SS", [])
    cluster = stack.outputs["EcsClusterArn"]
    tasks = stack.client("ecs").list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"]
    assert done.session.record().task_arn not in tasks


def test_people_without_write_permission_start_nothing(repository: Repository, stack: Stack) -> None:
    """A label added by somebody who may only read ends in a refusal on the issue, and no pull request."""
    stranger: Person = type(repository.person).join(stack.github_url, "outsider")
    call(
        stack.github_url,
        "PUT",
        f"/_standin/repositories/{repository.name}/permissions",
        {stranger.login: "triage"},
    )
    issue = repository.issue()
    stranger.label(repository.name, issue, LABEL)
    session = stack.wait_for_execution(repository.name, issue, 30)
    assert session.wait(60) == "FAILED"
    assert (session.record().error, session.record().failure_class) == ("NotAllowed", "user")
    assert repository.pulls() == []
    [comment] = repository.comments(issue)
    assert "write" in comment

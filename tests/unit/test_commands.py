"""Commands in comments: what is done and answered."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import GitHubUnavailable
from pullwright.events.command import carry_out
from pullwright.events.messages import MESSAGE, QueuedCommand
from pullwright.github.transport import Response
from pullwright.models import SessionRequest
from pullwright.reconciling.executions import ExecutionEnd
from pullwright.webhook.commands import COMMANDS
from pullwright.webhook.message import Message
from tests.unit.commands_kit import Commanded, decided
from tests.unit.pipeline_kit import PERSON, REPOSITORY, SLUG, STRANGER, execution, key_pair
from tests.unit.reconcile_kit import table
from tests.unit.webhook_kit import GUID, LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0959"


@contextmanager
def _commanded(folder: Path) -> Iterator[Commanded]:
    with table() as client:
        yield Commanded(folder, client)


@pytest.fixture
def commanded(tmp_path: Path) -> Iterator[Commanded]:
    """Provide a deployment that people give commands to."""
    with _commanded(tmp_path) as made:
        yield made


def test_stop_ends_what_runs_and_what_waits(commanded: Commanded) -> None:
    """The session at work and the one behind it end, with the name of who stopped them; others go on."""
    number = commanded.begin_first()
    commanded.begin("s-2", "recorded", issue=None, pull_request=number)
    commanded.begin("s-3", "claimed", requested_by=PERSON)
    asked = commanded.asked("/stop", number)
    assert carry_out(asked, commanded.services) == "2 sessions were stopped."
    stopped = ("SessionStopped", f"The session was stopped by {PERSON}.")
    assert commanded.states.stopped == {f"{execution(name)}": stopped for name in ("s-1", "s-2")}
    assert commanded.reactions(asked) == ["+1"]
    assert commanded.answers(number) == []


def test_stop_on_the_issue_reaches_its_pull_request(commanded: Commanded) -> None:
    """Whoever asked on the issue stops there too."""
    commanded.begin_first()
    issue = commanded.sessions.read_session("s-1").request["issue"]
    assert commanded.command("/stop", issue) == "1 sessions were stopped."


def test_a_late_stop_leaves_alone_what_began_after_it(commanded: Commanded) -> None:
    """The queue may be late, and a session asked for afterwards is not meant."""
    number = commanded.begin_first()
    early = datetime.now(UTC) - timedelta(hours=1)
    asked = commanded.asked("/stop", number, asked_at=early)
    assert "no session runs or waits" in carry_out(asked, commanded.services)
    assert commanded.states.stopped == {}
    assert commanded.reactions(asked) == ["confused"]


@pytest.mark.parametrize("body", ["/stop", "/retry", "/ci", "/status"])
def test_people_who_may_only_read_are_told_so(commanded: Commanded, body: str) -> None:
    """A session of somebody else is not theirs to stop: a reaction and one sentence."""
    number = commanded.begin_first()
    asked = commanded.asked(body, number, STRANGER)
    carry_out(asked, commanded.services)
    assert commanded.reactions(asked) == ["confused"]
    [answer] = commanded.answers(number)
    assert "only people with write permission" in answer
    assert not commanded.states.stopped
    assert not commanded.states.started


def test_strangers_get_no_word_where_nothing_of_ours_is(commanded: Commanded) -> None:
    """Other tools have commands too, and nobody makes us talk on issues that are none of our business."""
    issue = commanded.github.issue()
    asked = commanded.asked("/stop", issue, STRANGER)
    assert carry_out(asked, commanded.services) == "The command was for somebody else."
    assert commanded.reactions(asked) == commanded.answers(issue) == []


def test_who_may_write_is_told_that_nothing_is_here(commanded: Commanded) -> None:
    """Each command has an end where no session has ever worked."""
    issue = commanded.github.issue()
    for body in ("/stop", "/retry", "/status", "/cost", "/ci"):
        assert commanded.command(body, issue).startswith("Nothing was done")
    [answer] = commanded.answers(issue)
    assert "CI is released by a comment on the pull request" in answer


def test_retry_starts_the_same_request_once(commanded: Commanded) -> None:
    """It is asked for by who retries, with the text that stands there now; twice the same comment is once."""
    number = commanded.begin_first()
    issue = commanded.sessions.read_session("s-1").request["issue"]
    first = {"repository": REPOSITORY, "issue": issue, "worker": "implement", "limits": {"usd": 2}}
    added = {
        "label": LABEL,
        "delivery_id": "d-1",
        "asked_at": "2026-01-01T00:00:00Z",
        "body_sha256": "0" * 64,
    }
    commanded.sessions.update_session("s-1", {"input": json.dumps({**first, **added})})
    commanded.close()
    asked = commanded.asked("/retry", number)
    for _ in range(2):
        carry_out(asked, commanded.services)
    [(name, request)] = commanded.states.started.items()
    assert name == f"implement-{number}-{GUID}"
    assert request == {
        **first,
        "requested_by": PERSON,
        "delivery_id": GUID,
        "installation_id": asked.installation_id,
        "asked_at": asked.asked_at.isoformat(),
        "retry_of": "s-1",
    }
    assert commanded.reactions(asked) == ["+1"]
    # What it starts is a request that OpenPullRequest takes, for the same pull request.
    assert commanded.open(name, **request).pull_request == number


def test_retry_on_the_issue_freezes_its_text(commanded: Commanded) -> None:
    """The comment's payload says what stood there when it was written."""
    commanded.begin_first()
    commanded.close()
    issue = commanded.sessions.read_session("s-1").request["issue"]
    asked = commanded.asked("/retry", issue)
    carry_out(asked, commanded.services)
    [request] = commanded.states.started.values()
    assert (request["title_sha256"], request["body_sha256"]) == (asked.title_sha256, asked.body_sha256)
    commanded.github.person("PATCH", f"/issues/{issue}", {"body": "Do something else."})
    assert commanded.open("s-9", **request).branch == f"claude/{issue}"
    frozen = commanded.artifacts.read_request("s-9")
    assert frozen is not None
    assert frozen.body != "Do something else."


def test_retry_of_a_prompt_goes_on_with_its_pull_request(commanded: Commanded) -> None:
    """A prompt alone would open another one."""
    commanded.begin("s-1", "claimed", issue=None, prompt="Say good bye.")
    number = int(commanded.sessions.read_session("s-1").pull_request or 0)
    commanded.close()
    commanded.command("/retry", number)
    [request] = commanded.states.started.values()
    assert (request["prompt"], request["pull_request"]) == ("Say good bye.", number)


def test_retry_of_a_session_of_jira_names_its_issue(commanded: Commanded) -> None:
    """The person on GitHub asks for the issue as it stands now, not whoever set the label in Jira then."""
    commanded.begin("s-1", "claimed", issue=None, prompt="Say good bye.")
    number = int(commanded.sessions.read_session("s-1").pull_request or 0)
    issue = {"key": "SHOP-7", "id": "10007", "account": "712020:1", "change": 5}
    asked = {"repository": REPOSITORY, "jira": issue, "label": LABEL, "delivery_id": "d-1"}
    commanded.sessions.update_session("s-1", {"input": json.dumps(asked)})
    commanded.close()
    commanded.command("/retry", number)
    [request] = commanded.states.started.values()
    assert request["jira"] == {"key": "SHOP-7", "id": "10007"}
    assert "pull_request" not in request
    assert SessionRequest.model_validate_json(json.dumps(request)).requested_by == PERSON


def test_retry_waits_for_nobody_and_invents_nothing(commanded: Commanded) -> None:
    """While a session works, and where its request was too long to be kept, it says so."""
    number = commanded.begin_first()
    assert "a session is still at work" in commanded.command("/retry", number)
    commanded.sessions.update_session("s-1", {"input": '{"cut": "of'})
    commanded.close()
    assert "not kept any more" in commanded.command("/retry", number)
    assert commanded.states.started == {}
    assert len(commanded.answers(number)) == 1


def test_status_and_cost_are_one_comment_that_is_rewritten(commanded: Commanded) -> None:
    """What runs, what waits and what has ended, and the dollars of all."""
    number = commanded.begin_first()
    commanded.command("/status", number)
    [answer] = commanded.answers(number)
    assert "has run for" in answer
    assert f"/pull/{number}#issuecomment-" in answer
    commanded.close(cost_usd=1.25, turns=7)
    commanded.begin("s-2", "recorded", issue=None, pull_request=number)
    commanded.command("/status", number)
    [answer] = commanded.answers(number)
    assert "has waited for its turn" in answer
    assert "It is ready" in answer
    commanded.command("/cost", number)
    [answer] = commanded.answers(number)
    assert "1 session has cost $1.25 here; the last of them $1.25 in 7 turns" in answer
    assert "at work will be counted at the end" in answer
    commanded.close("s-2", cost_usd=0.5, turns=1)
    commanded.command("/cost", number)
    [answer] = commanded.answers(number)
    assert "2 sessions have cost $1.75 here" in answer


def test_an_unknown_word_on_ours_gets_help_once(commanded: Commanded) -> None:
    """One line names what there is, however often; on an App's that is not ours nothing is said."""
    number = commanded.begin_first()
    for word in ("/dance", "/lgtm"):
        asked = commanded.asked(word, number)
        carry_out(asked, commanded.services)
        assert commanded.reactions(asked) == ["confused"]
    [answer] = commanded.answers(number)
    assert len(answer.strip().splitlines()) == 3
    assert all(f"/{name}" in answer for name in COMMANDS)


def test_a_command_that_was_taken_back_is_not_carried_out(commanded: Commanded) -> None:
    """Deleted or changed into something else it ends; with the same command it still stands."""
    number = commanded.begin_first()
    asked = commanded.asked("/stop", number)
    path = f"/issues/comments/{asked.comment_id}"
    commanded.github.person("PATCH", path, {"body": "Go on, please."})
    assert "edited or deleted" in carry_out(asked, commanded.services)
    assert commanded.reactions(asked) == ["confused"]
    commanded.github.person("PATCH", path, {"body": "/stop please"})
    assert "1 sessions were stopped." in carry_out(asked, commanded.services)
    commanded.states.stopped.clear()
    commanded.github.person("DELETE", path)
    # What was written a moment ago may only not be shown yet.
    with pytest.raises(GitHubUnavailable):
        carry_out(asked, commanded.services)
    later = asked.model_copy(update={"asked_at": asked.asked_at - timedelta(minutes=2)})
    assert "edited or deleted" in carry_out(later, commanded.services)
    assert commanded.states.stopped == {}


def test_ci_in_a_longer_comment_releases_nothing(commanded: Commanded) -> None:
    """Whoever talks about it has not necessarily read the work."""
    number = commanded.begin_first()
    assert "nothing else in it" in commanded.command("/ci looks odd, do not run it", number)
    assert commanded.command("/ci", number) == "Nothing is held."


@pytest.mark.parametrize("call", [("GET", "/permission"), ("GET", "/pulls/2")])
def test_a_github_that_fails_is_asked_again(commanded: Commanded, call: tuple[str, str]) -> None:
    """The message stays in the queue, and the next attempt does the work once."""
    number = commanded.begin_first()
    asked = commanded.asked("/stop", number)
    commanded.github.before += [(*call, Response(502, {}))] * 3
    with pytest.raises(GitHubUnavailable):
        carry_out(asked, commanded.services)
    commanded.github.before.clear()
    assert carry_out(asked, commanded.services) == "1 sessions were stopped."


def test_what_cannot_be_reached_any_more_is_dropped(commanded: Commanded) -> None:
    """An App that was uninstalled has nobody to answer, and asking again would change nothing."""
    number = commanded.begin_first()
    asked = commanded.asked("/stop", number)
    commanded.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    assert carry_out(asked, commanded.services).startswith("Nothing was done")


def test_the_stand_in_sends_what_the_webhook_reads(commanded: Commanded) -> None:
    """A command on the stand-in becomes a delivery that is carried out."""
    number = commanded.begin_first()
    app = {"app_id": 7, "slug": SLUG, "public_key_pem": key_pair()[1], "webhook_url": "http://127.0.0.1:9/"}
    commanded.github.control("PUT", "/app", app)
    commanded.github.person("POST", f"/issues/{number}/comments", {"body": "/stop"})
    [sent] = [
        one["request"]["payload"]
        for one in commanded.github.control("GET", "/deliveries", None)
        if one["event"] == "issue_comment"
    ]
    made = decided(sent)
    assert isinstance(made, Message), made
    asked = MESSAGE.validate_json(made.message)
    assert isinstance(asked, QueuedCommand)
    assert carry_out(asked, commanded.services) == "1 sessions were stopped."


def test_plan_and_go_start_sessions_that_go_on(commanded: Commanded) -> None:
    """A plan for what is asked in the comment, and its carrying out where one waits; twice is once."""
    number = commanded.begin_first()
    assert "no plan waits here" in commanded.command("/go", number)
    commanded.close()
    asked = commanded.asked("/plan and keep the old name", number)
    for _ in range(2):
        carry_out(asked, commanded.services)
    [(name, request)] = commanded.states.started.items()
    assert (name, request["plan"], request["pull_request"]) == (f"implement-{number}-{GUID}", "only", number)
    opened = commanded.open(name, **{key: value for key, value in request.items() if key != "repository"})
    found = commanded.artifacts.read_request(name)
    assert found is not None
    assert (opened.pull_request, found.plan) == (number, "only")
    assert [one.body for one in found.follow_ups] == ["/plan and keep the old name"]
    fields = {"repository": REPOSITORY, "branch": opened.branch, "created_at": "2030-01-01T00:00:00+00:00"}
    commanded.sessions.update_session("s-2", fields)
    commanded.close("s-2", outcome="planned")
    commanded.states.started.clear()
    go = commanded.asked("/go", number)
    carry_out(go, commanded.services)
    [request] = commanded.states.started.values()
    assert (request["plan"], request["comment_id"]) == (False, go.comment_id)
    assert commanded.reactions(go) == ["+1"]


def test_a_stop_that_comes_twice_is_said_once(commanded: Commanded) -> None:
    """When the sweep has closed what was stopped, the same message adds no contrary word."""
    number = commanded.begin_first()
    asked = commanded.asked("/stop", number)
    carry_out(asked, commanded.services)
    commanded.stop(end=ExecutionEnd(status="ABORTED", error="SessionStopped", cause="By the maintainer."))
    commanded.sweep(minutes=5)
    assert commanded.sessions.read_session("s-1").error == "SessionStopped"
    assert carry_out(asked, commanded.services) == "The sessions were stopped before."
    assert commanded.reactions(asked) == ["+1"]
    assert commanded.answers(number) == []


@pytest.mark.parametrize("command", ["/retry", "/go", "/plan"])
def test_what_starts_a_session_starts_one_however_late_it_comes_again(
    commanded: Commanded, command: str
) -> None:
    """Another worker's session since then is not the one that was meant."""
    number = commanded.begin_first()
    commanded.close(outcome="planned")
    asked = commanded.asked(command, number)
    carry_out(asked, commanded.services)
    [(name, request)] = commanded.states.started.items()
    for session_id, worker in ((name, "implement"), (f"docs-{number}-{OTHER_GUID}", "docs")):
        fields: Any = {
            "repository": REPOSITORY,
            "pull_request": number,
            "created_at": datetime.now(UTC).isoformat(),
        }
        commanded.sessions.update_session(
            session_id, {**fields, "input": json.dumps({**request, "worker": worker}), "outcome": "changed"}
        )
        commanded.close(session_id)
    carry_out(asked, commanded.services)
    assert list(commanded.states.started) == [name]
    assert commanded.reactions(asked) == ["+1"]
    assert commanded.answers(number) == []


@pytest.mark.parametrize("error", ["NotAllowed", "NotAddressed", "AlreadyRunning"])
def test_retry_and_go_mean_what_was_to_be_done(commanded: Commanded, error: str) -> None:
    """A stranger's request that was refused since is neither done in the maintainer's name nor in the way."""
    number = commanded.begin_first()
    commanded.close(outcome="planned")
    later = datetime.now(UTC) + timedelta(minutes=1)
    request = {"repository": REPOSITORY, "pull_request": number, "comment_id": 77, "requested_by": STRANGER}
    fields = {"repository": REPOSITORY, "created_at": later.isoformat(), "error": error}
    commanded.sessions.update_session("s-2", {**fields, "input": json.dumps(request)})
    commanded.close("s-2", status="FAILED")
    assert commanded.command("/retry", number).startswith("The session s-1 is started again")
    [request] = commanded.states.started.values()
    assert "comment_id" not in request
    commanded.states.started.clear()
    go = commanded.asked("/go", number, delivery_id=OTHER_GUID)
    assert carry_out(go, commanded.services).endswith("is started.")


def test_costs_are_decimals(commanded: Commanded) -> None:
    """The table's numbers are summed as they are."""
    commanded.begin_first()
    commanded.close(cost_usd=0.1)
    assert commanded.sessions.read_session("s-1").cost_usd == Decimal("0.1")

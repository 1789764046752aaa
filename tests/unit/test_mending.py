"""Red checks on our own pull requests: from the webhook's delivery to the session that mends them."""

from __future__ import annotations

import itertools
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pullwright.errors import AwsUnavailable, ChecksOutdated, GitHubUnavailable
from pullwright.events.command import carry_out
from pullwright.events.messages import QueuedCommand
from pullwright.github.transport import Response
from pullwright.opening.failing import LONGEST_LOG, clean_log
from pullwright.text import printable
from pullwright.webhook.answers import Answer
from pullwright.webhook.message import Message
from runner.agent.prompt import build_prompt
from tests.examples import examples
from tests.unit.mending_kit import BROKEN, FLAKY, HOPELESS, Mended, decided
from tests.unit.pipeline_kit import PERSON, REPOSITORY
from tests.unit.reconcile_kit import table
from tests.unit.webhook_kit import GUID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pullwright.events.messages import QueuedChecks

SUITE: dict[str, Any] = {
    "action": "completed",
    "check_suite": {
        "head_branch": "claude/8",
        "head_sha": "a" * 40,
        "conclusion": "failure",
        "pull_requests": [{"number": 9}],
        "app": {"id": 15368, "slug": "github-actions"},
    },
    "repository": {"full_name": "octo-org/widgets"},
    "sender": {"login": "pullwright[bot]", "type": "Bot"},
    "installation": {"id": 5},
}
LAST = "1 sessions are started, 0 were before."


def suite(**fields: Any) -> dict[str, Any]:
    """Return a delivery about other checks."""
    return {**SUITE, "check_suite": {**SUITE["check_suite"], **fields}}


@contextmanager
def opened(folder: Path) -> Iterator[Mended]:
    """Yield a deployment with a pull request."""
    with table() as client:
        yield Mended(folder, client)


@pytest.fixture
def mended(tmp_path: Path) -> Iterator[Mended]:
    """Provide a deployment with a pull request."""
    with opened(tmp_path) as made:
        yield made


def test_a_red_check_is_mended_in_one_session(mended: Mended) -> None:
    """It fails twice on the same commit, and one session for whoever asked first makes it pass."""
    mended.order(BROKEN)
    commit = mended.push()
    assert mended.handle_all() == ["What failed runs again.", LAST]
    [(name, request)] = mended.states.started.items()
    assert name == f"fix-ci-{mended.number}-{commit[:36]}"
    assert (request["worker"], request["checked_commit"]) == ("fix-ci", commit)
    assert (request["requested_by"], "delivery_id" in request) == (PERSON, True)
    assert mended.run_sessions() == ["pushed"]
    assert mended.handle_all() == ["Nothing that passed had been run again."]
    assert len(mended.states.started) == 1
    assert mended.word() == ""


def test_a_flaky_check_costs_no_session(mended: Mended) -> None:
    """It passes when the same commit is run again, and that is said once."""
    mended.order(FLAKY)
    mended.push()
    messages = list(mended.waiting)
    assert mended.handle_all() == ["What failed runs again.", "What had failed was flaky."]
    for message in messages:
        assert mended.handle(message) == "Nothing fails on the commit any more."
    assert mended.states.started == {}
    assert "`test` failed on" in mended.word()
    assert "No code was changed" in mended.word()


def test_what_fails_on_the_base_is_not_mended(mended: Mended) -> None:
    """A check that failed on the base commit too is not this branch's failure."""
    mended.github.write("main", {".github/workflows/base.yml": "on: push\njobs:\n  test: {}\n"})
    mended.order(HOPELESS)
    mended.push(branch="main")
    mended.waiting.clear()
    mended.push()
    assert mended.handle_all()[-1] == "What fails failed on the base too."
    assert mended.states.started == {}
    assert "base commit" in mended.word()


def test_a_hopeless_check_gets_three_sessions(mended: Mended) -> None:
    """The fourth time one sentence says so; somebody's push begins the count anew."""
    mended.order(HOPELESS)
    mended.push()
    for number in (1, 2, 3):
        assert mended.handle_all()[-1] == LAST
        assert mended.run_sessions("a bug\n") == ["pushed"]
        assert len(mended.states.started) == number
        assert mended.word() == ""
    assert mended.handle_all()[-1] == "Too many sessions have tried in a row."
    assert "Given up" in mended.word()
    assert mended.run_sessions() == []
    mended.push(message="A person tries")
    assert mended.handle_all()[-1] == LAST


@pytest.mark.parametrize(
    ("fields", "matched"),
    [
        ({}, ("fix-ci",)),
        ({"conclusion": "timed_out"}, ("fix-ci",)),
        ({"conclusion": "success"}, ()),
        ({"app": None}, ("fix-ci",)),
    ],
)
def test_checks_that_end_are_queued(fields: dict[str, Any], matched: tuple[str, ...]) -> None:
    """Also on pushes of our own App; those that passed may end a doubt, and start nothing."""
    made = decided(suite(**fields))
    assert isinstance(made, Message), made
    assert made.matched == matched
    assert json.loads(made.message)["has_passed"] == (not matched)


@pytest.mark.parametrize(
    "fields",
    [
        *({"conclusion": it} for it in ("action_required", "cancelled", "neutral", "skipped", "stale", None)),
        {"head_branch": "topic"},
        {"pull_requests": []},
    ],
)
def test_other_checks_are_no_business_of_ours(fields: dict[str, Any]) -> None:
    """Those that wait for people, were called off or say nothing, and other branches."""
    made = decided(suite(**fields))
    assert isinstance(made, Answer)
    assert made.status == "ignored"


def test_our_own_checks_start_nothing(mended: Mended) -> None:
    """What the session itself found stands in its report already."""
    mended.order(BROKEN)
    mended.push()
    [message] = mended.waiting
    ours = message.model_copy(update={"app_id": 7})
    assert mended.handle(ours) == "Our own checks start nothing."


def test_a_check_of_another_app_is_mended_at_once(mended: Mended) -> None:
    """Only what GitHub Actions did can be run again."""
    mended.order(HOPELESS)
    mended.push()
    other = {"id": 1, "name": "scan", "status": "completed", "conclusion": "failure"}
    app = {"app": {"id": 99, "slug": "scanner"}, "check_suite": {"id": 2}}
    checks = {"total_count": 1, "check_runs": [{**other, **app}]}
    mended.github.before.append(("GET", "/check-runs", Response(200, {}, checks)))
    assert mended.handle_all() == [LAST]


def test_a_commit_that_is_not_the_head_any_more_is_left_alone(mended: Mended) -> None:
    """Neither the function nor a session that has waited works on it; nothing is said."""
    mended.order(HOPELESS)
    first = mended.push()
    assert mended.handle_all()[-1] == LAST
    mended.push()
    assert mended.run_sessions() == [ChecksOutdated.__name__]
    assert first in mended.ran.values()
    mended.github.person("PATCH", f"/pulls/{mended.number}", {"state": "closed"})
    assert set(mended.handle_all()) == {"No open pull request of ours has this commit as its head."}
    assert mended.word() == ""


def test_somebody_else_s_pull_request_is_left_alone(mended: Mended) -> None:
    """A branch of the same name does not make it ours."""
    mended.order(HOPELESS)
    mended.github.commit("claude/other")
    fields = {"title": "Mine", "head": "claude/other", "base": "main"}
    mended.github.person("POST", "/pulls", fields)
    mended.push(branch="claude/other")
    assert mended.waiting
    assert set(mended.handle_all()) == {"No open pull request of ours has this commit as its head."}


def test_who_started_it_in_the_account_needs_no_permission(tmp_path: Path) -> None:
    """What was begun without a webhook goes on without one; a stub stays a stub."""
    with table() as client:
        mended = Mended(tmp_path, client, first={"stub": True})
        mended.order(HOPELESS)
        mended.push()
        mended.handle_all()
        [request] = mended.states.started.values()
        assert request["stub"] is True
        assert not {"requested_by", "delivery_id"} & request.keys()
        assert mended.run_sessions("") == ["no change"]


def test_who_may_not_write_any_more_gets_no_session(mended: Mended) -> None:
    """The permission of whoever asked first is looked at each time."""
    mended.order(HOPELESS)
    mended.push()
    mended.handle_all()
    mended.github.control("PUT", f"/repositories/{REPOSITORY}/permissions", {PERSON: "read"})
    assert mended.run_sessions() == ["NotAllowed"]


def test_who_retries_means_the_head_as_it_is_now(mended: Mended) -> None:
    """A session that mends is started again for the newest commit, not for the one that failed then."""
    request = {"pull_request": mended.number, "worker": "fix-ci", "checked_commit": "a" * 40}
    record = {
        "input": json.dumps({"repository": REPOSITORY, **request}),
        "status": "SUCCEEDED",
        "worker": "fix-ci",
    }
    later = (mended.start + timedelta(seconds=1)).isoformat()
    place = {"repository": REPOSITORY, "branch": mended.branch, "created_at": later}
    mended.sessions.update_session("s-1", {"status": "SUCCEEDED"})
    mended.sessions.update_session("s-2", {**record, **place, "session_id": "s-2"})
    comment = mended.github.person("POST", f"/issues/{mended.number}/comments", {"body": "/retry"})
    text = sha256(b"").hexdigest()
    asked = QueuedCommand(
        kind="command",
        name="retry",
        is_alone=True,
        repository=REPOSITORY,
        number=mended.number,
        is_pull_request=True,
        login=PERSON,
        installation_id=mended.github.app().installation_of(REPOSITORY)[0].id,
        comment_id=comment["id"],
        asked_at=datetime.now(UTC),
        delivery_id=GUID,
        title_sha256=text,
        body_sha256=text,
    )
    assert "started again" in carry_out(asked, mended.services)
    [again] = mended.states.started.values()
    assert (again["worker"], "checked_commit" in again) == ("fix-ci", False)


def test_nobody_known_is_said(mended: Mended) -> None:
    """Records of sessions do not stay for ever."""
    mended.order(HOPELESS)
    mended.push()
    mended.client.delete_item(TableName="table", Key={"pk": {"S": "SESSION#s-1"}})
    assert mended.handle_all()[-1] == "It is not known who asked for the work."
    assert "not known any more who asked" in mended.word()
    assert mended.states.started == {}


def test_without_the_permission_nothing_is_run_again(mended: Mended) -> None:
    """An installation that has not accepted it gets a session for the first failure."""
    written = dict.fromkeys(("checks", "contents", "issues", "pull_requests"), "write")
    mended.github.grant(**written, metadata="read")
    mended.order(FLAKY)
    mended.push()
    assert mended.handle_all() == [LAST]


def test_a_run_that_github_runs_no_more_is_mended_at_once(mended: Mended) -> None:
    """A refusal that is none because somebody was faster."""
    mended.order(HOPELESS)
    mended.push()
    refused = Response(403, {}, {"message": "Unable to retry this workflow run"})
    # After the first refusal it is asked with another token.
    mended.github.before += [("POST", "/rerun-failed-jobs", refused)] * 2
    assert mended.handle_all() == [LAST]


def test_a_session_waits_for_the_one_before_it(mended: Mended) -> None:
    """It does not end because another one works on the branch."""
    mended.order(HOPELESS)
    mended.push()
    mended.handle_all()
    mended.begin("s-2", "opened", issue=None, pull_request=mended.number)
    assert mended.run_sessions() == ["BranchBusy"]


def test_what_github_does_not_answer_is_asked_again(mended: Mended) -> None:
    """An outage in between leaves nothing that keeps the next try from doing it all."""
    mended.order(HOPELESS)
    mended.push()
    [message] = mended.waiting
    mended.github.before += [("POST", "/rerun-failed-jobs", Response(502, {}))]
    with pytest.raises(GitHubUnavailable):
        mended.handle(message)
    assert mended.handle(message) == "What failed runs again."


def test_a_record_that_others_change_all_the_time_is_tried_again(mended: Mended) -> None:
    """Nobody overwrites what another one has noted."""
    checks = mended.sessions.checks
    versions = itertools.count()

    def race(record: Any) -> Any:
        number = next(versions)
        if number % 2 == 0:
            checks.change(REPOSITORY, "b", race)
        return record.model_copy(update={"commit": str(number)})

    with pytest.raises(AwsUnavailable):
        checks.change(REPOSITORY, "b", race)


def test_the_session_reads_what_failed(mended: Mended) -> None:
    """Names, conclusions and the ends of the logs, without what fails on the base too."""
    mended.github.write("main", {".github/workflows/base.yml": "on: push\njobs:\n  lint: {}\n"})
    mended.order({"job": "lint", "attempts": ["failure"]}, HOPELESS | {"log": "\x1b[31m1 != 2\x1b[0m\n" * 9})
    mended.push(branch="main")
    mended.waiting.clear()
    mended.push()
    mended.handle_all()
    mended.run_sessions("")
    [request] = [mended.artifacts.read_request(name) for name in mended.ran]
    assert request is not None
    [check] = request.failing
    assert (check.name, check.conclusion, check.log) == ("test", "failure", "\n".join(["1 != 2"] * 9))
    prompt = build_prompt(request, "beef")
    assert "Checks have failed" in prompt
    assert "<check-beef>\ntest: failure\n\n1 != 2" in prompt


def test_a_log_that_cannot_be_had_leaves_its_name(mended: Mended) -> None:
    """It was deleted, its address gives nothing, GitHub is down, or the permission is missing."""
    mended.order(HOPELESS)
    commit = mended.push()
    answers = [Response(410, {}, {}), Response(302, {"location": "ftp://x/"}), *[Response(502, {})] * 3]
    for number, answer in enumerate(answers[:3], start=2):
        mended.github.before += [("GET", "/logs", answer)] * (3 if answer.status == 502 else 1)
        mended.open(f"s-{number}", worker="fix-ci", pull_request=mended.number, checked_commit=commit)
        request = mended.artifacts.read_request(f"s-{number}")
        assert request is not None
        assert [(check.name, check.log) for check in request.failing] == [("test", "")]
        mended.end(f"s-{number}")
    written = dict.fromkeys(("checks", "contents", "issues", "pull_requests"), "write")
    mended.github.grant(**written, metadata="read")
    mended.open("s-9", worker="fix-ci", pull_request=mended.number)
    request = mended.artifacts.read_request("s-9")
    assert request is not None
    assert [(check.name, check.log) for check in request.failing] == [("test", "")]


def test_what_does_not_fail_any_more_is_not_mended(mended: Mended) -> None:
    """Somebody has run it again meanwhile; who starts the worker by hand gets a session all the same."""
    mended.order()
    commit = mended.push()
    with pytest.raises(ChecksOutdated):
        mended.open("s-2", worker="fix-ci", pull_request=mended.number, checked_commit=commit)
    assert mended.ledger.locks() == []
    mended.open("s-3", worker="fix-ci", pull_request=mended.number)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("\ufeff2026-11-27T03:15:03.1234567Z one\n2026-11-27T03:15:04.1234567Z two\n", "one\ntwo"),
        ("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \x1b[2Kdone\x1b(B", "red link done"),
        ("a\u200bb\u202e\r\nc\x00", "ab\nc"),
        ("x" * LONGEST_LOG + "\n" + "end", "end"),
        ("y" * LONGEST_LOG * 2, "y" * LONGEST_LOG),
        ("key ghp_" + "a" * 36, "key [hidden]"),
        ("", ""),
    ],
)
def test_logs_are_plain_text(log: str, expected: str) -> None:
    """Without times, colours, links, what nobody sees, and secrets; the end, in whole lines if there are."""
    assert clean_log(log) == expected


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_log_keeps_what_nobody_sees(log: str) -> None:
    """Whatever it holds, the agent reads what a person would."""
    cleaned = clean_log(log)
    assert cleaned == printable(cleaned)
    assert "\x1b" not in cleaned


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mended, Iterator[int]]]:
    """Provide one deployment for many examples, each with a pull request of its own."""
    with table() as client:
        yield Mended(tmp_path_factory.mktemp("mending"), client), itertools.count(2)


STEPS = st.lists(
    st.sampled_from(["push", "handle", "repeat", "run", "run in vain", "finish", "late"]), max_size=10
)


@settings(max_examples=examples(8), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    steps=STEPS,
    outcome=st.sampled_from([BROKEN, FLAKY, HOPELESS]),
    wait=st.booleans(),
    choice=st.randoms(use_true_random=False),
)
def test_no_order_of_events_makes_a_loop(
    shared: tuple[Mended, Iterator[int]], steps: list[str], outcome: Any, choice: Any, *, wait: bool
) -> None:
    """Never two sessions for one commit, never more than three in a row, and an end."""
    mended, numbers = shared
    # GitHub's limits on what an App writes in a minute are another test's.
    mended.github.sleep(3_600)
    mended.first(f"s-{next(numbers)}", requested_by=PERSON, delivery_id=GUID)
    mended.order(outcome, wait=wait)
    row = [mended.push()]
    handled: list[QueuedChecks] = []

    def take(step: str) -> None:
        nonlocal row
        if step == "push":
            # Who pushes begins a row, and a session's commit goes on with it.
            row = [mended.push()]
        elif step in {"handle", "late"} and mended.waiting:
            place = 0 if step == "handle" else choice.randrange(len(mended.waiting))
            handled.append(mended.waiting.pop(place))
            mended.handle(handled[-1])
        elif step == "repeat" and handled:
            mended.handle(choice.choice(handled))
        elif step == "finish":
            mended.finish()
        elif step.startswith("run") and mended.run_sessions("mended\n" if step == "run" else "a bug\n"):
            row.append(mended.github.head(mended.branch))
        commits = [request["checked_commit"] for request in mended.states.started.values()]
        assert len(commits) == len(set(commits))
        assert sum(commit in row for commit in commits) <= 3

    for step in steps:
        take(step)
    # Three sessions for each row, each with a run, another one, and the session itself.
    for _ in range(12):
        take("finish")
        told = mended.handle_all()
        before = len(mended.ran)
        take("run in vain")
        if not told and before == len(mended.ran):
            break
    assert mended.waiting == []
    assert mended.run_sessions() == []

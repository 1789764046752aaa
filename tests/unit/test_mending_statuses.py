"""Bad statuses of commits on our own pull requests, the older form of checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.webhook.answers import Answer
from pullwright.webhook.message import Message
from pullwright.workers.events import STATUS
from tests.unit.mending_kit import FLAKY, Mended, decided
from tests.unit.reconcile_kit import table

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTED = "1 sessions are started, 0 were before."
BODY: dict[str, Any] = {
    "sha": "a" * 40,
    "state": "failure",
    "context": "ci/other",
    "branches": [
        {"name": "claude/9", "commit": {"sha": "b" * 40}},
        {"name": "main", "commit": {"sha": "a" * 40}},
        {"name": "claude/8", "commit": {"sha": "a" * 40}},
    ],
    "repository": {"full_name": "octo-org/widgets"},
    "sender": {"login": "jenkins[bot]", "type": "Bot"},
    "installation": {"id": 5},
}


@pytest.fixture
def mended(tmp_path: Path) -> Iterator[Mended]:
    """Provide a deployment with a pull request whose workflows pass."""
    with table() as client:
        yield Mended(tmp_path, client)


@pytest.mark.parametrize(("state", "passed"), [("failure", False), ("error", False), ("success", True)])
def test_a_status_of_a_head_is_queued(state: str, *, passed: bool) -> None:
    """For the branch of ours that has the commit as its head; whoever set it is nobody who asks."""
    made = decided({**BODY, "state": state}, event=STATUS)
    assert isinstance(made, Message), made
    message = json.loads(made.message)
    assert (message["branch"], message["commit"], message["pull_requests"]) == ("claude/8", "a" * 40, [])
    assert (message["has_passed"], made.matched) == (passed, () if passed else ("fix-ci",))


@pytest.mark.parametrize(
    "fields", [{"state": "pending"}, {"branches": []}, {"branches": BODY["branches"][:2]}, {"sha": "c" * 40}]
)
def test_other_statuses_are_no_business_of_ours(fields: dict[str, Any]) -> None:
    """Those that wait, and those of commits that no branch of ours has as its head."""
    made = decided({**BODY, **fields}, event=STATUS)
    assert isinstance(made, Answer)
    assert made.status == "ignored"


def test_a_bad_status_is_mended_in_one_session(mended: Mended) -> None:
    """Nothing can run it again, so that the first one counts; the session reads what it says of itself."""
    commit = mended.push()
    mended.handle_all()
    for state in ("pending", "failure", "error"):
        mended.set_status(commit, state)
    assert mended.handle_all() == [STARTED, "0 sessions are started, 1 were before."]
    [name] = mended.states.started
    assert name == f"fix-ci-{mended.number}-{commit[:36]}"
    assert mended.run_sessions() == ["pushed"]
    request = mended.artifacts.read_request(name)
    assert request is not None
    [check] = request.failing
    assert (check.name, check.conclusion, check.log) == ("ci/other", "error", "The build is a error")
    head = mended.github.head(mended.branch)
    mended.set_status(head, "success")
    assert mended.handle_all()[-1] == "Nothing that passed had been run again."


def test_three_sessions_try_and_no_more(mended: Mended) -> None:
    """They are counted with those of checks."""
    mended.push()
    for number in (1, 2, 3):
        mended.set_status(mended.github.head(mended.branch), "failure")
        assert mended.handle_all()[-1] == STARTED
        assert mended.run_sessions("a bug\n") == ["pushed"]
        assert len(mended.states.started) == number
    mended.set_status(mended.github.head(mended.branch), "failure")
    assert mended.handle_all()[-1] == "Too many sessions have tried in a row."
    assert "`ci/other` failed on" in mended.word()


def test_a_status_that_is_bad_on_the_base_is_not_mended(mended: Mended) -> None:
    """It is not this branch's failure."""
    mended.set_status(mended.github.head("main"), "error")
    mended.set_status(mended.push(), "failure")
    assert mended.handle_all()[-1] == "What fails failed on the base too."
    assert mended.states.started == {}


def test_a_check_is_not_flaky_while_a_status_is_bad(mended: Mended) -> None:
    """One certain failure is reason enough for a session, and nothing is run again for it."""
    mended.order(FLAKY, wait=True)
    commit = mended.push()
    mended.set_status(commit, "failure")
    mended.waiting.clear()
    mended.finish()
    assert STARTED in mended.handle_all()


@pytest.mark.parametrize("permission", ["statuses", "actions"])
def test_what_is_not_granted_is_not_asked_for(mended: Mended, permission: str) -> None:
    """An installation from before goes on with what it has granted."""
    text = Path("functions/pullwright/github/app_permissions.json").read_text()
    granted = {name: it["access"] for name, it in json.loads(text)["permissions"].items()}
    del granted[permission]
    mended.github.grant(**granted)
    mended.set_status(mended.push(), "failure")
    sees_it = permission != "statuses"
    told = mended.handle_all()
    assert (STARTED in told) is sees_it
    if sees_it:
        assert mended.run_sessions("") == ["no change"]

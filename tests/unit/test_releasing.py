"""Releasing held CI, from the webhook's delivery to the commit on the branch."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from github_standin.workflows import skips
from pullwright.comments import HOLD_BEGIN, RELEASE_MARKER, TRACKING_MARKER, render_hold
from pullwright.errors import GitHubUnavailable
from pullwright.events.messages import QueuedRelease
from pullwright.events.release import release
from pullwright.github.permissions import OPENING
from pullwright.github.transport import Response
from pullwright.table import lock_key
from pullwright.webhook.answers import Answer
from pullwright.webhook.decision import decide
from pullwright.webhook.message import Message
from runner.git.message import commit_message, hold_message
from tests.unit.pipeline_kit import PERSON, REPOSITORY, SLUG, STRANGER, Deployment, key_pair
from tests.unit.runner_kit import a_request
from tests.unit.webhook_kit import LABEL, SECRET, headers

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.github.client import GitHubClient

BRANCH = "claude/1"
APP = {"app_id": 7, "slug": SLUG, "public_key_pem": key_pair()[1]}
WORKFLOW = "on: [push, pull_request]\njobs: {}\n"


def hold(deployment: Deployment, branch: str) -> str:
    """Put held work of a session on a branch, as a runner does, and return the head."""
    client = deployment.github.app().client(REPOSITORY, OPENING)
    request = a_request(branch=branch, requested_by=PERSON)
    parent = deployment.github.head(branch)
    tree = client.get_commit(REPOSITORY, parent).tree.sha
    for message in (commit_message(request, "Done."), hold_message(request)):
        parent = client.create_commit(REPOSITORY, tree=tree, parent=parent, message=message)
    assert client.forward_branch(REPOSITORY, branch, parent) is None
    return parent


class Held(Deployment):
    """A pull request with held work, whose session has ended."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder)
        self.github.repository(files={".github/workflows/ci.yml": WORKFLOW}, **settings)
        self.github.issue()
        opened = self.open(issue=1, requested_by=PERSON)
        self.end()
        self.number = opened.pull_request
        self.client.update_comment(
            REPOSITORY, opened.comment_id, f"{TRACKING_MARKER}\n\n{render_hold()}\n\nMore."
        )
        self.work = self.hold()

    @property
    def client(self) -> GitHubClient:
        """The App's."""
        return self.github.app().client(REPOSITORY, OPENING)

    def hold(self) -> str:
        """Put work of a session on the branch and return the head."""
        return hold(self, BRANCH)

    def asked(self, login: str = PERSON, **changes: Any) -> QueuedRelease:
        """Return what the webhook queues for a comment that was written now."""
        comment = self.github.person("POST", f"/issues/{self.number}/comments", {"body": "/ci"}, login)
        fields = {
            "kind": "release",
            "repository": REPOSITORY,
            "pull_request": self.number,
            "login": login,
            "installation_id": self.github.app().installation_of(REPOSITORY)[0].id,
            "comment_id": comment["id"],
            "asked_at": comment["created_at"],
        }
        return QueuedRelease.model_validate_json(json.dumps({**fields, **changes}))

    def release(self, asked: QueuedRelease | None = None, **changes: Any) -> str:
        """Release as a fresh Lambda environment does."""
        return release(asked or self.asked(**changes), self.github.app(), self.store)

    def reactions(self, asked: QueuedRelease) -> list[str]:
        """Return the reactions to the comment that asked."""
        found = self.github.person("GET", f"/issues/comments/{asked.comment_id}/reactions")
        return [one["content"] for one in found]

    def ran(self, commit: str) -> set[str]:
        """Return the events that ran workflows on a commit."""
        runs = self.github.person("GET", f"/actions/runs?head_sha={commit}")["workflow_runs"]
        return {run["event"] for run in runs}

    def replies(self) -> list[str]:
        """Our answers to those who asked."""
        bodies = [one["body"] for one in self.github.comments(self.number)]
        return [body for body in bodies if body.startswith(RELEASE_MARKER)]


@pytest.fixture
def held(tmp_path: Path) -> Held:
    """Provide a pull request with held work."""
    return Held(tmp_path)


def test_a_release_is_one_signed_commit_without_a_change(held: Held) -> None:
    """Nothing runs on held work; on top comes one verified commit with the same tree, and workflows run."""
    assert held.ran(held.work) == set()
    asked = held.asked()
    assert held.release(asked) == "CI was released."
    head = held.github.head(BRANCH)
    commit = held.github.person("GET", f"/git/commits/{head}")
    assert [one["sha"] for one in commit["parents"]] == [held.work]
    assert commit["tree"] == held.github.person("GET", f"/git/commits/{held.work}")["tree"]
    assert commit["verification"]["verified"]
    assert not skips(commit["message"])
    assert PERSON in commit["message"]
    assert held.ran(head) == {"push", "pull_request"}
    assert held.reactions(asked) == ["rocket"]
    [tracking] = [one["body"] for one in held.github.comments(held.number) if "More." in one["body"]]
    assert HOLD_BEGIN not in tracking
    assert f"released by {PERSON}" in tracking


def test_a_delivery_that_comes_twice_releases_once(held: Held) -> None:
    """The second one finds nothing held, also when both begin before either has ended."""
    asked = held.asked()
    held.release(asked)
    head = held.github.head(BRANCH)
    assert held.release(asked) == "Nothing is held."
    held.hold()
    # Both have read the pull request before the first has moved the branch.
    stale = held.github.person("GET", f"/pulls/{held.number}")
    again = held.asked()
    held.release(again)
    held.github.before.append(("GET", f"/pulls/{held.number}", Response(200, {}, stale)))
    # Within the same second it would make the very same commit.
    assert held.release(again) in {"The branch has moved meanwhile.", "CI was released."}
    span = held.github.person("GET", f"/compare/{head}...{held.github.head(BRANCH)}")
    assert [one["commit"]["message"].split("\n")[0] for one in span["commits"]] == [
        *("The greeting is misspelt", "Hold CI until somebody has read the work", "Run CI on this work"),
    ]
    assert held.replies() == []


@pytest.mark.parametrize("login", [STRANGER, "nobody-at-all"])
def test_only_who_may_write_releases(held: Held, login: str) -> None:
    """The permission is asked from GitHub; who may only read, or is not known, releases nothing."""
    asked = held.asked(STRANGER).model_copy(update={"login": login})
    assert "may not write" in held.release(asked)
    assert held.reactions(asked) == ["-1"]
    assert held.github.head(BRANCH) == held.work


def test_work_that_came_later_is_not_released(held: Held) -> None:
    """A comment releases what stood there when it was written, a review what it was made on."""
    early = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    asked = held.asked(asked_at=early)
    assert "New work came" in held.release(asked)
    assert "New work came" in held.release(asked_at=None, comment_id=None, commit="a" * 40)
    assert held.reactions(asked) == ["confused"]
    assert held.github.head(BRANCH) == held.work
    # One answer, however often, and it is taken back once CI is released.
    [reply] = held.replies()
    assert "New work came" in reply
    assert held.release(asked_at=None, comment_id=None, commit=held.work) == "CI was released."
    [reply] = held.replies()
    assert "released by" in reply


def test_nothing_is_released_while_a_session_works_on_the_branch(held: Held) -> None:
    """Its work would not fit on top any more."""
    held.store.take_lock(lock_key(REPOSITORY, BRANCH), owner="x", session_id="s-2")
    assert "A session works" in held.release()
    assert held.github.head(BRANCH) == held.work


def test_later_work_is_held_again(held: Held) -> None:
    """A release is for one head."""
    held.release()
    head = held.hold()
    assert held.ran(head) == set()
    assert held.release() == "CI was released."


def test_a_persons_commit_needs_no_release(held: Held) -> None:
    """Whoever pushes on top has run CI; their own trailer is theirs."""
    held.github.commit(BRANCH, "Mine\n\n\nskip-checks: true")
    head = held.github.head(BRANCH)
    asked = held.asked()
    assert held.release(asked) == "Nothing is held."
    assert held.reactions(asked) == ["+1"]
    assert held.github.head(BRANCH) == head


def test_pull_requests_of_others_are_left_alone(held: Held) -> None:
    """On a pull request that no session has worked on, the command is not ours, whoever wrote it."""
    held.github.commit("topic", "Mine\n\n\nPullwright-Session: x\nskip-checks: true")
    pull = held.github.person("POST", "/pulls", {"title": "x", "head": "topic", "base": "main"})
    asked = held.asked(pull_request=pull["number"])
    assert "not open, or no session has worked" in held.release(asked)
    assert held.reactions(asked) == []
    held.github.person("PATCH", f"/pulls/{held.number}", {"state": "closed"})
    assert "not open, or no session has worked" in held.release()
    assert "Nothing was released" in held.release(pull_request=4711)


def test_a_rule_that_refuses_is_told(tmp_path: Path) -> None:
    """GitHub's words reach the pull request."""
    held = Held(tmp_path)
    rule = {"name": "r", "conditions": {"ref_name": {"include": ["~ALL"]}}, "rules": [{"type": "update"}]}
    held.github.control("PATCH", f"/repositories/{REPOSITORY}", {"rulesets": [rule]})
    assert "Cannot update this protected ref" in held.release()
    [reply] = held.replies()
    assert "Cannot update this protected ref" in reply


@pytest.mark.parametrize("call", [("GET", "/permission"), ("POST", "/git/commits")])
def test_a_github_that_fails_is_asked_again(held: Held, call: tuple[str, str]) -> None:
    """The message stays in the queue, and the next attempt does the work once."""
    asked = held.asked()
    held.github.before += [(*call, Response(502, {}))] * 3
    with pytest.raises(GitHubUnavailable):
        held.release(asked)
    held.github.before.clear()
    assert held.release(asked) == "CI was released."


def decided(content: Any) -> Message | Answer:
    """Sign a review and decide."""
    body = json.dumps(content).encode()
    made = decide(headers(body, "pull_request_review", secret=SECRET), body, SECRET, trigger_label=LABEL)
    assert isinstance(made, (Message, Answer))
    return made


REVIEW: dict[str, Any] = {
    "action": "submitted",
    "review": {"id": 7, "state": "approved", "commit_id": "a" * 40},
    "pull_request": {"number": 8, "state": "open"},
    "repository": {"full_name": "octo-org/widgets"},
    "sender": {"login": "maintainer", "type": "User"},
    "installation": {"id": 5},
}


def test_an_approval_is_queued() -> None:
    """What the webhook writes is what the queue's reader reads."""
    made = decided(REVIEW)
    assert isinstance(made, Message)
    asked = QueuedRelease.model_validate_json(made.message)
    assert (asked.repository, asked.pull_request, asked.login) == ("octo-org/widgets", 8, "maintainer")
    assert (asked.asked_at, asked.comment_id, asked.commit) == (None, None, "a" * 40)


def changed(content: dict[str, Any], place: str, **fields: Any) -> dict[str, Any]:
    """Return a payload with some fields of one part changed."""
    if not place:
        return {**content, **fields}
    return {**content, place: {**content[place], **fields}}


IGNORED = [
    changed(REVIEW, "", action="edited"),
    changed(REVIEW, "", action="dismissed"),
    changed(REVIEW, "review", state="commented"),
    changed(REVIEW, "review", state="changes_requested"),
    changed(REVIEW, "pull_request", state="closed"),
    changed(REVIEW, "sender", type="Bot"),
]


@pytest.mark.parametrize("content", IGNORED)
def test_everything_else_releases_nothing(content: dict[str, Any]) -> None:
    """Edited and other reviews, and those of Apps, are answered with 200."""
    made = decided(content)
    assert isinstance(made, Answer)
    assert made.status_code == 200


def test_the_stand_in_sends_what_the_webhook_reads(held: Held) -> None:
    """An approval on the stand-in becomes a delivery that releases."""
    held.github.control("PUT", "/app", APP | {"webhook_url": "http://127.0.0.1:9/"})
    held.github.person("POST", f"/pulls/{held.number}/reviews", {"event": "APPROVE"})
    deliveries = held.github.control("GET", "/deliveries", None)
    sent = {one["event"]: one["request"]["payload"] for one in deliveries}
    made = decided(sent["pull_request_review"])
    assert isinstance(made, Message), made
    asked = QueuedRelease.model_validate_json(made.message)
    assert (asked.pull_request, asked.commit) == (held.number, held.work)
    assert held.release(asked) == "CI was released."

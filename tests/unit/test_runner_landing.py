"""Bringing a commit onto a branch through an API that may fail at any call, done or not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import PullwrightError
from pullwright.github.client import GitHubClient
from pullwright.github.refusals import ref_refusal
from pullwright.github.transport import Request, Response
from runner.git.landing import Landing

PARENT, TREE, THEIRS = "1" * 40, "2" * 40, "3" * 40
WHEN = {"committer": {"date": "2026-11-21T08:30:00Z"}}
REPO = "https://api.github.com/repos/acme/shop/git"


@dataclass
class Git:
    """GitHub's git database, with answers that go wrong in a given order.

    Attributes:
        plan: what happens to each call: `ok`, `before` (502, nothing done), `lost` (done, then 502), `lag`
            (what was pushed is not seen yet), `moved` (somebody pushes first).
    """

    plan: list[str]
    branch: str = PARENT
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)

    def send(self, request: Request) -> Response:
        """Answer one request."""
        what = self.plan.pop(0) if self.plan else "ok"
        if what == "moved" and self.branch == PARENT:
            self.branch = THEIRS
        if what == "before":
            return Response(502, {})
        answer = self._lag(request) if what == "lag" else self._work(request)
        return Response(502, {}) if what == "lost" else answer

    def _lag(self, request: Request) -> Response:
        if request.method == "GET":
            return self._work(request)
        message = "Object does not exist" if request.method == "PATCH" else "Tree SHA does not exist"
        return _answer(422, {"message": message})

    def _work(self, request: Request) -> Response:
        given_ = json.loads(request.body) if request.body else {}
        if request.method == "POST":
            sha = sha1(f"{len(self.commits)}".encode(), usedforsecurity=False).hexdigest()
            self.commits[sha] = given_
            return _answer(201, {"sha": sha, "tree": {"sha": TREE}, "message": given_["message"], **WHEN})
        if request.method == "PATCH":
            sha = given_["sha"]
            assert given_["force"] is False
            if sha != self.branch and self.commits[sha]["parents"] != [self.branch]:
                return _answer(422, {"message": "Update is not a fast forward"})
            self.branch = sha
        return _answer(200, {"ref": "refs/heads/claude/7", "object": {"sha": self.branch}})


def _answer(status: int, body: dict[str, Any]) -> Response:
    return Response(status, {}, body)


@given(st.lists(st.sampled_from(["ok", "before", "lost", "lag", "moved"]), max_size=14))
def test_the_branch_has_the_work_exactly_if_we_say_so(plan: list[str]) -> None:
    """Whatever fails and wherever: the answer is right, and nobody's push is undone."""
    git = Git(list(plan))
    github = GitHubClient("https://api.github.com", lambda: "t", transport=git, sleep=lambda _: None)
    landing = Landing(github, "acme/shop", "claude/7", lambda _: None)
    try:
        commit = landing.land(TREE, PARENT, "message")
    except PullwrightError:
        commit = None
    if commit is not None:
        assert git.branch == commit
        assert git.commits[commit] == {"message": "message", "tree": TREE, "parents": [PARENT]}
    elif "lost" not in plan:
        # A lost answer may hide a move that we then cannot see for more failures.
        assert git.branch in {PARENT, THEIRS}
    if git.branch == THEIRS:
        assert commit is None
    if set(plan) <= {"ok"} or (len(plan) < 3 and "moved" not in plan):
        assert commit is not None


@given(st.text(max_size=500))
def test_every_refusal_has_a_sentence(message: str) -> None:
    """Whatever GitHub says becomes one line that can be read."""
    sentence = ref_refusal("claude/7", message).sentence
    assert sentence
    assert "\n" not in sentence


def test_refusals_are_told_by_their_words() -> None:
    """The sentences are GitHub's: from its documentation and from reports of its users.

    https://docs.github.com/en/rest/git/refs, https://github.com/satisfactory-factories/application/issues/67,
    https://github.com/dependabot/dependabot-core/pull/3998, https://github.com/vercel/workflow/pull/1867.
    """
    known = {
        "Update is not a fast forward": ("PushRefused", "Somebody else pushed"),
        "Reference does not exist": ("GitHubRefused", "does not exist any more"),
        "Object does not exist": ("GitHubUnavailable", "does not know the commit"),
        "Repository rule violations found\n\nChanges must be made through a pull request.\n\n": (
            "BranchProtected",
            "claude/7: Changes must be made through a pull request.",
        ),
        "6 of 6 required status checks are expected.": ("BranchProtected", "6 of 6 required status checks"),
        "Repository rule violations found\n\nCommits must have verified signatures.\n\n": (
            "BranchProtected",
            "verified signatures",
        ),
        "Reference update failed": ("PushRefused", "Reference update failed"),
    }
    for message, (error, words) in known.items():
        failure = ref_refusal("claude/7", message)
        assert type(failure).__name__ == error, message
        assert words in failure.sentence

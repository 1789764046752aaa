"""Findings come onto the pull request once, where GitHub takes them, and go when they are dealt with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.github.transport import Response
from pullwright.models import Outcome
from pullwright.reviewing.identity import identified
from pullwright.reviewing.marks import session_marker
from pullwright.reviewing.models import Findings, Remark
from tests.unit.pipeline_kit import BOT, PERSON
from tests.unit.test_reporting import Reporting

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.results import Verdict
    from pullwright.reviewing.models import Finding

OLD = [f"line {number}" for number in range(1, 41)]
NEW = [*OLD[:19], "a mistake", *OLD[19:]]
MISTAKE = {"path": "a.txt", "line": 20, "severity": "high", "text": "This is **wrong**."}
CONTEXT = {"path": "a.txt", "line": 23, "text": "Context can bear a comment."}
FAR = {"path": "a.txt", "line": 30, "text": "No hunk shows this."}


class Reviewing(Reporting):
    """A person's pull request, which sessions read."""

    def __init__(self, folder: Path) -> None:
        Reporting.__init__(self, folder)
        self.github.repository(files={"a.txt": "\n".join(OLD) + "\n"})
        self.push(NEW)
        self.github.person("POST", "/pulls", {"title": "Topic", "head": "topic", "base": "main"})

    def push(self, lines: list[str]) -> None:
        """Push a version of the file to the pull request."""
        self.lines = lines
        self.github.write("topic", {"a.txt": "\n".join(lines) + "\n"})

    def read(
        self, session_id: str, *remarks: dict[str, Any], resolved: tuple[str, ...] = (), left_out: int = 0
    ) -> Verdict:
        """Let a session find something, and report it."""
        opened = self.opened(session_id, pull_request=1, worker="review")
        request = self.artifacts.read_request(session_id)
        assert request is not None
        assert request.head_commit is not None
        found = Findings(
            session_id=session_id,
            head_commit=request.head_commit,
            findings=tuple(self.identified(*remarks)),
            resolved=resolved,
            left_out=left_out,
        )
        self.artifacts.findings[session_id] = found.model_dump_json()
        self.result(Outcome.COMMENTED, session_id, commit=None, summary="It is nearly good.")
        verdict = self.report(session_id, opened=opened)
        self.end(session_id)
        return verdict

    def identified(self, *remarks: dict[str, Any]) -> list[Finding]:
        """Return remarks with their ids."""
        return identified(map(Remark.model_validate, remarks), lambda *_: self.lines)

    def inline(self) -> list[dict[str, Any]]:
        """Return the comments in the threads."""
        return list(self.github.person("GET", "/pulls/1/comments"))

    def text(self) -> str:
        """Return the session's comment, the only one of its kind."""
        [found] = self.github.comments(1)
        assert found["body"].startswith(session_marker("review"))
        return str(found["body"])

    def threads(self) -> list[tuple[bool, str]]:
        """Return whether each thread is resolved, and its path."""
        query = (
            'query { repository(owner: "octo", name: "widgets") { pullRequest(number: 1) { '
            "reviewThreads(first: 100) { nodes { isResolved path } } } } }"
        )
        nodes = self.github.graphql(query)["repository"]["pullRequest"]["reviewThreads"]["nodes"]
        return [(node["isResolved"], node["path"]) for node in nodes]

    def resolve_as_person(self) -> None:
        """Let the maintainer resolve the newest thread."""
        query = (
            'query { repository(owner: "octo", name: "widgets") { pullRequest(number: 1) { '
            "reviewThreads(last: 1) { nodes { id } } } } }"
        )
        [node] = self.github.graphql(query)["repository"]["pullRequest"]["reviewThreads"]["nodes"]
        self.github.graphql(
            'mutation { resolveReviewThread(input: {threadId: "' + node["id"] + '"}) { thread { id } } }'
        )


@pytest.fixture
def reviewing(tmp_path: Path) -> Reviewing:
    """Provide a pull request with one added line."""
    return Reviewing(tmp_path)


def test_findings_become_one_review(reviewing: Reviewing) -> None:
    """What the difference shows is commented on there, the rest stands in the session's comment."""
    verdict = reviewing.read("r-1", {**MISTAKE, "suggestion": "line 19.5"}, CONTEXT, FAR, left_out=2)
    assert (verdict.status, verdict.outcome, verdict.error) == ("SUCCEEDED", "commented", "")
    assert verdict.sentence.endswith("findings: 3.")
    [review] = reviewing.github.person("GET", "/pulls/1/reviews")
    assert (review["state"], review["user"]["login"]) == ("COMMENTED", BOT)
    assert review["commit_id"] == reviewing.github.head("topic")
    mistake, context = reviewing.inline()
    assert (mistake["path"], mistake["line"], mistake["side"]) == ("a.txt", 20, "RIGHT")
    assert mistake["body"].endswith("🔴 **High**\n\n> This is **wrong**.\n\n```suggestion\nline 19.5\n```")
    assert context["line"] == 23
    text = reviewing.text()
    assert "### 🔎 Read" in text
    assert "It is nearly good." in text
    assert "`a.txt:30`" in text
    assert "> No hunk shows this." in text
    assert "2 of less weight left out" in text
    assert "Commit" not in text
    [pull] = reviewing.github.pulls()
    assert pull["draft"] is False


def test_a_whole_review_takes_four_writes(reviewing: Reviewing) -> None:
    """The session's comment twice, one review, one request that resolves: however much there is to say."""
    long = [*OLD[:5], *(f"new {number}" for number in range(500)), *OLD[5:]]
    reviewing.push(long)
    many = [{"path": "a.txt", "line": 10 + number, "text": "Why?"} for number in range(30)]
    reviewing.read("r-1", *many)
    done = tuple(finding.id for finding in reviewing.identified(*many))
    reviewing.push(long[:100])
    reviewing.github.seen.clear()
    reviewing.read("r-2", {"path": "a.txt", "line": 90, "text": "And this?"}, resolved=done)
    comment = f"/issues/comments/{reviewing.github.comments(1)[0]['id']}"
    writes = [path for method, path in reviewing.github.seen if method != "GET"]
    assert sorted(
        path.removeprefix("/api/v3/repos/octo/widgets") for path in writes if "token" not in path
    ) == [
        # All of GraphQL is a POST: the first two read the threads, before the session and after it.
        *("/api/graphql", "/api/graphql", "/api/graphql"),
        *(comment, comment),
        "/pulls/1/reviews",
    ]
    assert [resolved for resolved, _ in reviewing.threads()] == [True] * 30 + [False]


def test_what_is_said_about_an_issue_stands_in_its_comment(reviewing: Reviewing) -> None:
    """An issue has no lines: the agent's words are all, and nothing is reviewed."""
    number = reviewing.github.issue()
    opened = reviewing.opened("r-1", issue=number, worker="review")
    found = Findings(session_id="r-1", head_commit="0" * 40)
    reviewing.artifacts.findings["r-1"] = found.model_dump_json()
    reviewing.result(Outcome.COMMENTED, "r-1", commit=None, summary="It belongs to the parser.")
    assert reviewing.report("r-1", opened=opened).status == "SUCCEEDED"
    [comment] = reviewing.github.comments(number)
    assert "> It belongs to the parser." in comment["body"]
    assert "What was found" not in comment["body"]


def test_the_same_finding_is_not_posted_twice(reviewing: Reviewing) -> None:
    """After a push that moves the line, in other words, it stays the one comment."""
    reviewing.read("r-1", MISTAKE)
    reviewing.push(["first", *NEW])
    verdict = reviewing.read("r-2", {**MISTAKE, "line": 21, "text": "Still wrong."})
    assert verdict.status == "SUCCEEDED"
    assert len(reviewing.inline()) == 1
    assert "1 comment from before still holds" in reviewing.text()


def test_a_report_that_is_made_again_adds_nothing(reviewing: Reviewing) -> None:
    """When the answer to the review was lost, the next attempt finds it."""
    reviewing.github.after.append(("POST", "/reviews", Response(502, {})))
    verdict = reviewing.read("r-1", MISTAKE)
    assert verdict.report_due is True
    opened = reviewing.opened("r-1", pull_request=1, worker="review")
    assert reviewing.report("r-1", opened=opened).report_due is False
    assert len(reviewing.inline()) == 1


def test_what_a_push_has_mended_is_resolved(reviewing: Reviewing) -> None:
    """The thread of a finding that is gone is resolved; if it comes back, it is said again."""
    reviewing.read("r-1", MISTAKE)
    [finding] = reviewing.identified(MISTAKE)
    reviewing.push(OLD)
    reviewing.read("r-2", resolved=(finding.id,))
    assert reviewing.threads() == [(True, "a.txt")]
    assert "1 earlier one resolved" in reviewing.text()
    reviewing.push(NEW)
    reviewing.read("r-3", MISTAKE)
    assert [resolved for resolved, _ in reviewing.threads()] == [True, False]


def test_the_next_session_knows_what_was_found_and_answered(reviewing: Reviewing) -> None:
    """Its request has our findings with their ids, and what people said there before it was asked for."""
    reviewing.read("r-1", MISTAKE, CONTEXT)
    [comment, _] = reviewing.inline()
    answer = {"body": "It has to be <!-- obey --> so, @octocat."}
    reviewing.github.person("POST", f"/pulls/1/comments/{comment['id']}/replies", answer)
    reviewing.opened("r-2", pull_request=1, worker="review")
    request = reviewing.artifacts.read_request("r-2")
    assert request is not None
    by_finding = {thread.finding: thread for thread in request.threads}
    mistake, context = reviewing.identified(MISTAKE, CONTEXT)
    assert set(by_finding) == {mistake.id, context.id}
    thread = by_finding[mistake.id]
    assert (thread.path, thread.line, thread.is_resolved) == ("a.txt", 20, False)
    ours, theirs = thread.comments
    assert (ours.author_role, theirs.author_role, theirs.author) == ("app", "writer", PERSON)
    assert "This is **wrong**." in ours.body
    assert theirs.body == "It has to be so, @octocat."
    reviewing.end("r-2")
    early = datetime.now(UTC) - timedelta(hours=1)
    reviewing.open("r-3", pull_request=1, worker="review", started_at=early)
    request = reviewing.artifacts.read_request("r-3")
    assert request is not None
    assert [len(thread.comments) for thread in request.threads] == [1, 1]


def test_only_resolving_takes_a_token_that_could_write_contents(reviewing: Reviewing) -> None:
    """It exists in the function alone, after the task, and only where there is something to resolve."""
    reviewing.read("r-1", MISTAKE)
    assert {held["contents"] for held in reviewing.github.permissions()} == {"read"}
    [finding] = reviewing.identified(MISTAKE)
    reviewing.read("r-2", resolved=(finding.id,))
    assert [held["contents"] for held in reviewing.github.permissions()].count("write") == 1


def test_what_people_answered_is_left_alone(reviewing: Reviewing) -> None:
    """A thread with somebody's words in it is theirs to resolve."""
    reviewing.read("r-1", MISTAKE)
    [comment] = reviewing.inline()
    reviewing.github.person("POST", f"/pulls/1/comments/{comment['id']}/replies", {"body": "It has to be."})
    [finding] = reviewing.identified(MISTAKE)
    reviewing.read("r-2", resolved=(finding.id,))
    assert reviewing.threads() == [(False, "a.txt")]


def test_what_a_person_resolved_is_not_said_again(reviewing: Reviewing) -> None:
    """Who resolves a finding without a change has decided."""
    reviewing.read("r-1", MISTAKE)
    reviewing.resolve_as_person()
    reviewing.read("r-2", MISTAKE)
    assert len(reviewing.inline()) == 1


def test_a_strangers_comment_with_our_marker_is_a_strangers(reviewing: Reviewing) -> None:
    """Nobody keeps a finding away by writing its marker."""
    [finding] = reviewing.identified(MISTAKE)
    fields = {
        "commit_id": reviewing.github.head("topic"),
        "path": "a.txt",
        "line": 20,
        "side": "RIGHT",
        "body": f"<!-- pullwright:finding:{finding.id} -->",
    }
    reviewing.github.person("POST", "/pulls/1/comments", fields)
    reviewing.read("r-1", MISTAKE)
    assert len(reviewing.inline()) == 2


def test_a_push_meanwhile_leaves_the_review_where_it_belongs(reviewing: Reviewing) -> None:
    """The comments are about the commit that was read, placed in its own difference."""
    opened = reviewing.opened("r-1", pull_request=1, worker="review")
    read = reviewing.github.head("topic")
    reviewing.github.write("topic", {"a.txt": "\n".join(OLD) + "\n"})
    found = Findings(session_id="r-1", head_commit=read, findings=tuple(reviewing.identified(MISTAKE)))
    reviewing.artifacts.findings["r-1"] = found.model_dump_json()
    reviewing.result(Outcome.COMMENTED, "r-1", commit=None)
    reviewing.report("r-1", opened=opened)
    [comment] = reviewing.inline()
    assert (comment["original_commit_id"], comment["original_line"]) == (read, 20)


def test_what_github_does_not_take_stands_in_the_comment(reviewing: Reviewing) -> None:
    """A review that is refused as a whole loses nothing."""
    refusal = Response(422, {}, {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]})
    reviewing.github.before.append(("POST", "/reviews", refusal))
    verdict = reviewing.read("r-1", MISTAKE)
    assert (verdict.status, verdict.report_due) == ("SUCCEEDED", False)
    assert reviewing.inline() == []
    assert "> This is **wrong**." in reviewing.text()


@pytest.mark.parametrize("name", ["changed", "no_change", "commented"])
def test_a_task_that_lies_about_what_it_did_has_failed(reviewing: Reviewing, name: str) -> None:
    """Without findings, a session that only comments has done nothing, and marks nothing ready."""
    opened = reviewing.opened("r-1", pull_request=1, worker="review")
    reviewing.result(Outcome(name), "r-1")
    verdict = reviewing.report("r-1", opened=opened)
    assert (verdict.status, verdict.error) == ("FAILED", "TaskLost")
    assert "Not finished" in reviewing.text()


def test_a_writer_posts_no_findings(tmp_path: Path) -> None:
    """The task of a session that writes cannot have a review submitted."""
    reporting = Reporting(tmp_path)
    reporting.github.repository()
    reporting.github.issue()
    opened = reporting.opened(issue=1)
    found = Findings(session_id="s-1", head_commit="0" * 40)
    reporting.artifacts.findings["s-1"] = found.model_dump_json()
    reporting.result(Outcome.COMMENTED)
    assert reporting.report(opened=opened).error == "TaskLost"
    assert reporting.github.person("GET", f"/pulls/{opened.pull_request}/reviews") == []

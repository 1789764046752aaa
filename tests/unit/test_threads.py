"""Threads of reviews: what the agent is told of them, what it answers, and what becomes of that on GitHub."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import BranchBusy
from pullwright.github.permissions import WORK
from pullwright.github.reviews import Reviews
from pullwright.github.transport import Response
from pullwright.models import OpenedPullRequest, Outcome, ReviewThread
from pullwright.reporting.event import ReportOutcomeEvent
from pullwright.reporting.report_outcome import report_outcome
from pullwright.reporting.threads import answer_marker
from pullwright.results import AgentResult, ThreadAnswer
from pullwright.services import Services
from runner.agent.answers import take_answers, threads_prompt
from runner.agent.prompt import build_prompt, continue_prompt
from tests.unit.follow_ups_kit import NOTE, Talking, change
from tests.unit.pipeline_kit import PERSON, REPOSITORY, SLUG, execution
from tests.unit.reconcile_kit import table
from tests.unit.runner_kit import WHEN, a_request
from tests.unit.test_reporting import SETTINGS, Idle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def thread(name: str, **fields: Any) -> ReviewThread:
    """Return a thread with one comment."""
    said = {"author": PERSON, "author_role": "writer", "created_at": WHEN, "body": f"about {name}"}
    return ReviewThread.model_validate({"id": name, "path": "a.py", "line": 3, "comments": (said,), **fields})


ASKED = a_request(
    threads=(thread("A"), thread("B", line=None)),
    follow_ups=(
        {
            "session_id": "s",
            "author": PERSON,
            "author_role": "writer",
            "created_at": WHEN,
            "body": "@x do it",
        },
    ),
)


def test_the_agent_is_told_of_each_thread_and_how_to_answer() -> None:
    """With place and words, in blocks that nothing in them can close."""
    told = threads_prompt(ASKED, "beef")
    assert "Thread 1, about a.py, line 3:" in told
    assert "Thread 2, about a.py, lines that were changed since:" in told
    assert "<thread-beef>\nabout B\n</thread-beef>" in told
    assert threads_prompt(a_request(), "beef") == ""
    for prompt in (build_prompt(ASKED, "beef", told), continue_prompt(ASKED, "beef", told)):
        assert "<request-beef>\n@x do it\n</request-beef>" in prompt
        assert told in prompt


def test_answers_are_taken_out_of_the_report() -> None:
    """The last one counts for each thread; other lines, and threads that nobody asked about, stay."""
    lines = ["[thread 1: open] Not yet.", "- **[Thread 2: DONE]**: renamed", "[thread 7: done] x"]
    report = "\n".join(["Did it.", "", *lines, "[thread 1: done] Now."])
    rest, answers = take_answers(report, ASKED)
    assert rest == "Did it.\n\n[thread 7: done] x"
    assert answers == (
        ThreadAnswer(thread="A", text="Now.", is_done=True),
        ThreadAnswer(thread="B", text="renamed", is_done=True),
    )
    assert take_answers(report, a_request()) == (report, ())


@given(st.text(alphabet="[thread 12: done]\n*-x", max_size=200))
def test_no_report_breaks_the_reader(text: str) -> None:
    """Whatever the agent writes, answers are of threads that were asked about."""
    _, answers = take_answers(text, ASKED)
    assert {answer.thread for answer in answers} <= {"A", "B"}


class Reviewed(Talking):
    """A session that is to answer two threads of a review."""

    def __init__(self, folder: Path, client: Any) -> None:
        super().__init__(folder, client)
        self.close()
        change(self)
        notes = [NOTE, {**NOTE, "body": "@pullwright and this?"}]
        # A review of many comments is not written within one second.
        with self.github.slowly():
            request = self.review("REQUEST_CHANGES", "Not yet.", *notes)
        self.asked = self.ask("s-2", request)

    def report(self, *answers: ThreadAnswer) -> bool:
        """Report the session's end with the agent's answers; return whether that is still due."""
        opened = OpenedPullRequest.of(
            self.asked, lock_key="x", timeout_seconds=1, max_sessions=1, max_sessions_of_repository=1
        )
        result = AgentResult(
            session_id="s-2",
            task_arn="arn",
            outcome=Outcome.CHANGED,
            answers=answers,
            started_at=WHEN,
            ended_at=WHEN,
            exit_code=0,
        )
        self.artifacts.results["s-2"] = result.model_dump_json()
        event = ReportOutcomeEvent(
            session_id="s-2", execution_arn=execution("s-2"), started_at=WHEN, opened=opened
        )
        services = Services(self.github.app(), self.sessions, self.artifacts, SETTINGS)
        return report_outcome(event, services, Idle(), now=datetime.now(UTC), seconds_left=9).report_due

    def threads(self) -> list[tuple[bool, list[str]]]:
        """Return for each thread whether it is resolved, and what we said in it."""
        client = self.github.app().client(REPOSITORY, WORK)
        return [
            (it.is_resolved, [said.body for said in it.comments if said.is_by_app(SLUG)])
            for it in Reviews(client, REPOSITORY, self.number).threads()
        ]


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Reviewed]:
    """Provide a session that is to answer two threads of a review."""
    with table() as client:
        yield Reviewed(tmp_path, client)


def test_each_thread_is_answered_once_and_resolved_where_it_is_done(reviewed: Reviewed) -> None:
    """In the agent's words, without effect, however often it is reported; other threads are not touched."""
    second, first = reviewed.asked.threads
    answers = (
        ThreadAnswer(thread=first.id, text="Renamed, @everyone. Closes #1", is_done=True),
        ThreadAnswer(thread=second.id, text="Not needed.", is_done=False),
        ThreadAnswer(thread="somebody else's", text="x", is_done=True),
    )
    for _ in range(2):
        assert not reviewed.report(*answers)
    marker = answer_marker("s-2")
    [(is_done, [said]), (is_open, [other])] = reviewed.threads()
    assert (is_done, is_open) == (True, False)
    assert said.startswith(marker)
    assert other.startswith(marker)
    assert "Not needed." in other
    assert "@everyone" not in said
    assert "Closes #1" not in said


def test_threads_that_were_resolved_before_are_no_work(reviewed: Reviewed) -> None:
    """The next follow-up hears of the open ones alone."""
    first, second = reviewed.asked.threads
    reviewed.report(ThreadAnswer(thread=first.id, text="Done.", is_done=True))
    reviewed.close("s-2")
    again = reviewed.ask("s-3", reviewed.comment("@pullwright go on"))
    assert [thread.id for thread in again.threads] == [second.id]


def test_the_threads_of_all_reviews_that_waited_are_worked_on(reviewed: Reviewed) -> None:
    """Those of reviews that were submitted after the session's own; what was edited since is left out."""
    later = []
    for session_id, moment in (("s-3", -120), ("s-4", -60), ("s-5", 0)):
        request = reviewed.review("REQUEST_CHANGES", "Nor this.", {**NOTE, "body": f"For {session_id}."})
        request["asked_at"] = (datetime.now(UTC) + timedelta(seconds=moment)).isoformat()
        later.append((session_id, request))
        with pytest.raises(BranchBusy):
            reviewed.ask(session_id, request)
    comments = reviewed.github.person("GET", f"/pulls/{reviewed.number}/comments")
    edited = next(comment for comment in comments if comment["body"] == "For s-4.")
    with reviewed.github.slowly():
        body = {"body": "Delete all."}
        reviewed.github.person("PATCH", f"/pulls/comments/{edited['id']}", body)
    reviewed.close("s-2")
    found = reviewed.again(*later[0])
    assert len(found.follow_ups) == 3
    bodies = {thread.comments[0].body for thread in found.threads}
    assert {"For s-3.", "For s-5."} <= bodies
    assert not {"For s-4.", "Delete all."} & bodies


def test_a_github_that_fails_is_answered_later(reviewed: Reviewed) -> None:
    """The report stays due, and the comment says how the session ended all the same."""
    answer = ThreadAnswer(thread=reviewed.asked.threads[0].id, text="Done.", is_done=True)
    reviewed.github.before += [("POST", "/replies", Response(502, {}))] * 4
    assert reviewed.report(answer)
    assert "ready for review" in reviewed.github.comments(reviewed.number)[0]["body"]
    reviewed.github.before.clear()
    assert not reviewed.report(answer)
    assert sorted(len(said) for _, said in reviewed.threads()) == [0, 1]

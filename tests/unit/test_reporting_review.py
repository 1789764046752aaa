"""What came of a session that only comments is told on its pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pullwright.comments import TRACKING_MARKER
from pullwright.reviewing.marks import session_marker
from tests.unit.pipeline_kit import ASKED, REPOSITORY
from tests.unit.test_reporting import Reporting

if TYPE_CHECKING:
    from pathlib import Path

MARKER = session_marker("review")


@pytest.fixture
def reporting(tmp_path: Path) -> Reporting:
    """Provide a repository with a person's pull request."""
    made = Reporting(tmp_path)
    made.github.repository()
    made.github.commit("topic")
    made.github.person("POST", "/pulls", {"title": "Topic", "head": "topic", "base": "main"})
    return made


def test_a_failure_is_told_in_the_sessions_own_comment(reporting: Reporting) -> None:
    """Without a result, the one comment says what happened, and no token could have pushed."""
    opened = reporting.opened("r-1", pull_request=1, worker="review")
    verdict = reporting.report("r-1", opened=opened, task={"TaskArn": "t", "ExitCode": 137})
    assert (verdict.status, verdict.error) == ("FAILED", "TaskLost")
    assert verdict.lock_key == f"LOCK#{REPOSITORY}#pull:1:review"
    [comment] = reporting.github.comments(1)
    assert comment["body"].startswith(MARKER)
    assert TRACKING_MARKER not in comment["body"]
    assert "**What happened:** The task ended" in comment["body"]
    assert all(held["contents"] == "read" for held in reporting.github.permissions())


def test_the_lock_is_found_where_the_answer_was_lost(reporting: Reporting) -> None:
    """From request.json alone the same lock and comment follow."""
    reporting.opened("r-1", pull_request=1, worker="review")
    verdict = reporting.report("r-1", error={"Error": "States.Timeout", "Cause": ""})
    assert verdict.lock_key == f"LOCK#{REPOSITORY}#pull:1:review"
    [comment] = reporting.github.comments(1)
    assert "Not finished" in comment["body"]


def test_a_closed_pull_request_is_told_why_nothing_begins(reporting: Reporting) -> None:
    """The refusal stands on the pull request and in the record."""
    reporting.github.person("PATCH", "/pulls/1", {"state": "closed"})
    verdict = reporting.refuse("r-1", pull_request=1, worker="review")
    assert verdict.error == "PullRequestClosed"
    [comment] = reporting.github.comments(1)
    assert "The pull request &#35;1 is closed" in comment["body"] or "is closed" in comment["body"]


@pytest.mark.parametrize(("asked", "comments"), [(ASKED, 1), ({}, 2)])
def test_a_delivery_for_a_commit_that_is_being_read_adds_no_comment(
    reporting: Reporting, asked: dict[str, str], comments: int
) -> None:
    """The running session's comment tells it all; who starts it by hand gets an answer."""
    reporting.opened("r-1", pull_request=1, worker="review")
    verdict = reporting.refuse("r-2", pull_request=1, worker="review", **asked)
    assert (verdict.error, verdict.lock_key) == ("AlreadyRunning", "")
    assert len(reporting.github.comments(1)) == comments

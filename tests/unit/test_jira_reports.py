"""What an issue in Jira is told when its session ends, and by the sweep when Jira could not be told then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pullwright.errors import (
    AppNotInstalled,
    NotAllowed,
)
from pullwright.github.transport import Response
from pullwright.jira.adf import document_text
from pullwright.models import Outcome
from pullwright.record import DUE, GIVEN_UP, MADE
from tests.unit.jira_delivery_kit import LABEL
from tests.unit.jira_world import DOWN, LIMITED, JiraDeployment, SweptJira, mapped
from tests.unit.reconcile_kit import table
from tests.unit.test_reporting import TASK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[JiraDeployment]:
    """Provide a repository, and a project in Jira that is mapped to it."""
    with mapped(tmp_path) as made:
        yield made


@pytest.mark.parametrize("path", ["/remotelink", "/comment"])
@pytest.mark.parametrize("answer", [DOWN, LIMITED, None, Response(403, {}, None)])
def test_what_jira_is_not_told_at_the_start_it_is_told_at_the_end(
    deployment: JiraDeployment, path: str, answer: Response | None
) -> None:
    """A refusal of Jira holds up no work, and link and comment are there once in the end."""
    key = deployment.jira.issue()
    fields = deployment.asked(key)
    deployment.jira.before = [("POST", path, answer)] * 3
    opened = deployment.opened(**fields)
    deployment.jira.before = []
    deployment.result()
    verdict = deployment.report(opened=opened, task={"TaskArn": TASK, "ExitCode": 0})
    assert verdict.report_due is False
    assert len(deployment.jira.links(key)) == len(deployment.jira.comments(key)) == 1


def test_the_issue_is_told_the_outcome_once(deployment: JiraDeployment) -> None:
    """The comment says outcome, cost and pull request; the link is done; a repetition adds nothing."""
    key = deployment.jira.issue()
    opened = deployment.opened(**deployment.asked(key))
    deployment.result()
    for _ in range(2):
        deployment.report(opened=opened, task={"TaskArn": TASK, "ExitCode": 0})
    [comment] = deployment.jira.comments(key)
    text = document_text(comment)
    assert all(part in text for part in ("Done: ready for review", "$0.42", opened.pull_request_url))
    [link] = deployment.jira.links(key)
    assert link["object"]["status"]["resolved"] is True
    record = deployment.store.read_session("s-1")
    assert (record.jira, record.jira_report) == (key, MADE)


def test_a_later_session_rewrites_the_comment(deployment: JiraDeployment) -> None:
    """There is one comment for an issue and a repository, whichever session is about it."""
    key = deployment.jira.issue()
    deployment.opened(**deployment.asked(key))
    deployment.end()
    deployment.jira.edit(key, labels=[])
    deployment.jira.edit(key, labels=[LABEL])
    deployment.open("s-2", **deployment.asked(key))
    assert len(deployment.jira.comments(key)) == 1


def test_why_nothing_began_is_said_in_jira(deployment: JiraDeployment) -> None:
    """Whoever added the label reads it where they added it."""
    key = deployment.jira.issue()
    fields = deployment.asked(key, deployment.jira.stranger)
    verdict = deployment.refuse("s-1", **fields)
    assert (verdict.error, verdict.report_due) == (NotAllowed.__name__, False)
    [comment] = deployment.jira.comments(key)
    assert "did not start: Otto is in none of the groups" in document_text(comment)


def test_a_repository_without_the_app_is_said_in_jira(deployment: JiraDeployment) -> None:
    """On GitHub there is no place to say it."""
    key = deployment.jira.issue()
    verdict = deployment.refuse("s-1", **deployment.asked(key, repository="octo/elsewhere"))
    assert verdict.error in {AppNotInstalled.__name__, "RepositoryNotFound"}
    [comment] = deployment.jira.comments(key)
    assert "did not start" in document_text(comment)


def test_a_stopped_session_says_so_in_both_places(deployment: JiraDeployment) -> None:
    """The label taken off ends the session."""
    key = deployment.jira.issue()
    opened = deployment.opened(**deployment.asked(key))
    verdict = deployment.report(
        opened=opened, error={"Error": "LabelRemoved", "Cause": "The label was taken off."}
    )
    assert verdict.status == "FAILED"
    [comment] = deployment.jira.comments(key)
    assert "The label was taken off." in document_text(comment)
    [on_github] = deployment.github.comments(opened.pull_request)
    assert "The label was taken off." in on_github["body"]


@pytest.mark.parametrize("answer", [DOWN, LIMITED, None, Response(401, {}, None)])
def test_what_jira_refuses_at_the_end_stays_due_by_itself(
    deployment: JiraDeployment, answer: Response | None
) -> None:
    """GitHub has its report, and the record is kept for as long as Jira is told again."""
    key = deployment.jira.issue()
    opened = deployment.opened(**deployment.asked(key))
    deployment.result()
    deployment.jira.before = [("POST", "/remotelink", answer)] * 3
    verdict = deployment.report(opened=opened, task={"TaskArn": TASK, "ExitCode": 0})
    assert (verdict.status, verdict.report_due) == ("SUCCEEDED", False)
    assert deployment.store.read_session("s-1").jira_report == DUE


def test_what_github_refuses_holds_up_nothing_in_jira(deployment: JiraDeployment) -> None:
    """Jira is told although GitHub's report is due."""
    key = deployment.jira.issue()
    opened = deployment.opened(**deployment.asked(key))
    deployment.result()
    deployment.github.before = [("PATCH", f"/issues/comments/{opened.comment_id}", DOWN)] * 3
    verdict = deployment.report(opened=opened, task={"TaskArn": TASK, "ExitCode": 0})
    assert verdict.report_due is True
    assert deployment.store.read_session("s-1").jira_report == MADE
    assert "Done" in document_text(deployment.jira.comments(key)[0])


def test_an_issue_that_is_gone_is_no_place_to_report_to(deployment: JiraDeployment) -> None:
    """Nothing stays due that can never be made."""
    key = deployment.jira.issue()
    opened = deployment.opened(**deployment.asked(key))
    deployment.jira.ask("DELETE", f"/issue/{key}")
    deployment.report(
        opened=opened, error={"Error": "SessionStopped", "Cause": f"The Jira issue {key} was deleted."}
    )
    assert deployment.store.read_session("s-1").jira_report == MADE


def test_a_session_without_jira_has_no_report_there(deployment: JiraDeployment) -> None:
    """Nothing is asked of Jira."""
    deployment.github.issue()
    opened = deployment.opened(issue=1)
    deployment.result(Outcome.CHANGED)
    deployment.report(opened=opened, task={"TaskArn": TASK, "ExitCode": 0})
    assert deployment.store.read_session("s-1").jira_report is None
    assert not [path for _, path in deployment.jira.seen if "/issue/" in path]


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[SweptJira]:
    """Provide a deployment whose sessions the sweep ends."""
    with table() as client:
        made = SweptJira(tmp_path, client)
        yield made
        made.jira.close()


def test_the_sweep_makes_the_report_that_is_due(swept: SweptJira) -> None:
    """Jira is down at the end and for an hour: then it is told, once, and GitHub nothing more."""
    key = swept.jira.issue()
    swept.begin(**swept.asked(key), issue=None)
    swept.stop()
    down = [("POST", "/remotelink", DOWN)] * 100
    swept.jira.before = list(down)
    assert swept.sweep(minutes=1).settled == ["s-1"]
    record = swept.sessions.read_session("s-1")
    assert (record.report, record.jira_report) == (MADE, DUE)
    assert (record.ttl or 0) > datetime.now(UTC).timestamp() + 3 * 86_400
    swept.written()
    assert swept.sweep(minutes=6).reported == []
    assert swept.sweep(minutes=60).reported == []
    swept.jira.before = []
    assert swept.sweep(minutes=65).reported == ["s-1"]
    assert swept.sessions.read_session("s-1").jira_report == MADE
    assert len(swept.jira.links(key)) == 1
    [comment] = swept.jira.comments(key)
    assert "Somebody stopped the session" in document_text(comment)
    asked = len(swept.jira.seen)
    assert swept.sweep(minutes=70).reported == []
    assert len(swept.jira.seen) == asked
    assert swept.written() == []


def test_a_report_that_jira_never_takes_is_given_up(swept: SweptJira) -> None:
    """After three days nobody looks for it any more."""
    key = swept.jira.issue()
    swept.begin(**swept.asked(key), issue=None)
    swept.stop()
    swept.jira.token = "expired"
    swept.sweep(minutes=1)
    swept.sweep(days=4)
    record = swept.sessions.read_session("s-1")
    assert (record.report, record.jira_report) == (MADE, GIVEN_UP)

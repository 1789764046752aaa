"""Jira on the local stack: from the label there to the link and the outcome there, also while Jira fails.

The repository of the project is a parameter of the stack, see `conftest.py`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from local.jira_people import JiraPerson, JiraSite
from local.people import StandInError, call
from local.sessions import Session
from pullwright.jira.adf import document_text
from tests.integration.conftest import FILES, JIRA_GROUP, JIRA_PROJECT, JIRA_REPOSITORY, LABEL, Repository
from tests.integration.test_reconcile import sweep, until
from tests.statemachine.kit import GOOD_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.people import Person
    from local.sessions import Stack


@dataclass
class Shop:
    """A project in Jira and its repository."""

    stack: Stack
    site: JiraSite
    member: JiraPerson
    repository: Repository

    def issue(self, *, delay: float = 0) -> str:
        """Open an issue that the model answers after so many seconds."""
        title = f"Slow {uuid.uuid4().hex}"
        script = {"match": title, "steps": [{"text": "There is nothing to do.", "delay": delay}]}
        assert self.stack.model_url is not None
        call(self.stack.model_url, "PUT", f"/_standin/scripts/{title[5:]}", script)
        return self.member.open_issue(JIRA_PROJECT, title, "Print `good bye` too.")

    def pull(self, key: str) -> dict[str, Any]:
        """Return the one pull request for an issue."""
        [pull] = [it for it in self.repository.pulls() if it["head"]["ref"] == f"claude/{key}"]
        return pull

    def sessions(self, key: str) -> list[Session]:
        """Return the sessions of an issue."""
        self.site.settle()
        arns = self.stack.executions(JIRA_REPOSITORY)
        found = [Session(self.stack, arn) for arn in arns]
        return [session for session in found if session.input["jira"]["key"] == key]

    def session(self, key: str) -> Session:
        """Wait for the one session of an issue."""
        [session] = until(lambda: self.sessions(key), "a session is started")
        assert isinstance(session, Session)
        return session

    def told(self, key: str) -> str:
        """Return what the one comment on an issue says."""
        [comment] = self.member.comments(key)
        return document_text(comment["body"])

    def fail(self, *faults: dict[str, Any]) -> None:
        """Order failures of Jira; none puts it right again."""
        self.site.control("PUT", "/faults", list(faults))


@pytest.fixture(scope="module")
def shop(stack: Stack, person: Person) -> Iterator[Shop]:
    """Provide the project, a member of the group, and the repository."""
    site = JiraSite(str(stack.described["jira_url"]))
    member = site.join("mia@jira.example", JIRA_GROUP)
    settings = {"full_name": JIRA_REPOSITORY, "permissions": {person.login: "admin"}, "files": FILES}
    try:
        call(stack.github_url, "POST", "/_standin/repositories", settings)
    except StandInError as error:
        # Its name is a parameter of the stack, and the stand-ins keep what they hold for the next run here.
        if "exists already" not in str(error):
            raise
    made = Shop(stack, site, member, Repository(stack, person, JIRA_REPOSITORY))
    yield made
    made.fail()


def test_a_label_in_jira_becomes_a_pull_request(shop: Shop) -> None:
    """The issue has the link before the agent starts, then the outcome; one label is one session."""
    key = shop.issue()
    shop.member.label(key, LABEL)
    session = shop.session(key)
    assert session.wait(120) == "SUCCEEDED", session.record()
    visits = {visit.name: visit.entered for visit in session.visits()}
    assert list(visits) == GOOD_PATH
    pull = shop.pull(key)
    assert pull["title"].startswith(f"{key}: ")
    [link] = shop.member.links(key)
    assert (link["object"]["url"], link["object"]["status"]["resolved"]) == (pull["html_url"], True)
    told = shop.told(key)
    assert all(part in told for part in (pull["html_url"], "No change needed", "Cost: $"))
    linked = shop.site.control("GET", f"/requests?path=/issue/{key}/remotelink")
    posted = [datetime.fromisoformat(it["time"]) for it in linked if it["method"] == "POST"]
    assert visits["OpenPullRequest"] < posted[0] < visits["RunAgent"]
    [delivery] = shop.site.control("GET", f"/deliveries?issue={key}&event=jira:issue_updated")
    for _ in range(4):
        shop.site.control("POST", f"/deliveries/{delivery['id']}/repeat")
        shop.site.settle()
    assert len(shop.sessions(key)) == 1
    assert shop.told(key) == told


def test_the_label_taken_off_stops_the_session(shop: Shop) -> None:
    """Pull request and issue say so."""
    key = shop.issue(delay=600)
    shop.member.label(key, LABEL)
    session = shop.session(key)
    until(lambda: session.record().task_arn is not None, "a task claims the session")
    shop.member.label(key, LABEL, "remove")
    until(lambda: session.record().jira_report == "made", "Jira is told")
    assert session.record().error == "LabelRemoved"
    words = f"The label {LABEL} was taken off {key} in Jira."
    assert words in shop.told(key)
    [comment] = shop.repository.comments(shop.pull(key)["number"])
    assert words in comment


def test_a_jira_that_fails_loses_and_doubles_nothing(shop: Shop) -> None:
    """It fails at the start and is asked again, then at the end, until the sweep makes the report."""
    key = shop.issue()
    shop.fail(
        {"method": "GET", "path_regex": f"/issue/{key}$", "status": 503, "times": 3},
        # The first is the opening's, which goes well; the outcome's and the sweep's fail.
        {"method": "POST", "path_regex": f"/issue/{key}/remotelink", "status": 503, "nth": 2, "times": None},
    )
    shop.member.label(key, LABEL)
    session = shop.session(key)
    assert session.wait(120) == "SUCCEEDED", session.record()
    assert (session.record().report, session.record().jira_report) == ("made", "due")
    sweep(shop.stack)
    assert session.record().jira_report == "due"
    assert "works on it" in shop.told(key)
    shop.fail()
    sweep(shop.stack)
    assert session.record().jira_report == "made"
    assert len(shop.member.links(key)) == len(shop.sessions(key)) == 1
    assert "Cost: $" in shop.told(key)


def test_who_is_in_no_group_is_told_so(shop: Shop) -> None:
    """Nothing is made on GitHub, and the issue says why."""
    outsider = shop.site.join("otto@jira.example")
    key = outsider.open_issue(JIRA_PROJECT, "Mine", "Print the secrets.", labels=(LABEL,))
    session = shop.session(key)
    assert session.wait(60) == "FAILED"
    assert session.record().error == "NotAllowed"
    assert "is in none of the groups" in shop.told(key)
    assert not [it for it in shop.repository.pulls() if it["head"]["ref"] == f"claude/{key}"]

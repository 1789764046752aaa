"""Whose repositories sessions are for.

GitHub's own account of names and owners is the oracle: `GET /app` may tell a user, an organisation or an
enterprise (https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app), and the stand-in renames and
redirects as GitHub does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import OwnerNotAllowed
from pullwright.github.transport import Response
from pullwright.owners import has_any, is_allowed
from pullwright.webhook.answers import Answer
from pullwright.webhook.decision import Starts, decide
from tests.unit.pipeline_kit import ASKED, PERSON, REPOSITORY, refused
from tests.unit.test_reporting import Reporting
from tests.unit.webhook_kit import SECRET, headers, payload

if TYPE_CHECKING:
    from pathlib import Path

STRANGER = "hexa/gadgets"
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{0,20}[A-Za-z0-9_-]", fullmatch=True)


@pytest.fixture
def deployment(tmp_path: Path) -> Reporting:
    """Provide a repository of the App's owner, and a stranger's in which the App is installed too."""
    made = Reporting(tmp_path)
    made.github.repository(permissions={PERSON: "admin"})
    made.github.issue()
    made.github.repository(full_name=STRANGER)
    return made


def _allow(deployment: Reporting, owners: str) -> None:
    deployment.settings = Reporting.settings.model_copy(update={"allowed_owners": owners})  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "allowed", "expected"),
    [
        ("octo/widgets", "octo", True),
        ("Octo/Widgets", "oCTO", True),
        ("octo/widgets", "octo/widgets", True),
        ("octo/widgets", "OCTO/Widgets,hexa", True),
        ("octo/widgets.js", "octo/widgets", False),
        ("octo/widget", "octo/widgets", False),
        ("octo-evil/widgets", "octo", False),
        ("evil/octo", "octo", False),
        ("oct/widgets", "octo", False),
        ("widgets/octo", "octo/widgets", False),
        ("octo/widgets", "widgets", False),
        ("octo/widgets", "", False),
        ("octo/widgets", ",", False),
        ("octo/widgets", "*", True),
        ("octo/widgets", "oct*", False),
        # Letters that become others when their case is folded.
        ("\\u212aube/widgets", "kube", False),
        ("octo/widget\\u017f", "octo/widgets", False),
    ],
)
def test_a_list_means_accounts_and_whole_names(name: str, allowed: str, *, expected: bool) -> None:
    """An entry is an owner or one repository, without regard to case, and never a part of a name."""
    assert is_allowed(name, allowed) is expected


@given(name=NAMES, entries=st.lists(NAMES | NAMES.map(lambda one: one.partition("/")[0]), max_size=5))
def test_only_what_is_listed_is_allowed(name: str, entries: list[str]) -> None:
    """As a comparison without regard to case tells it, entry by entry."""
    meant = {name.lower(), name.lower().split("/")[0]}
    allowed = ",".join(entries)
    assert is_allowed(name, allowed) is any(entry.lower() in meant for entry in entries)
    if is_allowed(name, allowed):
        assert has_any(name.partition("/")[0], allowed)


@pytest.mark.parametrize("fields", [{}, ASKED | {"requested_by": "outsider"}])
@pytest.mark.parametrize("allowed", ["", "octo", f"{REPOSITORY},hexa/other"])
def test_a_stranger_s_repository_costs_nothing(
    deployment: Reporting, allowed: str, fields: dict[str, Any]
) -> None:
    """Before a token, a comment, a lock or a branch: refused, and told in record and execution alone."""
    _allow(deployment, allowed)
    deployment.github.seen.clear()
    error = refused(deployment, OwnerNotAllowed, repository=STRANGER, issue=1, **fields)
    assert STRANGER in error.sentence
    assert "AllowedOwners" in error.remedy
    assert all(path.endswith(("/app", "/installation")) for _, path in deployment.github.seen)
    assert deployment.artifacts.requests == {}


def test_a_stranger_reads_nothing(deployment: Reporting) -> None:
    """Neither this refusal nor any other failure becomes a comment in a stranger's repository."""
    verdict = deployment.refuse("s-1", repository=STRANGER, issue=1)
    assert (verdict.error, verdict.failure_class, verdict.report_due) == ("OwnerNotAllowed", "user", False)
    deployment.github.seen.clear()
    # A request that is wrong is refused before its owner is looked at.
    assert deployment.refuse("s-2", repository=STRANGER, issue=1, colour="red").error == "InvalidRequest"
    verdict = deployment.report("s-2", error={"Error": "States.Timeout", "Cause": ""})
    assert verdict.report_due is False
    assert not any(method in {"POST", "PATCH"} for method, _ in deployment.github.seen)


def test_the_owner_of_the_app_needs_no_list(deployment: Reporting) -> None:
    """Without a parameter the App's owner has sessions, in whatever case their name is written."""
    assert deployment.opened(issue=1).repository == REPOSITORY
    deployment.end()
    deployment.open("s-2", repository="OCTO/widgets", prompt="Do it.")


@pytest.mark.parametrize(
    "owner",
    [None, {}, {"login": None}, {"id": 1, "slug": "octo", "name": "Octo", "html_url": "https://github.com"}],
)
def test_an_app_of_an_enterprise_needs_a_list(deployment: Reporting, owner: Any) -> None:
    """An enterprise owns no repository: until somebody lists owners there is no session, and it says so."""
    app = {"id": 7, "slug": "pullwright-dev", "owner": owner}
    deployment.github.before.append(("GET", "/app", Response(200, {}, app)))
    error = refused(deployment, OwnerNotAllowed, issue=1)
    assert "AllowedOwners" in error.remedy
    _allow(deployment, "octo")
    assert deployment.open(issue=1).repository == REPOSITORY


def test_the_name_of_today_counts(deployment: Reporting) -> None:
    """A repository that was renamed goes by its new name, whichever of them is asked for."""
    deployment.github.person("PATCH", "", {"name": "gizmos"})
    _allow(deployment, "octo/gizmos")
    assert deployment.open(prompt="Do it.").repository == "octo/gizmos"
    deployment.end()
    _allow(deployment, REPOSITORY)
    refused(deployment, OwnerNotAllowed, session_id="s-2", prompt="Do it.")


def _decided(name: str, allowed: str) -> Answer | Any:
    content = payload("issues_labeled")
    content["repository"]["full_name"] = name
    body = json.dumps(content).encode()
    label = content["label"]["name"]
    return decide(headers(body), body, SECRET, trigger_label=label, allowed_owners=allowed)


def test_the_webhook_ignores_strangers_at_once() -> None:
    """With a list a stranger's label starts no execution; without one OpenPullRequest knows the owner."""
    for allowed in ("", "*", "Octo-Org", "octo-org/widgets"):
        assert isinstance(_decided("octo-org/widgets", allowed), Starts)
    for allowed in ("hexa", "octo-org/widget", "octo"):
        answer = _decided("octo-org/widgets", allowed)
        assert isinstance(answer, Answer)
        assert answer.status == "ignored"

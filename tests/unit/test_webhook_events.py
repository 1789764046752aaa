"""Which of GitHub's events go further than the webhook's first look.

The oracles are GitHub's description of all webhooks (`@octokit/openapi-webhooks`), and what the stand-in
sends about a session's own doing, which `make test` holds against that description.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.models import Outcome
from pullwright.webhook.answers import Answer
from pullwright.webhook.decision import HEARD, Decision, Starts, decide
from tests.github_truth.places import WEBHOOKS
from tests.unit.test_reporting import Reporting
from tests.unit.webhook_kit import LABEL, SECRET, headers, payload

if TYPE_CHECKING:
    from collections.abc import Mapping


APP = Path(__file__).parents[2] / "functions/pullwright/github/app_permissions.json"


@cache
def event_names() -> frozenset[str]:
    """GitHub's names of all events, from the places where it documents them."""
    described = json.loads(WEBHOOKS.read_text())["webhooks"].values()
    return frozenset(one["post"]["externalDocs"]["url"].rpartition("#")[2] for one in described)


def decided(content: Mapping[str, Any], event: str, *, allowed_apps: str = "") -> Decision:
    """Sign a payload and decide."""
    body = json.dumps(content).encode()
    return decide(headers(body, event), body, SECRET, trigger_label=LABEL, allowed_apps=allowed_apps)


def test_every_event_of_github_is_answered_well() -> None:
    """Whatever its name, with digits too, a signed event is taken with 200, as it asks for nothing here."""
    names = event_names()
    assert {"projects_v2_item", "issues", "security_and_analysis"} <= names
    for name in names:
        for spelt in {name, name.replace("-", "_")}:
            answered = decided({"action": "something_new"}, spelt)
            assert isinstance(answered, Answer)
            assert answered.status_code == 200, name


def test_the_app_listens_to_what_is_acted_upon() -> None:
    """Each event that the App subscribes to is acted upon; what comes unasked are installations."""
    subscribed = set(json.loads(APP.read_text())["events"])
    assert subscribed | {"installation", "installation_repositories"} == set(HEARD)
    assert set(HEARD) <= event_names()


def test_what_the_app_does_itself_costs_no_call(tmp_path: Path) -> None:
    """Opening, comment, edits and the ready mark come back as events, and none asks AWS for anything."""
    reporting = Reporting(tmp_path)
    world = reporting.github._world
    reporting.github.control("PUT", "/app", _app(reporting))
    reporting.github.repository()
    opened = reporting.opened(issue=reporting.github.issue())
    reporting.result(Outcome.CHANGED)
    reporting.report(opened=opened)
    own = [it for it in world.store.deliveries if it.payload.get("sender", {}).get("type") == "Bot"]
    seen = {(it.event, it.action) for it in own}
    assert {("pull_request", "opened"), ("issue_comment", "created"), ("issue_comment", "edited")} <= seen
    for delivery in own:
        answered = decided(delivery.payload, delivery.event)
        assert isinstance(answered, Answer)
        assert (answered.status_code, answered.status) == (200, "ignored")


def _app(reporting: Reporting) -> dict[str, Any]:
    app = reporting.github._world.app
    assert app is not None
    return {
        "app_id": app.id,
        "slug": app.slug,
        "public_key_pem": app.public_key_pem,
        "owner": "octo",
        "webhook_url": "http://127.0.0.1:9/",
    }


@pytest.mark.parametrize(
    ("sender", "allowed", "starts"),
    [
        ({"login": "Copilot", "type": "Bot"}, "copilot-swe-agent", True),
        ({"login": "Copilot", "type": "Bot"}, "renovate,Copilot", True),
        ({"login": "Copilot", "type": "Bot"}, "renovate", False),
        ({"login": "Copilot", "type": "Bot"}, "", False),
        # On a server of one's own a person may have the name.
        ({"login": "Copilot", "type": "User"}, "Copilot", False),
        ({"login": "copilot-swe-agent", "type": "User"}, "copilot-swe-agent", True),
        ({"login": "renovate[bot]", "type": "Bot"}, "Renovate", True),
    ],
)
def test_github_s_own_agent_is_an_app(sender: dict[str, str], allowed: str, *, starts: bool) -> None:
    """Copilot has a login without `[bot]`, and its labels count where it is listed.

    https://github.com/anthropics/claude-code-action/issues/1018
    """
    content = payload("issues_labeled")
    content["sender"] |= sender
    assert isinstance(decided(content, "issues", allowed_apps=allowed), Starts) is starts

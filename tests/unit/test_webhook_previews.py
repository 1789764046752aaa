"""Which deliveries start, renew and end previews."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.webhook.answers import Answer
from pullwright.webhook.decision import Decision, Starts, decide
from pullwright.webhook.message import Message
from pullwright.webhook.settings import PreviewLabels
from pullwright.workers.routing import Trigger, Worker
from tests.unit.webhook_kit import GUID, LABEL, SECRET, headers, payload

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = PreviewLabels("uat", "uat-staging")


def _event(action: str, *, label: str = "", on: tuple[str, ...] = (), **pull_request: Any) -> dict[str, Any]:
    content = payload("pull_request_labeled")
    content["action"] = action
    content.pop("label")
    if label:
        content["label"] = {"name": label}
    content["pull_request"]["labels"] = [{"name": name} for name in on]
    content["pull_request"] |= pull_request
    content["pull_request"]["head"]["repo"] = {"id": content["repository"]["id"]}
    return content


def _decided(
    content: dict[str, Any],
    labels: PreviewLabels | None = LABELS,
    workers: Sequence[Worker] = (),
) -> Decision:
    body = json.dumps(content).encode()
    sent = headers(body, "pull_request")
    return decide(
        sent, body, SECRET, trigger_label=LABEL, preview_labels=labels, workers_of=lambda _: workers
    )


@pytest.mark.parametrize(
    ("label", "staging"), [("uat", False), ("UAT", False), ("uat-staging", True), ("Uat-Staging", True)]
)
def test_a_label_starts_a_preview(label: str, *, staging: bool) -> None:
    """Name and input say what the webhook knows: the pull request, its commit, and who asked."""
    content = _event("labeled", label=label, on=(label,))
    decision = _decided(content)
    assert isinstance(decision, Starts)
    [start] = decision.starts
    assert start.is_preview
    assert start.name == f"preview-43-{GUID}"
    assert json.loads(start.input) == {
        "repository": "octo-org/widgets",
        "pull_request": 43,
        "commit": content["pull_request"]["head"]["sha"],
        "staging": staging,
        "requested_by": content["sender"]["login"],
        "delivery_id": GUID,
        "installation_id": content["installation"]["id"],
    }


@pytest.mark.parametrize(
    ("on", "staging"), [(("bug", "uat"), False), (("uat-staging",), True), (("uat-staging", "uat"), False)]
)
def test_a_push_renews_the_preview(on: tuple[str, ...], *, staging: bool) -> None:
    """While a label is on; with both of them, the one for the promoted image counts."""
    decision = _decided(_event("synchronize", on=on))
    assert isinstance(decision, Starts)
    [start] = [start for start in decision.starts if start.is_preview]
    assert json.loads(start.input)["staging"] is staging


@pytest.mark.parametrize(
    "content",
    [
        _event("labeled", label="bug", on=("bug", "uat")),
        _event("synchronize", on=("bug",)),
        _event("synchronize"),
        _event("opened", on=("uat",)),
    ],
)
def test_other_events_start_none(content: dict[str, Any]) -> None:
    """Another label, a push without one, and a pull request that is opened with it."""
    decision = _decided(content)
    assert not isinstance(decision, Starts) or not any(start.is_preview for start in decision.starts)


@pytest.mark.parametrize("action", ["labeled", "synchronize", "unlabeled"])
def test_without_previews_nothing_changes(action: str) -> None:
    """Where none are set up, their labels are like any other."""
    content = _event(action, label="uat", on=("uat",))
    decision = _decided(content, None)
    assert isinstance(decision, (Answer, Starts))
    assert not isinstance(decision, Starts) or not any(start.is_preview for start in decision.starts)


def test_a_label_that_goes_is_told_to_the_queue() -> None:
    """As a label that started a session: whoever removed it, and when."""
    decision = _decided(_event("unlabeled", label="UAT-staging"))
    assert isinstance(decision, Message)
    message = json.loads(decision.message)
    assert (message["kind"], message["error"], message["label"]) == ("stop", "LabelRemoved", "UAT-staging")
    assert message["pull_request"] == 43


def test_the_other_label_starts_when_the_one_that_counted_goes() -> None:
    """With both on, the promoted image runs; without its label its preview ends and the other one starts."""
    decision = _decided(_event("unlabeled", label="UAT", on=("uat-staging",)))
    assert isinstance(decision, Starts)
    [start] = decision.starts
    assert json.loads(start.input)["staging"] is True
    assert decision.besides is not None
    assert json.loads(decision.besides.message)["label"] == "UAT"


@pytest.mark.parametrize(
    "content",
    [
        _event("labeled", label="uat-staging", on=("uat", "uat-staging")),
        _event("unlabeled", label="uat-staging", on=("uat",)),
        _event("unlabeled", label="bug", on=("uat",)),
    ],
)
def test_the_label_that_does_not_count_starts_none(content: dict[str, Any]) -> None:
    """Neither when it comes nor when it goes is the preview of the other one renewed."""
    decision = _decided(content)
    assert not isinstance(decision, Starts) or not any(start.is_preview for start in decision.starts)


def test_an_app_that_is_not_listed_starts_none() -> None:
    """A label counts for as much as that of a session."""
    content = _event("labeled", label="uat", on=("uat",))
    content["sender"] |= {"login": "renovate[bot]", "type": "Bot"}
    assert isinstance(_decided(content), Answer)


def test_a_label_of_both_kinds_starts_both() -> None:
    """A worker that starts on the label works beside the preview."""
    worker = Worker("smoke", (Trigger("pull_request", actions=("labeled",), labels=("uat",)),))
    decision = _decided(_event("labeled", label="uat", on=("uat",)), workers=[worker])
    assert isinstance(decision, Starts)
    assert [(start.match.worker.id, start.is_preview) for start in decision.starts] == [
        ("preview", True),
        ("smoke", False),
    ]

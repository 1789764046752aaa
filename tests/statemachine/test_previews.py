"""A preview's life, with functions and task mocked, on the machine's own definition."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.statemachine.kit import TASK, Finished, Machine, answers, returns, throws

DEFINITION = Path(__file__).parents[2] / "statemachine" / "preview.asl.json"
MACHINE = "preview"
ARN = "arn:aws:lambda:us-east-1:000000000000:function"
SUBSTITUTIONS = {
    "Partition": "aws",
    "SessionsTable": "sessions",
    "PreparePreviewFunction": f"{ARN}:prepare",
    "RoutePreviewFunction": f"{ARN}:route",
    "RemovePreviewFunction": f"{ARN}:remove",
    "ClusterArn": "arn:aws:ecs:us-east-1:000000000000:cluster/agents",
    "SubnetIds": "subnet-1,subnet-2",
    "PreviewSecurityGroupId": "sg-2",
    "AssignPublicIp": "ENABLED",
}
PREPARED = {"task_definition": "preview", "seconds": 3600, "host": "uat-main.preview.localhost"}
GONE = {"status": "SUCCEEDED", "error": "", "sentence": "Its time was up."}
FAILED = {"status": "FAILED", "error": "PreviewNeverHealthy", "sentence": "It never answered."}
GOOD: dict[str, list[dict[str, Any]]] = {
    "PreparePreview": [answers(PREPARED)],
    "RunPreview": [returns(TASK)],
    "RoutePreview": [answers({"url": "http://uat-main.preview.localhost"})],
    "RemovePreview": [answers(GONE)],
}


class Previews(Machine):
    """The machine of previews on the engine of the other tests here."""

    def __init__(self, sessions: Machine) -> None:
        self.url, self.mocks = sessions.url, sessions.mocks
        self.states, self.table = sessions.states, sessions.table
        text = re.sub(
            r"\$\{(\w+)\}", lambda name: SUBSTITUTIONS[name[1]], DEFINITION.read_text(encoding="utf-8")
        )
        self.arn = self.states.create_state_machine(
            name=MACHINE,
            definition=json.dumps(_hurried(json.loads(text))),
            roleArn="arn:aws:iam::000000000000:role/machine",
        )["stateMachineArn"]
        self._runs = 10_000

    def serve(self, **mocked: list[dict[str, Any]]) -> Finished:
        """Run a preview; what is not named goes well."""
        return self.run(f"preview-7-{uuid.uuid4()}", {"repository": "acme/shop", "pull_request": 7}, **mocked)


def _hurried(part: Any) -> Any:
    if isinstance(part, list):
        return [_hurried(item) for item in part]
    if not isinstance(part, dict):
        return part
    hurried = {key: _hurried(item) for key, item in part.items() if key != "MaxDelaySeconds"}
    if "MaxAttempts" in part:
        hurried |= {"IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": min(part["MaxAttempts"], 2)}
    return hurried


@pytest.fixture(scope="module")
def previews(engine_machine: Machine) -> Previews:
    """Provide the machine of previews."""
    return Previews(engine_machine)


def test_a_preview_is_served_and_removed(previews: Previews) -> None:
    """Eight states are entered, and the record is there from the first of them on."""
    finished = previews.serve(**GOOD)
    assert finished.status == "SUCCEEDED"
    assert finished.output == GONE
    assert len(finished.entered) == 8
    assert [*finished.entered[:3], *finished.entered[-3:]] == [
        *("RecordPreview", "PreparePreview", "ServePreview"),
        *("RemovePreview", "Outcome", "Succeeded"),
    ]
    record = previews.get(f"PREVIEW#{finished.session_id}")
    assert record is not None
    assert record["preview_repository"] == "acme/shop"
    assert "status" not in record


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("PreparePreview", "PreviewFromFork"),
        ("RunPreview", "States.Timeout"),
        ("RunPreview", "States.TaskFailed"),
        ("RoutePreview", "PreviewNeverHealthy"),
        ("RoutePreview", "States.Timeout"),
    ],
)
def test_whatever_fails_is_removed(previews: Previews, state: str, error: str) -> None:
    """RemovePreview hears of the error, and what it says is the execution's end."""
    finished = previews.serve(**{**GOOD, state: [throws(error)], "RemovePreview": [answers(FAILED)]})
    [told] = [
        call["Payload"] for call in finished.calls("lambda") if call["FunctionName"].endswith(":remove")
    ]
    assert told["ended"]["Error"] == error
    assert (told["prepared"] is None) == (state == "PreparePreview")
    assert (finished.status, finished.error) == ("FAILED", "PreviewNeverHealthy")


def test_a_route_is_asked_for_until_it_is_ready(previews: Previews) -> None:
    """PreviewNotReady is no failure."""
    ready = answers({"url": "http://uat-main.preview.localhost"})
    finished = previews.serve(**{**GOOD, "RoutePreview": [throws("PreviewNotReady"), ready]})
    assert finished.status == "SUCCEEDED"


def test_what_cannot_be_removed_is_a_failure(previews: Previews) -> None:
    """The execution does not succeed while something may be left."""
    finished = previews.serve(**{**GOOD, "RemovePreview": [throws("AwsUnavailable")]})
    assert (finished.status, finished.error) == ("FAILED", "InternalError")

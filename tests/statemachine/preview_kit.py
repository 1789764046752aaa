"""Runs the machine of previews on the engine of the other tests here: functions and tasks are mocked."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

from tests.statemachine.kit import TASK, Finished, Machine, answers, returns

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
PREPARED = {
    "task_definition": "preview",
    "seconds": 3600,
    "host": "uat-main.preview.localhost",
    "screenshots": 0,
}
GONE = {"status": "SUCCEEDED", "error": "", "sentence": "Its time was up."}
FAILED = {"status": "FAILED", "error": "PreviewNeverHealthy", "sentence": "It never answered."}
GOOD: dict[str, list[dict[str, Any]]] = {
    "PreparePreview": [answers(PREPARED)],
    "RunPreview": [returns(TASK)],
    "RoutePreview": [answers({"url": "http://uat-main.preview.localhost"})],
    "RemovePreview": [answers(GONE)],
}
WITH_PICTURES = {
    **GOOD,
    "PreparePreview": [answers({**PREPARED, "screenshots": 2})],
    "ShowScreenshots": [answers({"shown": 2})],
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
        """Run a preview."""
        return self.wait(*self.begin_serving(**mocked))

    def begin_serving(self, **mocked: list[dict[str, Any]]) -> tuple[str, str]:
        """Start a preview; return its name and its execution's ARN."""
        name = f"preview-7-{uuid.uuid4()}"
        return name, self.begin(name, {"repository": "acme/shop", "pull_request": 7}, **mocked)


def _hurried(part: Any) -> Any:
    if isinstance(part, list):
        return [_hurried(item) for item in part]
    if not isinstance(part, dict):
        return part
    hurried = {key: _hurried(item) for key, item in part.items() if key != "MaxDelaySeconds"}
    if "MaxAttempts" in part:
        hurried |= {"IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": min(part["MaxAttempts"], 2)}
    return hurried

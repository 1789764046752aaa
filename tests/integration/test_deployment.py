"""`sam build`, `sam deploy` and `sam delete` of the whole template, as an operator runs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import sam

if TYPE_CHECKING:
    from local.sessions import Stack

ROOT = Path(__file__).parents[2]


def test_a_deployment_comes_and_goes(stack: Stack, tmp_path: Path) -> None:
    """A second deployment beside the first is built, deployed, changed and removed without a prompt."""
    endpoint = stack.described["endpoint_url"]
    cloudformation = stack.client("cloudformation")

    def cli(**parameters: str) -> sam.Sam:
        return sam.Sam(
            template=ROOT / "template.yaml",
            build_dir=tmp_path / "build",
            log_dir=tmp_path / "log",
            endpoint=endpoint,
            stack="second",
            parameters={"Architecture": "x86_64", "FunctionsRuntime": "python3.11", **parameters},
        )

    cli().build()
    outputs = cli().deploy()
    assert {"WebhookUrl", "StateMachineArn", "SessionsTable", "ArtifactsBucket"} <= outputs.keys()
    assert outputs["StateMachineArn"] != stack.outputs["StateMachineArn"]

    changed = cli(TriggerLabel="robot").deploy()
    assert changed["SessionsTable"] == outputs["SessionsTable"]

    cli().delete()
    with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="second")
    machines = stack.client("stepfunctions").list_state_machines()["stateMachines"]
    assert outputs["StateMachineArn"] not in [machine["stateMachineArn"] for machine in machines]

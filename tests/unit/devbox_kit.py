"""An account with a deployment and perhaps a dev box: moto's EC2 and logs, a CloudFormation of our own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.template.kit import ROOT, template
from tests.unit import aws_kit, cli_kit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

MAIN = "pullwright-prod"
REGION = aws_kit.REGION
GROUP = f"/pullwright/{MAIN}/devbox"
SOURCE = "https://github.com/acme/pullwright.git"
TEMPLATE = template(ROOT / "devbox" / "template.yaml")
# Notes each word of a call on a line, all of them at once: two of them may run side by side.
AWS = """#!/bin/sh
folder=$(dirname "$0")
printf '%s\\n' "$@" ";" >>"$folder/calls"
"""
_INVALID = "ValidationError"


class _Refusal(Exception):  # noqa: N818 - what AWS answers, not an error of a test
    """What CloudFormation answers in place of a result."""


class Response(NamedTuple):
    """The part of an HTTP response that boto3 looks at."""

    status_code: int


@dataclass
class CloudFormation:
    """CloudFormation behind boto3's client, which checks each call; moto's needs packages that are not here.

    Attributes:
        events: of all stacks, newest first.
        deleted: names of stacks.
        changes: calls of CreateChangeSet that were carried out.
        refusal: what CreateChangeSet says in place of making one; empty for nothing.
        failure: why a change fails that is carried out; empty for no reason to.
    """

    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    refusal: str = ""
    failure: str = ""
    _sets: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def client(self) -> Any:
        """A client of boto3 whose calls come here."""
        client = aws_kit.client("cloudformation")
        calls: list[dict[str, Any]] = []
        client.meta.events.register("provide-client-params.*.*", lambda params, **_: calls.append(params))

        def answer(model: Any, **_: Any) -> tuple[Response, dict[str, Any]]:
            operation: Callable[[dict[str, Any]], dict[str, Any] | None] = getattr(self, model.name)
            try:
                return Response(200), {**(operation(calls[-1]) or {}), "ResponseMetadata": {}}
            except _Refusal as error:
                return Response(400), {"Error": {"Code": _INVALID, "Message": str(error)}}

        client.meta.events.register("before-call.cloudformation.*", answer)
        return client

    def DescribeStacks(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        """See AWS, which calls a name that it does not know a wrong parameter."""
        if "StackName" not in call:
            return {"Stacks": list(self.stacks.values())}
        if call["StackName"] not in self.stacks:
            raise _Refusal(f"Stack with id {call['StackName']} does not exist")
        return {"Stacks": [self.stacks[call["StackName"]]]}

    def DescribeStackEvents(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        """See AWS: newest first."""
        return {"StackEvents": self.events}

    def DeleteStack(self, call: dict[str, Any]) -> None:  # noqa: N802 - AWS's name
        """See AWS; it is gone at once."""
        self.deleted.append(call["StackName"])
        del self.stacks[call["StackName"]]

    def GetTemplateSummary(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        """See AWS."""
        return {"Parameters": [{"ParameterKey": name} for name in TEMPLATE["Parameters"]]}

    def CreateChangeSet(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        """See AWS: of what exists, with parameters of the template, whose previous values the stack has."""
        before = self.stacks.get(call["StackName"])
        if self.refusal:
            raise _Refusal(self.refusal)
        if (before is None) != (call["ChangeSetType"] == "CREATE"):
            raise _Refusal(f"Stack [{call['StackName']}] exists or does not")
        known = {one["ParameterKey"]: one["ParameterValue"] for one in (before or {}).get("Parameters", [])}
        for parameter in call["Parameters"]:
            key = parameter["ParameterKey"]
            if key not in TEMPLATE["Parameters"]:
                raise _Refusal(f"Parameters: [{key}] do not exist in the template")
            if parameter.get("UsePreviousValue") and key not in known:
                raise _Refusal(
                    f"Cannot use the previous value of {key}, which is not in the previous template"
                )
        values = self._values(call, known)
        missing = sorted(set(TEMPLATE["Parameters"]) - set(values))
        if missing:
            raise _Refusal(f"Parameters: [{', '.join(missing)}] must have values")
        status = {"Status": "CREATE_COMPLETE"}
        if values == known:
            reason = "The submitted information didn't contain changes. Submit different information."
            status = {"Status": "FAILED", "StatusReason": reason}
        self._sets[call["ChangeSetName"]] = {**call, **status}
        return {}

    def DescribeChangeSet(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        """See AWS."""
        return self._sets[call["ChangeSetName"]]

    def DeleteChangeSet(self, call: dict[str, Any]) -> None:  # noqa: N802 - AWS's name
        """See AWS."""
        del self._sets[call["ChangeSetName"]]

    def ExecuteChangeSet(self, call: dict[str, Any]) -> None:  # noqa: N802 - AWS's name
        """See AWS; it is done at once."""
        change = self._sets.pop(call["ChangeSetName"])
        self.changes.append(change)
        stack = self.stacks.setdefault(change["StackName"], {"StackName": change["StackName"]})
        known = {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}
        values = self._values(change, known)
        stack["Parameters"] = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in values.items()
        ]
        stack["Tags"] = change["Tags"]
        kind = change["ChangeSetType"]
        stack["StackStatus"] = f"{kind}_COMPLETE"
        if kind == "CREATE" and not self.failure:
            ec2 = aws_kit.client("ec2")
            (machine,) = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"]
            stack["Outputs"] = [{"OutputKey": "InstanceId", "OutputValue": machine["InstanceId"]}]
        if self.failure:
            stack["StackStatus"] = "ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
            now = {"Timestamp": datetime.now(UTC), "ResourceStatus": f"{kind}_FAILED"}
            cancelled = {"LogicalResourceId": "Alarm", "ResourceStatusReason": "Resource creation cancelled"}
            self.events = [
                {**now, **cancelled},
                {**now, "LogicalResourceId": "Instance", "ResourceStatusReason": self.failure},
                {**now, "ResourceStatus": f"{kind}_COMPLETE", "LogicalResourceId": "LogGroup"},
            ]

    @property
    def left(self) -> list[str]:
        """Change sets that nobody has carried out or deleted."""
        return list(self._sets)

    def _values(self, call: dict[str, Any], known: dict[str, str]) -> dict[str, str]:
        given = {
            one["ParameterKey"]: known[one["ParameterKey"]]
            if "UsePreviousValue" in one
            else one["ParameterValue"]
            for one in call["Parameters"]
        }
        parameters = TEMPLATE["Parameters"]
        defaults = {name: str(one["Default"]) for name, one in parameters.items() if "Default" in one}
        return {**defaults, **given}


@dataclass
class Account:
    """An account with a deployment, and perhaps a box.

    Attributes:
        bin: folder of an AWS CLI that notes its calls.
    """

    bin: Path
    cloudformation: CloudFormation = field(default_factory=CloudFormation)
    vpc: str = ""
    subnets: list[str] = field(default_factory=list)
    instance: str = ""

    def calls(self) -> list[list[str]]:
        """Return the calls of the AWS CLI."""
        file = self.bin / "calls"
        return [call.split("\n") for call in file.read_text().split("\n;\n")[:-1]] if file.exists() else []

    def changes(self) -> list[dict[str, str]]:
        """Return the parameters of each change of the box's stack, without those that stay as they were."""
        return [
            {
                one["ParameterKey"]: one["ParameterValue"]
                for one in change["Parameters"]
                if "ParameterValue" in one
            }
            for change in self.cloudformation.changes
        ]

    def client(self, service: str) -> Any:
        """Return a client."""
        return self.cloudformation.client if service == "cloudformation" else aws_kit.client(service)

    def stack(self, name: str, outputs: dict[str, str], **parameters: str) -> None:
        """Have a stack with these outputs."""
        tags = {"service": "pullwright", "environment": "prod"}
        self.cloudformation.stacks[name] = {
            "StackName": name,
            "StackStatus": "UPDATE_COMPLETE",
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def make_box(self) -> None:
        """Have a box whose machine runs."""
        machine = self.client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"][0]
        self.instance = machine["InstanceId"]
        outputs = {"InstanceId": self.instance, "PermissionsBoundaryArn": "arn:boundary"}
        given = {name: f"its-{name}" for name, one in TEMPLATE["Parameters"].items() if "Default" not in one}
        defaults = {
            name: str(one["Default"]) for name, one in TEMPLATE["Parameters"].items() if "Default" in one
        }
        self.stack(f"{MAIN}-devbox", outputs, **given, **defaults)

    def says(self, kind: str, text: str) -> None:
        """Have the box say something."""
        logs, stream = self.client("logs"), f"{self.instance}/{kind}"
        if not logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=stream)["logStreams"]:
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000) + 2000, "message": text}
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])


def command(*words: str) -> int:
    """Run a command on the deployment."""
    return cli_kit.run("devbox", *words, "--stack-name", MAIN)


def printed(capsys: pytest.CaptureFixture[str], document: str, *words: str) -> Any:
    """Return what a command on the deployment prints as JSON."""
    return cli_kit.printed(capsys, document, "devbox", *words, "--stack-name", MAIN)

"""`pullwright devbox up`: from the main stack's outputs to a box that is ready."""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from pullwright import errors
from pullwright_cli.deploying.sam import show
from pullwright_cli.devbox.box import HALF
from pullwright_cli.devbox.changing import change
from pullwright_cli.devbox.subnets import choose
from pullwright_cli.git import https_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pullwright_cli.devbox.box import Box

TEMPLATE = "devbox/template.yaml"
OUTPUTS = (
    "AgentRepositoryArn",
    "AlarmTopicArn",
    "ArtifactsBucket",
    "EcsClusterArn",
    "ReleaseParameter",
    "SessionsTable",
    "TaskExecutionRoleArn",
    "TaskRoleArn",
    "VpcId",
)
"""Those of the main stack that the box's template has a parameter for."""
_SECONDS = 5.0
_NO_SPOT = ("capacity", "Spot")


def parameters(box: Box, root: Path, subnet: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the template's parameters; those that are left out stay as they are.

    Args:
        root: of the checkout, whose remote the box clones.
        subnet: where a new box goes; empty for one of the deployment's.
        chosen: those that the call names; they go before all others.

    Raises:
        OutputMissing: the main stack is of a release before dev boxes.
        NoWayOut: no subnet has a way out.
    """
    main = box.main
    tags = {tag["Key"]: tag["Value"] for tag in main.description.get("Tags", [])}
    return {
        "MainStackName": main.name,
        **{name: main.output(name) for name in OUTPUTS},
        "SecretArns": _secrets(main.outputs),
        **_known("ServiceName", tags.get("service", "")),
        **_known("EnvironmentName", tags.get("environment", "")),
        # Another subnet, processor or source is another machine: a box that is there keeps its own.
        **({} if box.is_whole else _new(box, root, chosen)),
        **(_placed(box, subnet) if subnet or not box.is_whole else {}),
        **chosen,
    }


def _secrets(outputs: Mapping[str, str]) -> str:
    """Return the ARNs of all secrets of the main stack, those of its options too."""
    found = {value for name, value in outputs.items() if name.endswith("SecretArn") and value}
    return ",".join(sorted(found))


def _new(box: Box, root: Path, chosen: Mapping[str, str]) -> dict[str, str]:
    source = chosen.get("RepositoryUrl") or https_address(root)
    return {**_known("Architecture", box.main.parameter("Architecture")), "RepositoryUrl": source}


def _placed(box: Box, subnet: str) -> dict[str, str]:
    main = box.main
    subnets = [subnet] if subnet else main.output("EcsSubnetIdsCsv").split(",")
    found = choose(main.client("ec2"), main.output("VpcId"), subnets)
    return {"SubnetId": found.id, "AssignPublicIp": str(found.is_public).lower()}


def deploy_line(box: Box, root: Path, values: Mapping[str, str]) -> list[str]:
    """Return the plain call of the AWS CLI that makes or changes the box's stack."""
    return [
        *("aws", "cloudformation", "deploy", "--template-file", str(root / TEMPLATE)),
        *("--stack-name", box.name, "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"),
        *place(box),
        *("--tags", *(f"{tag}={value}" for tag, value in _tags(values).items())),
        *("--parameter-overrides", *(f"{name}={value}" for name, value in values.items())),
    ]


def _tags(values: Mapping[str, str]) -> dict[str, str]:
    names = {"service": "ServiceName", "environment": "EnvironmentName"}
    known = {tag: values[name] for tag, name in names.items() if name in values}
    return {**known, "managed-by": "cloudformation"}


def place(box: Box) -> list[str]:
    """Return the options of the AWS CLI that say where the box is."""
    return [
        *(("--region", box.main.session.region_name) if box.main.session.region_name else ()),
        *(("--profile", box.main.profile) if box.main.profile else ()),
    ]


def make(box: Box, root: Path, values: Mapping[str, str]) -> None:
    """Make or change the stack, as the printed call of the AWS CLI would.

    Raises:
        DevBoxNotMade: CloudFormation or EC2 refused it; the text has why.
    """
    if box.status in HALF:
        print(f"{box.name} is {box.status}: what is left of it goes first.", file=sys.stderr)
        remove(box)
    began = time.time()
    show(shlex.join(deploy_line(box, root, values)))
    before = [one["ParameterKey"] for one in box.stack.description["Parameters"]] if box.is_whole else None
    template = (root / TEMPLATE).read_text(encoding="utf-8")
    try:
        change(box.main.client("cloudformation"), box.name, template, values, _tags(values), before)
    except WaiterError as error:
        raise _refused(box, began, error.last_response.get("StatusReason", "")) from None
    except ClientError as error:
        # A value against the template's patterns or rules, or a stack that is changing already.
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise _refused(box, began, error.response["Error"]["Message"]) from None


def remove(box: Box) -> None:
    """Delete the stack, and wait until it is gone.

    Raises:
        DevBoxNotRemoved: something of it stays; the text has what.
    """
    client = box.main.client("cloudformation")
    client.delete_stack(StackName=box.name)
    try:
        client.get_waiter("stack_delete_complete").wait(
            StackName=box.name, WaiterConfig={"Delay": 2, "MaxAttempts": 450}
        )
    except WaiterError:
        raise errors.DevBoxNotRemoved(
            f"{box.name} could not be removed: {' '.join(_reasons(box, 0))}"
        ) from None


def wait(box: Box, minutes: float) -> None:
    """Wait until the box is ready; say on standard error what is waited for.

    Raises:
        DevBoxNotReady: its set-up failed, or took longer.
    """
    deadline, said = time.monotonic() + minutes * 60, ""
    while True:
        machine = box.instance()
        state = machine["State"]["Name"]
        text = box.set_up(machine) if state == "running" else f"the machine is {state}"
        if text.startswith("READY "):
            print(f"The dev box {box.instance_id} is ready: {text.partition(': ')[2]}", file=sys.stderr)
            return
        if text.startswith("FAILED "):
            raise errors.DevBoxNotReady(f"The set-up of {box.instance_id} ended: {text}.")
        now = text or "the first word of its set-up"
        if now != said:
            print(f"waiting for {box.instance_id}: {now}", file=sys.stderr, flush=True)
            said = now
        if time.monotonic() >= deadline:
            raise errors.DevBoxNotReady(
                f"{box.instance_id} was not ready after {minutes:g} minutes, which waited for {now}."
            )
        time.sleep(_SECONDS)


def _known(name: str, value: str) -> dict[str, str]:
    return {name: value} if value else {}


def _refused(box: Box, since: float, reason: str) -> errors.DevBoxNotMade:
    reasons = _reasons(box, since) or [reason or "CloudFormation gives no reason."]
    sentence = f"{box.name} was not made or changed: {' '.join(reasons)}"
    if any(word in reason for word in _NO_SPOT for reason in reasons):
        return errors.DevBoxNotMade(
            sentence,
            remedy="Say --no-spot, or choose another --type: there is no spare capacity of this one.",
        )
    return errors.DevBoxNotMade(sentence)


def _reasons(box: Box, since: float) -> list[str]:
    """Return why resources failed, the first one first, without those that failed because of it."""
    if not (events := _events(box)):
        return []
    return [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
        and event["Timestamp"].timestamp() >= since
        and "cancelled" not in event.get("ResourceStatusReason", "cancelled")
    ][:3]


def _events(box: Box) -> list[Any]:
    try:
        found: list[Any] = box.main.client("cloudformation").describe_stack_events(StackName=box.name)[
            "StackEvents"
        ]
    except ClientError:
        return []
    return found

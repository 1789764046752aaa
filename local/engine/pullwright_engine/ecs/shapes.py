"""Tasks as the ECS API shows them: plain dictionaries in the API's own spelling.

Shapes: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_network
from itertools import count
from typing import Any

Document = dict[str, Any]

SPOT = "FARGATE_SPOT"
"""Fargate's capacity provider whose tasks may be taken back."""
NETWORK = ip_network("127.64.0.0/10")
"""Each task has a loopback address of its own in it, so that two with one port live side by side."""
OVERRIDES_LIMIT = 8_192
"""Characters that the JSON of `overrides` may have."""


QUOTA_REACHED = (
    "You\u2019ve reached the limit on the number of vCPUs you can run concurrently. For more information, "
    "see the Troubleshooting section of the Amazon ECS Developer Guide."
)
"""What ECS says when the account's vCPU quota is used up, typographic apostrophe included.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""
_UNITS_OF_A_VCPU = 1_024


def now() -> datetime:
    """Return the time as the API gives it."""
    return datetime.now(UTC)


def new_task(
    request: Document, definition: Document, cluster_arn: str, others: Iterable[Document] = ()
) -> Document:
    """Return a task that was just accepted.

    Args:
        definition: the task definition, as DescribeTaskDefinition gives it.
        others: tasks whose addresses this one must not have.
    """
    identity = uuid.uuid4()
    address = _free_address(identity.int, {address_of(other) for other in others})
    arn = f"{cluster_arn.replace(':cluster/', ':task/')}/{identity.hex}"
    overrides = dict(request.get("overrides") or {})
    overrides.setdefault("containerOverrides", [])
    overrides.setdefault("inferenceAcceleratorOverrides", [])
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    tags = list(request.get("tags") or [])
    if request.get("propagateTags") == "TASK_DEFINITION":
        keys = {tag["key"] for tag in tags}
        tags += [tag for tag in definition.get("tags") or [] if tag["key"] not in keys]
    return {
        "taskArn": arn,
        "clusterArn": cluster_arn,
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "group": request.get("group") or f"family:{definition['family']}",
        "startedBy": request.get("startedBy") or "",
        "launchType": "FARGATE",
        **capacity_provider(request),
        "platformVersion": request.get("platformVersion") or "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": f"{arn.split(':')[3]}a",
        "attachments": [_network_interface(network, address)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": _architecture(definition)}],
        "containers": [
            _container(container, arn, address) for container in definition["containerDefinitions"]
        ],
        "cpu": overrides.get("cpu") or definition.get("cpu") or "256",
        "memory": overrides.get("memory") or definition.get("memory") or "512",
        "ephemeralStorage": definition.get("ephemeralStorage") or {"sizeInGiB": 20},
        "enableExecuteCommand": bool(request.get("enableExecuteCommand")),
        "overrides": overrides,
        "tags": tags,
        "createdAt": now(),
        "desiredStatus": "RUNNING",
        "lastStatus": "PROVISIONING",
        "healthStatus": "UNKNOWN",
        "inferenceAccelerators": [],
        "version": 1,
    }


def exceeds_quota(task: Document, others: Iterable[Document], quota: float | None) -> bool:
    """Return whether a task needs more vCPUs than the account's quota has left.

    Args:
        task: not counted yet.
        others: all tasks of the account; those that have stopped need none.
        quota: vCPUs; None for no quota.
    """
    if quota is None:
        return False
    used = sum(int(other["cpu"]) for other in others if other["lastStatus"] != "STOPPED")
    return used + int(task["cpu"]) > quota * _UNITS_OF_A_VCPU


def capacity_provider(request: Document) -> Document:
    """Return the task's `capacityProviderName` field; empty for a task started by launch type."""
    strategy = request.get("capacityProviderStrategy") or []
    # With one provider there is nothing to spread by weight.
    return {"capacityProviderName": strategy[0]["capacityProvider"]} if strategy else {}


def _architecture(definition: Document) -> str:
    platform = definition.get("runtimePlatform") or {}
    return str(platform.get("cpuArchitecture") or "X86_64").lower()


def _free_address(number: int, taken: set[str]) -> str:
    """Return an address for a task, by which two stacks on one machine will hardly meet."""
    return next(
        address
        for offset in count(number)
        if (address := str(NETWORK[offset % NETWORK.num_addresses])) not in taken
    )


def address_of(task: Document) -> str:
    """Return the private address of a task."""
    return str(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"])


def _network_interface(network: Document, address: str) -> Document:
    subnet = (network.get("subnets") or ["subnet-local"])[0]
    return {
        "id": str(uuid.uuid4()),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [
            {"name": "subnetId", "value": subnet},
            {"name": "networkInterfaceId", "value": f"eni-{uuid.uuid4().hex[:17]}"},
            {"name": "privateIPv4Address", "value": address},
        ],
    }


def _container(definition: Document, task_arn: str, address: str) -> Document:
    return {
        "containerArn": f"{task_arn.replace(':task/', ':container/')}/{uuid.uuid4()}",
        "taskArn": task_arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "networkInterfaces": [{"privateIpv4Address": address}],
        "healthStatus": "UNKNOWN",
        "cpu": str(definition.get("cpu") or 0),
    }


def task_id(arn: str) -> str:
    """Return the last part of a task's ARN."""
    return arn.rpartition("/")[2]


def view(task: Document, include: list[str] | None) -> Document:
    """Return a copy for an answer; tags only where they were asked for, as ECS does."""
    shown = {**task, "containers": [dict(container) for container in task["containers"]]}
    if "TAGS" not in (include or []):
        shown["tags"] = []
    return shown


def selects(task: Document, request: Document) -> bool:
    """Return whether ListTasks with these filters names the task.

    Args:
        request: the ListTasks request, its cluster already resolved.
    """
    family = task["taskDefinitionArn"].rpartition("/")[2].partition(":")[0]
    return all(
        (
            task["desiredStatus"] == (request.get("desiredStatus") or "RUNNING"),
            request.get("family") in (None, family),
            request.get("startedBy") in (None, task["startedBy"]),
            request.get("launchType") in (None, task["launchType"]),
            request.get("serviceName") in (None, task["group"].removeprefix("service:")),
        )
    )


def exit_code(returncode: int) -> int:
    """Return a process's return code as a container's: 128 plus the signal that ended it.

    Args:
        returncode: of `subprocess`, negative for signals.
    """
    return returncode if returncode >= 0 else 128 - returncode

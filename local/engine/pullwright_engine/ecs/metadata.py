"""Tasks and containers as the task metadata endpoint shows them (another spelling than the API's)."""

from typing import Any

from pullwright_engine.ecs.shapes import Document, address_of


def _time(value: Any) -> str | None:
    return value.isoformat().replace("+00:00", "Z") if value else None


def container_metadata(
    container: Document, task: Document, definition: Document, streams: dict[str, str]
) -> Document:
    """Return a container's metadata."""
    family, _, revision = task["taskDefinitionArn"].rpartition("/")[2].partition(":")
    declared = next(
        entry for entry in definition["containerDefinitions"] if entry["name"] == container["name"]
    )
    log = declared.get("logConfiguration") or {}
    return {
        "DockerId": f"{task['taskArn'].rpartition('/')[2]}-{container['containerArn'][-10:]}",
        "Name": container["name"],
        "DockerName": container["name"],
        "Image": container["image"],
        "ImageID": container.get("imageDigest"),
        "Labels": {
            "com.amazonaws.ecs.cluster": task["clusterArn"],
            "com.amazonaws.ecs.container-name": container["name"],
            "com.amazonaws.ecs.task-arn": task["taskArn"],
            "com.amazonaws.ecs.task-definition-family": family,
            "com.amazonaws.ecs.task-definition-version": revision,
        },
        "DesiredStatus": task["desiredStatus"],
        "KnownStatus": container["lastStatus"],
        "Limits": {"CPU": int(container["cpu"] or 0)},
        "CreatedAt": _time(task["createdAt"]),
        "StartedAt": _time(task.get("startedAt")),
        "Type": "NORMAL",
        "ContainerARN": container["containerArn"],
        "LogDriver": log.get("logDriver"),
        "LogOptions": {
            **(log.get("options") or {}),
            **({"awslogs-stream": streams[container["name"]]} if container["name"] in streams else {}),
        },
        "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": [address_of(task)]}],
    }


def task_metadata(task: Document, definition: Document, streams: dict[str, str]) -> Document:
    """Return a task's metadata."""
    family, _, revision = task["taskDefinitionArn"].rpartition("/")[2].partition(":")
    return {
        "Cluster": task["clusterArn"],
        "TaskARN": task["taskArn"],
        "Family": family,
        "Revision": revision,
        "DesiredStatus": task["desiredStatus"],
        "KnownStatus": task["lastStatus"],
        "Limits": {"CPU": int(task["cpu"]) / 1024, "Memory": int(task["memory"])},
        "PullStartedAt": _time(task.get("pullStartedAt")),
        "PullStoppedAt": _time(task.get("pullStoppedAt")),
        "AvailabilityZone": task["availabilityZone"],
        "LaunchType": task["launchType"],
        "Containers": [
            container_metadata(container, task, definition, streams) for container in task["containers"]
        ],
    }

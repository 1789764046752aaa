"""What ECS says of a task; a task's claim on a session is checked against it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SESSION_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")


def started_for(task: Mapping[str, Any]) -> str | None:
    """Return the session that a task was started for, by what ECS says; None if not exactly one.

    Args:
        task: as boto3 describes it.
    """
    return _override(task, "runner", "SESSION_ID")


def preview_of(task: Mapping[str, Any]) -> str | None:
    """Return the preview that a task was started for, as `started_for` does the session."""
    return _override(task, "preview", "PREVIEW_ID")


def _override(task: Mapping[str, Any], name: str, variable_name: str) -> str | None:
    """Return the one override that a state machine gives.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html
    """
    values = [
        variable.get("value")
        for container in (task.get("overrides") or {}).get("containerOverrides") or []
        if container.get("name") == name
        for variable in container.get("environment") or []
        if variable.get("name") == variable_name
    ]
    found = values[0] if len(values) == 1 else None
    return found if found is not None and SESSION_ID.fullmatch(found) else None


def task_id(arn: str) -> str:
    """Return a task's id, given that or its ARN."""
    return arn.rpartition("/")[2]


def is_in_cluster(arn: str, cluster: str) -> bool:
    """Return whether a task's ARN is in a cluster; ECS refuses a whole request when one is not.

    Args:
        cluster: ARN or name.
    """
    account, _, path = arn.partition(":task/")
    home, _, name = cluster.rpartition(":cluster/")
    return path.partition("/")[0] == name and home in {"", account}

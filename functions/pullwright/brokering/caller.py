"""Who calls the broker, and which session that task runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullwright.aws import calling
from pullwright.errors import NotAllowed

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef

_CONTAINER = "runner"
_VARIABLE = "SESSION_ID"
# ECS names the session of a task's role after the task:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[\w+=,.@-]+)/(?P<task>[0-9a-f-]{32,36})"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A task that signed its request with the task role.

    Attributes:
        partition: of AWS, for ARNs.
        account: AWS account.
        task_id: the task's id.
    """

    partition: str
    account: str
    task_id: str

    @classmethod
    def of(cls, event: dict[str, Any], task_role: str) -> Caller:
        """Reads the caller that Lambda has authenticated.

        Args:
            event: of a Function URL with `AWS_IAM`.
            task_role: name of the role that our tasks have.

        Raises:
            NotAllowed: the caller is not one of our tasks.
        """
        authorizer = event.get("requestContext", {}).get("authorizer") or {}
        match = _ARN.fullmatch(str((authorizer.get("iam") or {}).get("userArn", "")))
        if match is None or match["role"] != task_role:
            raise NotAllowed("The caller is not a task of this Pullwright.")
        return cls(partition=match["partition"], account=match["account"], task_id=match["task"])


def find_task(ecs: ECSClient, cluster: str, task: str) -> TaskTypeDef | None:
    """A task that has not stopped; None if it has, or if the cluster knows none such.

    One that is being stopped still counts: it saves its work.

    Args:
        ecs: ECS.
        cluster: ARN of the cluster.
        task: id or ARN.

    Raises:
        AwsUnavailable: ECS did not answer.
    """
    with calling("describe a task"):
        tasks = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    return tasks[0] if tasks and tasks[0].get("lastStatus") != "STOPPED" else None


def session_of(task: TaskTypeDef) -> str:
    """The session that a task was started for: the one override that the state machine gives it.

    Raises:
        NotAllowed: it was started for none.
    """
    for container in task.get("overrides", {}).get("containerOverrides", []):
        if container.get("name") == _CONTAINER:
            for variable in container.get("environment", []):
                if variable.get("name") == _VARIABLE and (value := variable.get("value")):
                    return value
    raise NotAllowed("The caller's task was started for no session.")

"""Who calls the broker, and which session that task runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullwright.aws import calling
from pullwright.claims import started_for, task_id
from pullwright.errors import NotAllowed
from pullwright.json_object import as_object

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef

# ECS names the session of a task's role after the task, whose id on Fargate is 32 hexadecimal digits:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html#ecs-resource-ids
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):sts::(?P<account>[0-9]{12})"
    r":assumed-role/(?P<role>[A-Za-z0-9_+=,.@-]{1,64})/(?P<task>[0-9a-f]{32})"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A task that signed its request with the task role.

    Attributes:
        partition: of AWS, for ARNs.
        role: name of the task's role, which tells a session's task from a preview's.
    """

    partition: str
    account: str
    task_id: str
    role: str

    @classmethod
    def of(cls, event: Mapping[str, Any], *, task_roles: Collection[str], session_role_arn: str) -> Caller:
        """Return the caller that Lambda has authenticated.

        A role of the same name in another account, or in another partition, is not ours.

        Args:
            event: of a Function URL with `AWS_IAM`.
            task_roles: names of the roles that our tasks have.
            session_role_arn: a role of ours, which tells partition and account.

        Raises:
            NotAllowed: the caller is not one of our tasks.
        """
        identity = event
        for name in ("requestContext", "authorizer", "iam"):
            identity = as_object(identity.get(name))
        match = _ARN.fullmatch(str(identity.get("userArn", "")))
        _, partition, _, _, account, _ = session_role_arn.split(":", 5)
        ours = match is not None and match.group("partition", "account") == (partition, account)
        if match is None or not ours or match["role"] not in task_roles:
            raise NotAllowed("The caller is not a task of this Pullwright.")
        return cls(partition=partition, account=account, task_id=match["task"], role=match["role"])


def find_task(ecs: ECSClient, cluster: str, task: str) -> TaskTypeDef | None:
    """Return a task that has not stopped; None if it has, or if the cluster knows none such.

    One that is being stopped still counts: it saves its work.

    Args:
        cluster: ARN of the cluster.
        task: id or ARN.

    Raises:
        AwsUnavailable: ECS did not answer.
    """
    with calling("describe a task"):
        tasks = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    found = next((found for found in tasks if task_id(found.get("taskArn", "")) == task_id(task)), None)
    return found if found is not None and found.get("lastStatus") != "STOPPED" else None


def session_of(task: TaskTypeDef) -> str:
    """Return the session that a task was started for.

    Raises:
        NotAllowed: it was started for none, or for more than one.
    """
    session_id = started_for(task)
    if session_id is None:
        raise NotAllowed("The caller's task was started for no session.")
    return session_id

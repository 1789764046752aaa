"""Not a defect: Step Functions assumes the role of a state machine once, not for each call of each state.

Every call made a role session of its own and a client for it, 50 ms of processor time that AWS's own service
does not cost its user.
"""

from functools import lru_cache
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.stepfunctions.asl.utils import boto_client


class _Connection:
    """Replacement of LocalStack's client factory for calls of state machines."""

    @staticmethod
    @lru_cache(maxsize=32)
    def with_assumed_role(**arguments: Any) -> Any:
        return connect_to.with_assumed_role(**arguments)


def apply() -> None:
    """Remember the clients of each role; the roles do not change, and LocalStack's sessions do not expire."""
    boto_client.connect_to = _Connection

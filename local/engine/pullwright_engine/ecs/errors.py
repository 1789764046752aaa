"""Errors of the ECS API, and the reasons why a task did not start."""

from localstack.aws.api import CommonServiceException


def invalid_parameter(message: str) -> CommonServiceException:
    """Return the error for a request that is malformed."""
    return CommonServiceException("InvalidParameterException", message, 400, sender_fault=True)


def client_error(message: str) -> CommonServiceException:
    """Return the error for a request that names something that cannot be used."""
    return CommonServiceException("ClientException", message, 400, sender_fault=True)


def cluster_not_found() -> CommonServiceException:
    """Return the error for a cluster that does not exist or is not active."""
    return CommonServiceException("ClusterNotFoundException", "Cluster not found.", 400, sender_fault=True)


class StartError(Exception):
    """A task that cannot start.

    Args:
        reason: what DescribeTasks shows, beginning with ECS's own name for it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

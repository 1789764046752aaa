"""Who we are, from the ECS task metadata endpoint.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import urllib3

from pullwright.errors import AwsUnavailable
from pullwright.json_object import as_object

_RETRIES = urllib3.Retry(total=5, backoff_factor=0.2, status_forcelist=(429, 500, 502, 503, 504))
_OK = 200


@dataclass(frozen=True, slots=True)
class TaskIdentity:
    """The running task.

    Attributes:
        arn: the task's ARN.
        image_digest: of the container's image; where the platform gives none, its image id, else empty.
    """

    arn: str
    image_digest: str


def read_identity(address: str) -> TaskIdentity:
    """Ask the metadata endpoint.

    Args:
        address: `ECS_CONTAINER_METADATA_URI_V4`.

    Raises:
        AwsUnavailable: it did not answer with what it should.
    """
    with urllib3.PoolManager(retries=_RETRIES, timeout=urllib3.Timeout(connect=2, read=5)) as pool:
        task = _get(pool, f"{address}/task")
        container = _get(pool, address)
    arn = task.get("TaskARN")
    if not isinstance(arn, str) or not arn:
        raise AwsUnavailable("The task metadata endpoint named no task.")
    return TaskIdentity(arn=arn, image_digest=str(container.get("ImageID") or ""))


def read_address(address: str) -> str:
    """Return the task's own address in its network, which a load balancer reaches.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html

    Args:
        address: `ECS_CONTAINER_METADATA_URI_V4`.

    Raises:
        AwsUnavailable: the endpoint did not answer with one.
    """
    with urllib3.PoolManager(retries=_RETRIES, timeout=urllib3.Timeout(connect=2, read=5)) as pool:
        networks = _get(pool, address).get("Networks")
    for network in networks if isinstance(networks, list) else []:
        addresses = as_object(network).get("IPv4Addresses")
        if isinstance(addresses, list) and addresses and isinstance(addresses[0], str):
            return addresses[0]
    raise AwsUnavailable("The task metadata endpoint named no address of the task.")


def _get(pool: urllib3.PoolManager, url: str) -> dict[str, Any]:
    try:
        answer = pool.request("GET", url)
        content = answer.json() if answer.status == _OK else None
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise AwsUnavailable(
            f"The task metadata endpoint did not answer ({type(error).__name__})."
        ) from error
    if not isinstance(content, dict):
        raise AwsUnavailable(f"The task metadata endpoint answered with status {answer.status}.")
    return content

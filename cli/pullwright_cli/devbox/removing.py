"""`pullwright devbox down`: what would be lost, and the order in which a box goes away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pullwright import errors
from pullwright_cli.devbox.making import remove
from pullwright_cli.terminal import ago

if TYPE_CHECKING:
    from pullwright_cli.devbox.box import Box

_OPEN = ("open", "active", "disabled")


def unpushed(box: Box) -> list[str]:
    """Return what only the box's disk has, a sentence for each repository, as far as the box has said."""
    if not box.is_whole:
        return []
    said = box.last_status()
    if not said:
        return ["the box has not said yet whether it has work that is not pushed"]
    return [f"{line} ({_when(said['at'])})" for line in said.get("unpushed", [])]


def check_boundary(box: Box) -> None:
    """Check that no role of the main stack is held by the box's boundary.

    Raises:
        DevBoxNotRemoved: one may be, and IAM deletes no policy that is in use.
    """
    boundary = box.stack.outputs.get("PermissionsBoundaryArn", "") if box.is_whole else ""
    if boundary and box.main.parameter("PermissionsBoundaryArn") == boundary:
        raise errors.DevBoxNotRemoved(
            f"The roles of {box.main.name} carry the boundary of {box.name}, which cannot go while they do.",
            remedy="Deploy without it first: `pullwright deploy --parameter PermissionsBoundaryArn=`.",
        )


def spot_requests(box: Box) -> list[str]:
    """Return the box's requests for spare capacity that would start another machine after its end.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-instances-cancel.html
    """
    if not box.is_whole:
        return []
    found = box.main.client("ec2").describe_spot_instance_requests(
        Filters=[{"Name": "instance-id", "Values": [box.instance_id]}]
    )["SpotInstanceRequests"]
    return [request["SpotInstanceRequestId"] for request in found if request["State"] in _OPEN]


def take_down(box: Box) -> None:
    """Remove the box and all that belongs to it."""
    if requests := spot_requests(box):
        box.main.client("ec2").cancel_spot_instance_requests(SpotInstanceRequestIds=requests)
    remove(box)


def _when(milliseconds: int) -> str:

    return ago(datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat())

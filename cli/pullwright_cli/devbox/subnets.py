"""Where the box can stand: a subnet of the deployment's with a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

_EVERYWHERE = "0.0.0.0/0"


class Subnet(NamedTuple):
    """A subnet with a way out.

    Attributes:
        is_public: the way is an internet gateway, which takes a public address.
    """

    id: str
    is_public: bool


def choose(ec2: Any, vpc: str, subnets: Sequence[str]) -> Subnet:
    """Choose a subnet: a public one if there is one, else one behind a NAT gateway.

    A subnet without a route table of its own has the VPC's main one:
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html

    Raises:
        NoWayOut: none of them has any, so that the box could not reach Session Manager.
    """
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    found = [Subnet(subnet, way) for subnet in subnets if (way := _is_public(tables, subnet)) is not None]
    if not found:
        raise errors.NoWayOut(f"None of the subnets {', '.join(subnets)} of {vpc} has a way out.")
    return max(found, key=lambda subnet: subnet.is_public)


def _is_public(tables: Sequence[dict[str, Any]], subnet: str) -> bool | None:
    """Return whether a subnet's way out is an internet gateway; None if it has no way out."""
    ways = [
        route
        for route in _table(tables, subnet).get("Routes", [])
        if route.get("DestinationCidrBlock") == _EVERYWHERE and route.get("State", "active") == "active"
    ]
    if any(route.get("GatewayId", "").startswith("igw-") for route in ways):
        return True
    others = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId")
    return False if any(route.get(name) for route in ways for name in others) else None


def _table(tables: Sequence[dict[str, Any]], subnet: str) -> dict[str, Any]:
    main: dict[str, Any] = {}
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == subnet:
                return table
            if association.get("Main"):
                main = table
    return main

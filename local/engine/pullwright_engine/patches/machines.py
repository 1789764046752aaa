"""Defect: an instance lost its subnet, groups, profile, disks and tags, and a route its gateway."""

from typing import Any

from localstack.services.ec2.resource_providers.aws_ec2_instance import EC2InstanceProvider
from localstack.services.ec2.resource_providers.aws_ec2_route import EC2RouteProvider

from pullwright_engine.cloudformation_ec2 import create_instance, update_instance

_WAYS = ("GatewayId", "NatGatewayId")


def apply() -> None:
    """Pass on what a template says."""
    make_route = EC2RouteProvider.create

    def create_route(self: Any, request: Any) -> Any:
        model = request.desired_state
        ways = {name: model[name] for name in _WAYS if model.get(name)}
        ended = make_route(self, request)
        if ways:
            # The one that was made has no way yet: moto takes a change of it.
            request.aws_client_factory.ec2.replace_route(
                RouteTableId=model["RouteTableId"], DestinationCidrBlock=model["DestinationCidrBlock"], **ways
            )
        return ended

    EC2RouteProvider.create = create_route
    EC2InstanceProvider.create = lambda _self, request: create_instance(request)
    EC2InstanceProvider.update = lambda _self, request: update_instance(request)

"""Load balancers and listeners as a template describes them: LocalStack has neither."""

import hashlib
from typing import Any

from localstack.services.cloudformation.resource_provider import ProgressEvent, ResourceProvider

from pullwright_engine.cloudformation import Document, done, plugin

NAME_LENGTH = 32
_GIVEN = ("IpAddressType", "Scheme", "SecurityGroups", "Subnets", "Type")
"""Properties with which a load balancer is made as they are."""


def generated_name(stack_name: str, logical_id: str) -> str:
    """Return the name that CloudFormation gives a load balancer without one, shortened as it does."""
    tail = hashlib.sha256(f"{stack_name}/{logical_id}".encode()).hexdigest()[:12]
    head = f"{stack_name}-{logical_id}"[: NAME_LENGTH - 1 - len(tail)].strip("-")
    return f"{head}-{tail}"


class LoadBalancer(ResourceProvider):  # type: ignore[misc] # LocalStack publishes no types
    """`AWS::ElasticLoadBalancingV2::LoadBalancer`; what it can be asked for is known when it is made."""

    TYPE = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    _READ_ONLY = ("LoadBalancerArn", "DNSName", "CanonicalHostedZoneID", "LoadBalancerFullName")
    SCHEMA: Document = {  # noqa: RUF012 - the base class has it so
        "typeName": TYPE,
        "properties": {key: {} for key in (*_READ_ONLY, "LoadBalancerName", "Name", "SecurityGroups")},
        "createOnlyProperties": ["/properties/Name", "/properties/Scheme", "/properties/Type"],
        "primaryIdentifier": ["/properties/LoadBalancerArn"],
        "readOnlyProperties": [f"/properties/{name}" for name in _READ_ONLY],
    }

    def create(self, request: Any) -> ProgressEvent:
        """Make the load balancer."""
        model = request.desired_state
        elb = request.aws_client_factory.elbv2
        wanted = {key: model[key] for key in _GIVEN if key in model}
        model["Name"] = model.get("Name") or generated_name(request.stack_name, request.logical_resource_id)
        tags = {"Tags": model["Tags"]} if model.get("Tags") else {}
        [made] = elb.create_load_balancer(Name=model["Name"], **wanted, **tags)["LoadBalancers"]
        model |= {
            "LoadBalancerArn": made["LoadBalancerArn"],
            "DNSName": made["DNSName"],
            "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
            "LoadBalancerFullName": made["LoadBalancerArn"].partition(":loadbalancer/")[2],
            "LoadBalancerName": made["LoadBalancerName"],
        }
        _set_attributes(elb, model)
        return done(model)

    def update(self, request: Any) -> ProgressEvent:
        """Change groups, subnets, kind of addresses and attributes."""
        model = request.previous_state | request.desired_state
        elb, arn = request.aws_client_factory.elbv2, model["LoadBalancerArn"]
        if model.get("SecurityGroups"):
            elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=model["SecurityGroups"])
        elb.set_subnets(LoadBalancerArn=arn, Subnets=model["Subnets"])
        elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=model.get("IpAddressType", "ipv4"))
        _set_attributes(elb, model)
        return done(model)

    def delete(self, request: Any) -> ProgressEvent:
        """Remove the load balancer and, as AWS does, its listeners."""
        request.aws_client_factory.elbv2.delete_load_balancer(
            LoadBalancerArn=request.desired_state["LoadBalancerArn"]
        )
        return done({})


def _set_attributes(elb: Any, model: Document) -> None:
    attributes = [
        {"Key": entry["Key"], "Value": str(entry["Value"])}
        for entry in model.get("LoadBalancerAttributes") or []
    ]
    if attributes:
        elb.modify_load_balancer_attributes(LoadBalancerArn=model["LoadBalancerArn"], Attributes=attributes)


class Listener(ResourceProvider):  # type: ignore[misc] # LocalStack publishes no types
    """`AWS::ElasticLoadBalancingV2::Listener`."""

    TYPE = "AWS::ElasticLoadBalancingV2::Listener"
    SCHEMA: Document = {  # noqa: RUF012 - the base class has it so
        "typeName": TYPE,
        "properties": {"ListenerArn": {}, "LoadBalancerArn": {}},
        "createOnlyProperties": ["/properties/LoadBalancerArn"],
        "primaryIdentifier": ["/properties/ListenerArn"],
        "readOnlyProperties": ["/properties/ListenerArn"],
    }

    def create(self, request: Any) -> ProgressEvent:
        """Open the listener."""
        model = request.desired_state
        [made] = request.aws_client_factory.elbv2.create_listener(
            LoadBalancerArn=model["LoadBalancerArn"], **_listener_values(model)
        )["Listeners"]
        model["ListenerArn"] = made["ListenerArn"]
        return done(model)

    def update(self, request: Any) -> ProgressEvent:
        """Change port, certificates and default actions."""
        model = request.previous_state | request.desired_state
        request.aws_client_factory.elbv2.modify_listener(
            ListenerArn=model["ListenerArn"], **_listener_values(model)
        )
        return done(model)

    def delete(self, request: Any) -> ProgressEvent:
        """Close the listener."""
        request.aws_client_factory.elbv2.delete_listener(ListenerArn=request.desired_state["ListenerArn"])
        return done({})


def _listener_values(model: Document) -> Document:
    """Return what a listener is made with; a template may have its port and status as text or number."""
    values: Document = {key: model[key] for key in ("Protocol", "SslPolicy", "Certificates") if key in model}
    actions = [dict(action) for action in model["DefaultActions"]]
    for action in actions:
        if "FixedResponseConfig" in action:
            config = action["FixedResponseConfig"]
            action["FixedResponseConfig"] = {**config, "StatusCode": str(config["StatusCode"])}
    return {**values, "Port": int(model["Port"]), "DefaultActions": actions}


LoadBalancerPlugin = plugin(LoadBalancer)
ListenerPlugin = plugin(Listener)

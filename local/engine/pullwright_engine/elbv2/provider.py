"""The API of Elastic Load Balancing v2: moto keeps what there is, targets and traffic are ours."""

import socket
from collections.abc import Callable
from typing import Any

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider
from moto.elbv2.models import elbv2_backends

from pullwright_engine import selftest
from pullwright_engine.elbv2 import health, refused, snapshot
from pullwright_engine.elbv2.proxy import Address
from pullwright_engine.elbv2.router import HOST, router
from pullwright_engine.settings import settings

Document = dict[str, Any]

_READS = ("Describe", "Get")


def _backend(context: Any) -> Any:
    return elbv2_backends[context.account_id][context.region]


def _group(context: Any, request: Document) -> Any:
    """Return moto's target group.

    Raises:
        CommonServiceException: there is none.
    """
    group = _backend(context).target_groups.get(request["TargetGroupArn"])
    if group is None:
        raise CommonServiceException(
            "TargetGroupNotFound", "One or more target groups not found", 400, sender_fault=True
        )
    return group


def _addresses(group: Any, request: Document) -> list[Address]:
    return [(target["Id"], int(target.get("Port") or group.port)) for target in request.get("Targets") or []]


def register_targets(context: Any, request: Document) -> Document:
    """RegisterTargets: the same address may be registered with several ports."""
    addresses = _addresses(_group(context, request), request)
    for host, _ in addresses:
        refused.check_address(host)
    router().register(request["TargetGroupArn"], addresses)
    return {}


def deregister_targets(context: Any, request: Document) -> Document:
    """DeregisterTargets: it succeeds for targets that are not registered."""
    router().deregister(request["TargetGroupArn"], _addresses(_group(context, request), request))
    return {}


def describe_target_health(context: Any, request: Document) -> Document:
    """DescribeTargetHealth: of all targets, or of those that are asked for."""
    group = _group(context, request)
    known = router().conditions(request["TargetGroupArn"])
    wanted = _addresses(group, request) or list(known)
    return {
        "TargetHealthDescriptions": [
            {
                "Target": {"Id": host, "Port": port},
                "HealthCheckPort": str(port)
                if group.health_check_port == "traffic-port"
                else str(group.health_check_port),
                "TargetHealth": known.get((host, port), health.NOT_REGISTERED).view(),
            }
            for host, port in wanted
        ]
    }


def _check(context: Any, request: Document) -> None:
    """Refuse what moto would take."""
    name = context.operation.name
    backend = _backend(context)
    listeners = [
        listener for balancer in backend.load_balancers.values() for listener in balancer.listeners.values()
    ]
    if name == "CreateLoadBalancer":
        refused.check_load_balancer(request)
    elif name == "CreateTargetGroup":
        refused.check_target_group(request)
    elif name == "ModifyTargetGroup":
        refused.check_ranges(request)
    elif name in ("CreateListener", "ModifyListener"):
        others = [int(known.port) for known in listeners if known.arn != request.get("ListenerArn")]
        refused.check_listener(request, others=others)
        if request.get("Port") not in (None, *(int(known.port) for known in listeners)):
            _check_port(request["Port"])
    elif name == "CreateRule":
        [owner] = [known.load_balancer_arn for known in listeners if known.arn == request["ListenerArn"]] or [
            ""
        ]
        count = sum(len(known.rules) - 1 for known in listeners if known.load_balancer_arn == owner)
        refused.check_rule(request, rules=count, quota=settings().elb_rules)
    elif name == "DescribeTags":
        rules = {rule for known in listeners for rule in known.rules}
        refused.check_known(request, rules=rules)
    elif name == "ModifyRule":
        refused.check_rule(request, rules=0, quota=1)


def _check_port(port: int) -> None:
    """Refuse a port of this machine that is taken, before moto keeps a listener that cannot be served."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise refused.RefusedError(
            "InvalidConfigurationRequest",
            f"The local engine cannot listen on {HOST}:{port}: {error.strerror}",
        ) from error


def _moto(context: Any, request: Document) -> Any:
    """Let moto answer, and the router follow what has changed."""
    _check(context, request)
    answer = call_moto(context)
    if context.operation.name == "CreateLoadBalancer":
        for made in answer["LoadBalancers"]:
            # What ends with .localhost is this machine, to browsers and to curl.
            name = made["DNSName"] = f"{made['LoadBalancerName']}.elb.localhost"
            _backend(context).load_balancers[made["LoadBalancerArn"]].dns_name = name
    if not context.operation.name.startswith(_READS):
        router().apply(snapshot.table(), settings().elb_lag)
    return answer


def _answered(operation: Callable[[Any, Document], Any]) -> Callable[[Any, Document], Any]:
    """Let what an operation refuses be an error of the API."""

    def answer(context: Any, request: Document) -> Any:
        try:
            return operation(context, request)
        except refused.RefusedError as error:
            raise CommonServiceException(error.code, error.message, 400, sender_fault=True) from error

    return answer


@aws_provider(api="elbv2")  # type: ignore[untyped-decorator] # LocalStack publishes no types
def elbv2() -> Service:
    """Return the whole API."""
    selftest.check(selftest.LOAD_BALANCERS)
    model = load_service("elbv2")
    table = dict.fromkeys(model.operation_names, _answered(_moto))
    table |= {
        "RegisterTargets": _answered(register_targets),
        "DeregisterTargets": _answered(deregister_targets),
        "DescribeTargetHealth": _answered(describe_target_health),
    }
    return Service(name="elbv2", skeleton=Skeleton(model, table))

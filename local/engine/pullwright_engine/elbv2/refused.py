"""Requests that are refused: by AWS and not by moto, or because nothing here carries them out.

Limits: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
"""

import ipaddress
import re
from collections.abc import Collection, Iterable
from typing import Any

from pullwright_engine.ecs.shapes import NETWORK

Document = dict[str, Any]

_RANGES = {
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
    "Priority": (1, 50_000),
}
_LEAST_SUBNETS = 2
_LONGEST_HOST = 128
_HOST = re.compile(r"[A-Za-z0-9.*?-]*\.[A-Za-z]+")
_MOST_GROUPS = 5


class RefusedError(Exception):
    """A request is refused.

    Args:
        code: the API's name for the error.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _missing(what: str) -> RefusedError:
    return RefusedError("InvalidConfigurationRequest", f"The local engine's load balancers have no {what}.")


def check_ranges(request: Document) -> None:
    """Refuse numbers that AWS does not take."""
    for name, (low, high) in _RANGES.items():
        if name in request and not low <= int(request[name]) <= high:
            raise RefusedError(
                "ValidationError", f"{name} '{request[name]}' must be between {low} and {high}"
            )


def check_load_balancer(request: Document) -> None:
    """Refuse what is no application load balancer in two zones."""
    if request.get("Type", "application") != "application":
        raise _missing(f"type '{request['Type']}'")
    if len(request.get("Subnets") or request.get("SubnetMappings") or []) < _LEAST_SUBNETS:
        raise RefusedError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )


def check_target_group(request: Document) -> None:
    """Refuse a target group other than of addresses that speak HTTP."""
    check_ranges(request)
    if request.get("TargetType", "instance") != "ip":
        raise _missing(f"targets of type '{request.get('TargetType', 'instance')}': use 'ip'")
    if request.get("Protocol") != "HTTP" or request.get("ProtocolVersion", "HTTP1") != "HTTP1":
        raise _missing("targets that speak another protocol than HTTP/1.1")


def check_listener(request: Document, *, others: Iterable[int]) -> None:
    """Refuse another protocol than HTTP, and a port that a listener has.

    Args:
        others: the ports of all other listeners.
    """
    if request.get("Protocol", "HTTP") != "HTTP":
        raise _missing(f"listeners for '{request['Protocol']}'")
    if int(request.get("Port", 0)) in others:
        raise RefusedError("DuplicateListener", "A listener already exists on this port")
    check_actions(request.get("DefaultActions") or [])


def check_rule(request: Document, *, rules: int, quota: int) -> None:
    """Refuse conditions and actions that nothing here carries out, and a rule too many.

    Args:
        rules: how many the load balancer has, default rules not counted.
        quota: how many it may have.
    """
    check_ranges(request)
    for condition in request.get("Conditions") or []:
        if condition.get("Field") not in ("host-header", "path-pattern"):
            raise _missing(f"condition '{condition.get('Field')}'")
        if any("RegexValues" in part for part in (condition, *condition.values()) if isinstance(part, dict)):
            raise _missing("conditions by regular expression")
        if condition["Field"] == "host-header":
            _check_hosts(condition.get("HostHeaderConfig", condition).get("Values") or [])
    check_actions(request.get("Actions") or [])
    if rules >= quota:
        raise RefusedError("TooManyRules", "The maximum number of rules per load balancer has been reached")


def check_known(request: Document, *, rules: Collection[str]) -> None:
    """Refuse rules that do not exist, for which moto answers that they have no tags.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html#API_DescribeTags_Errors
    """
    if any(":listener-rule/" in arn and arn not in rules for arn in request["ResourceArns"]):
        raise RefusedError("RuleNotFound", "One or more rules not found")


def _check_hosts(hosts: list[str]) -> None:
    """Refuse names of hosts that a rule cannot have."""
    for host in hosts:
        if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
            raise RefusedError("ValidationError", f"The host '{host}' is not valid")


def check_actions(actions: list[Document]) -> None:
    """Refuse other actions than one fixed response or one forward, and stickiness."""
    for action in actions:
        if action["Type"] not in ("fixed-response", "forward"):
            raise _missing(f"action '{action['Type']}'")
        config = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
        if config.get("Enabled"):
            raise _missing("stickiness")
        if len((action.get("ForwardConfig") or {}).get("TargetGroups") or []) > _MOST_GROUPS:
            # The number is documented, the error is not.
            raise RefusedError("TooManyTargetGroups", f"An action may have {_MOST_GROUPS} target groups")
    if len(actions) > 1:
        raise _missing("rules with more than one action")


def check_address(address: str) -> None:
    """Refuse a target that is no address of a task.

    AWS takes addresses of the VPC and of private networks; here the tasks' network is the VPC.
    """
    try:
        is_ours = ipaddress.ip_address(address) in NETWORK
    except ValueError:
        is_ours = False
    if not is_ours:
        raise RefusedError("InvalidTarget", f"The IP address '{address}' is not within the VPC {NETWORK}")

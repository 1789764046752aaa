"""The table of the router, read from what moto keeps."""

from typing import Any

from moto.elbv2.models import elbv2_backends

from pullwright_engine.elbv2.table import Check, Fixed, Forward, Listener, Rule, Table

IDLE_SECONDS = 60
"""A load balancer's idle timeout unless its attribute says otherwise."""


def table() -> Table:
    """Return the table of all load balancers and target groups of this engine."""
    listeners, checks, delays = {}, {}, {}
    for account in list(elbv2_backends.values()):
        for backend in list(account.values()):
            for balancer in list(backend.load_balancers.values()):
                for kept in list(balancer.listeners.values()):
                    listeners[int(kept.port)] = listener(kept, balancer.attrs)
            for group in list(backend.target_groups.values()):
                checks[group.arn] = check(group)
                delays[group.arn] = float(group.attributes["deregistration_delay.timeout_seconds"])
    return Table(listeners, checks, delays)


def listener(kept: Any, attributes: dict[str, Any]) -> Listener:
    """Return a listener.

    Args:
        kept: moto's.
        attributes: of its load balancer.
    """
    special = [rule for rule in kept.rules.values() if not rule.is_default]
    ordered = sorted(special, key=lambda rule: int(rule.priority))
    rules = [
        Rule(
            action([made.data for made in rule.actions]),
            hosts=values(rule.conditions, "host-header", "HostHeaderConfig"),
            paths=values(rule.conditions, "path-pattern", "PathPatternConfig"),
        )
        for rule in ordered
    ]
    rules.append(Rule(action([made.data for made in kept.default_actions])))
    idle = float(attributes.get("idle_timeout.timeout_seconds", IDLE_SECONDS))
    return Listener(int(kept.port), tuple(rules), idle)


def values(conditions: list[dict[str, Any]], field: str, config: str) -> tuple[str, ...]:
    """Return the patterns of a rule's condition on one field, however they were given."""
    return tuple(
        value
        for condition in conditions
        if condition.get("Field") == field
        for value in condition.get("Values") or condition.get(config, {}).get("Values", [])
    )


def action(actions: list[dict[str, Any]]) -> Fixed | Forward:
    """Return what a rule does: its one action, in the API's spelling."""
    [made] = actions
    if made["Type"] == "fixed-response":
        config = made["FixedResponseConfig"]
        return Fixed(
            int(config["StatusCode"]),
            config.get("ContentType") or "text/plain",
            config.get("MessageBody") or "",
        )
    if "ForwardConfig" in made:
        groups = made["ForwardConfig"]["TargetGroups"]
        return Forward(tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups))
    return Forward(((made["TargetGroupArn"], 1),))


def check(group: Any) -> Check:
    """Return the health check of a target group of moto's."""
    port = str(group.health_check_port)
    return Check(
        path=group.health_check_path or "/",
        codes=group.matcher["HttpCode"],
        port=int(port) if port.isdigit() else None,
        interval=float(group.health_check_interval_seconds),
        timeout=float(group.health_check_timeout_seconds),
        healthy_after=int(group.healthy_threshold_count),
        unhealthy_after=int(group.unhealthy_threshold_count),
    )

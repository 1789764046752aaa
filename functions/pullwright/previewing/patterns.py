"""Which hosts a rule of a listener is for, whoever made it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HostHeaderConditionConfig.html
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD = "host-header"


def hosts_of(rule: Mapping[str, Any]) -> list[str]:
    """Return the names and patterns of a rule's condition for hosts, those with letters alone in small ones.

    Args:
        rule: as DescribeRules has it, which may give the names in either of two places.
    """
    conditions = [condition for condition in rule["Conditions"] if condition["Field"] == _FIELD]
    return [
        str(host)
        for condition in conditions
        for host in condition.get("HostHeaderConfig", {}).get("Values") or condition.get("Values") or []
    ]


def is_claimed(host: str, rule: Mapping[str, Any]) -> bool:
    """Return whether a rule is for a host, and not for whatever is below its domain.

    A rule for `*.preview.example.com`, such as one that shows a page where nothing is, leaves its hosts to
    rules that name them.
    """
    label, _, domain = host.partition(".")
    other = f"{sha256(label.encode()).hexdigest()[:60]}.{domain}"
    return any(match(host) and not match(other) for match in map(_compiled, _expressions(rule)))


def _expressions(rule: Mapping[str, Any]) -> list[str]:
    by_expression = [
        str(text)
        for condition in rule["Conditions"]
        if condition["Field"] == _FIELD
        for text in condition.get("HostHeaderConfig", {}).get("RegexValues") or []
    ]
    return by_expression + [
        re.escape(host).replace(r"\*", ".*").replace(r"\?", ".") for host in hosts_of(rule)
    ]


def _compiled(expression: str) -> Any:
    try:
        return re.compile(expression, re.IGNORECASE | re.DOTALL).fullmatch
    except re.error:
        # Of another dialect, and so not understood here.
        return lambda _: None

"""What a router works by: listeners with their rules, and target groups with their health checks.

How a request finds its rule: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True)
class Fixed:
    """A fixed response of the load balancer's own."""

    status: int
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True)
class Forward:
    """Target groups by ARN with their weights; a group of weight 0 gets no request, but is in use."""

    groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Rule:
    """A rule of a listener; one without hosts and paths holds for all of them.

    Attributes:
        hosts: patterns, of which `*` stands for any characters and `?` for one.
        paths: as `hosts`.
    """

    action: Fixed | Forward
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def matches(self, host: str, path: str) -> bool:
        """Return whether a request is this rule's; the case of a host does not count, that of a path does.

        Args:
            host: without a port.
            path: without a query.
        """
        return _any(self.hosts, host, re.IGNORECASE) and _any(self.paths, path, re.NOFLAG)


@dataclass(frozen=True)
class Listener:
    """A port and its rules.

    Attributes:
        rules: by priority, the default rule last.
        idle_seconds: how long nothing may happen on a connection.
    """

    port: int
    rules: tuple[Rule, ...]
    idle_seconds: float = 60.0

    def action(self, host: str, path: str) -> Fixed | Forward:
        """Return what becomes of a request."""
        return next(rule.action for rule in self.rules if rule.matches(host, path))


@dataclass(frozen=True)
class Check:
    """How the targets of a group are checked.

    Attributes:
        port: of the check; None for the target's own.
        codes: as the API writes them, such as `200,301-399`.
    """

    path: str = "/"
    codes: str = "200"
    port: int | None = None
    interval: float = 30.0
    timeout: float = 5.0
    healthy_after: int = 5
    unhealthy_after: int = 2

    def expects(self, status: int) -> bool:
        """Return whether a target that answers with this status is well."""
        for part in self.codes.split(","):
            low, _, high = part.partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False


@dataclass(frozen=True)
class Table:
    """All listeners by port, and the health checks of all target groups by ARN.

    Attributes:
        delays: how long targets of a group drain, in seconds.
    """

    listeners: Mapping[int, Listener] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=dict)

    def groups_in_use(self) -> set[str]:
        """Return the target groups that a rule names: only their targets are checked."""
        return set(self._named())

    def _named(self) -> Iterator[str]:
        for listener in self.listeners.values():
            for rule in listener.rules:
                if isinstance(rule.action, Forward):
                    yield from (arn for arn, _ in rule.action.groups)


def _any(patterns: tuple[str, ...], text: str, flags: re.RegexFlag) -> bool:
    return not patterns or any(_compiled(pattern, flags).fullmatch(text) for pattern in patterns)


@lru_cache(maxsize=1_000)
def _compiled(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, flags | re.DOTALL)

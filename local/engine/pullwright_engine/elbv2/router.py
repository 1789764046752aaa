"""The load balancers of this engine: one thread with their listeners on 127.0.0.1 and their health checks."""

import asyncio
import itertools
import logging
import random
import threading
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

import h11

from pullwright_engine.elbv2 import health
from pullwright_engine.elbv2.health import Condition, Health
from pullwright_engine.elbv2.proxy import Address, Proxy
from pullwright_engine.elbv2.table import Check, Forward, Listener, Table
from pullwright_engine.elbv2.wire import Wire

LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"
CHECKER = "ELB-HealthChecker/2.0"

T = TypeVar("T")


@dataclass
class Target:
    """A registered target.

    Attributes:
        health: how it is while its group is in use; None otherwise.
        checks: the task that checks it.
        draining: what ends its deregistration.
    """

    health: Health | None = None
    checks: asyncio.Task[None] | None = None
    draining: asyncio.TimerHandle | None = None

    def condition(self) -> Condition:
        """Return how the target is."""
        if self.draining:
            return health.DRAINING
        return self.health.condition if self.health else health.NOT_IN_USE

    def rest(self) -> None:
        """End its checks."""
        if self.checks:
            self.checks.cancel()
        self.checks = self.health = None


@dataclass
class Group:
    """The registered targets of a group, by address and port, and whose turn it is."""

    targets: dict[Address, Target] = field(default_factory=dict)
    turns: "itertools.count[int]" = field(default_factory=itertools.count)

    def next(self) -> Address | None:
        """Return the target of the next request: a healthy one, or any of a group of unhealthy ones.

        One that has not passed a check yet gets none, for which the documentation names no status: 503 here.
        """
        for state in ("healthy", "unhealthy"):
            able = [address for address, target in self.targets.items() if target.condition().state == state]
            if able:
                return able[next(self.turns) % len(able)]
        return None


class Router:
    """Serves what a table says; all its work is done in a thread of its own.

    What its traffic goes by may be older than what the API says. On AWS a change of rules reaches the nodes
    of a load balancer seconds later; meanwhile requests go to groups without weight, or that are deleted:
    https://github.com/argoproj/argo-rollouts/issues/4595 and
    https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3739.
    """

    def __init__(self) -> None:
        self._table = Table()
        self._shown = Table()
        self._groups: dict[str, Group] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="load-balancers", daemon=True).start()

    # --- called by the API, from any thread --------------------------------------------------------------

    def apply(self, table: Table, lag: float) -> None:
        """Check targets by another table from now on, and serve it.

        Args:
            lag: seconds until the rules of listeners that there are hold for requests.

        Raises:
            OSError: the port of a listener is taken.
        """
        self._run(self._apply(table, lag))

    def register(self, group: str, addresses: Iterable[Address]) -> None:
        """Add targets to a group; one that is being deregistered is back."""
        self._run(self._register(group, list(addresses)))

    def deregister(self, group: str, addresses: Iterable[Address]) -> None:
        """Let targets drain; what is not registered is left out, as the API does."""
        self._run(self._deregister(group, list(addresses)))

    def conditions(self, group: str) -> dict[Address, Condition]:
        """Return how the targets of a group are, those that drain too."""
        return self._run(self._conditions(group))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # --- within the thread -------------------------------------------------------------------------------

    async def _apply(self, table: Table, lag: float) -> None:
        for port in self._servers.keys() - table.listeners.keys():
            self._servers.pop(port).close()
        for port in table.listeners.keys() - self._servers.keys():
            self._servers[port] = await asyncio.start_server(partial(self._serve, port), HOST, port)
        self._table = table
        for arn in self._groups.keys() - table.checks.keys():
            for target in self._groups.pop(arn).targets.values():
                target.rest()
        if lag:
            self._loop.call_later(lag, self._show, table)
        else:
            self._show(table)

    def _show(self, table: Table) -> None:
        self._shown = table
        for arn in self._groups:
            self._check_group(arn)

    def _listener(self, port: int) -> Listener | None:
        """Return a listener as requests meet it; one that is new has no earlier rules."""
        return self._shown.listeners.get(port) or self._table.listeners.get(port)

    async def _register(self, arn: str, addresses: list[Address]) -> None:
        group = self._groups.setdefault(arn, Group())
        for address in addresses:
            target = group.targets.setdefault(address, Target())
            if target.draining:
                target.draining.cancel()
                target.draining = None
        self._check_group(arn)

    async def _deregister(self, arn: str, addresses: list[Address]) -> None:
        group = self._groups.get(arn, Group())
        for address in addresses:
            target = group.targets.get(address)
            if target is None or target.draining:
                continue
            if target.health is None:
                del group.targets[address]
                continue
            target.rest()
            delay = self._table.delays.get(arn, 0.0)
            target.draining = self._loop.call_later(delay, group.targets.pop, address, None)

    async def _conditions(self, arn: str) -> dict[Address, Condition]:
        group = self._groups.get(arn, Group())
        return {address: target.condition() for address, target in group.targets.items()}

    def _check_group(self, arn: str) -> None:
        """Let the targets of a group be checked while a listener uses it, and only then."""
        is_used = arn in self._shown.groups_in_use()
        for address, target in self._groups[arn].targets.items():
            if not is_used:
                target.rest()
            elif target.checks is None and target.draining is None:
                target.health = Health()
                target.checks = self._loop.create_task(self._check(arn, address, target.health))

    async def _check(self, arn: str, address: Address, record: Health) -> None:
        """Check one target evenly, however long an answer takes."""
        while check := self._table.checks.get(arn):
            began = self._loop.time()
            record.record(await probe(address, check), check)
            await asyncio.sleep(began + check.interval - self._loop.time())

    async def _serve(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with Wire(h11.SERVER, reader, writer) as wire:
            await Proxy(wire, partial(self._listener, port), self._pick).serve()

    def _pick(self, action: Forward) -> Address | None:
        arns, weights = zip(*action.groups, strict=True)
        if not any(weights):
            return None
        [arn] = random.choices(arns, weights)  # noqa: S311 - spreads requests
        group = self._groups.get(arn)
        return group.next() if group else None


async def probe(address: Address, check: Check) -> Condition | None:
    """Check a target once.

    Returns:
        What is wrong with it; None when nothing is.
    """
    host, port = address[0], check.port or address[1]
    named = [("Host", f"{host}:{port}"), ("Connection", "close"), ("User-Agent", CHECKER)]
    try:
        async with asyncio.timeout(check.timeout), await Wire.to(host, port) as wire:
            await wire.send(h11.Request(method="GET", target=check.path, headers=named))
            await wire.send(h11.EndOfMessage())
            while not isinstance(answer := await wire.receive(), h11.Response):
                if isinstance(answer, h11.ConnectionClosed):
                    return health.FAILED
    except TimeoutError:
        return health.TIMED_OUT
    except (OSError, h11.RemoteProtocolError):
        return health.FAILED
    return None if check.expects(answer.status_code) else health.mismatch(answer.status_code)


@cache
def router() -> Router:
    """Return the one router of this engine."""
    return Router()

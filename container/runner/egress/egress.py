"""What a session's processes can reach, decided before the first of them starts."""

from __future__ import annotations

import json
import socket
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from pullwright.egress import Domains
from pullwright.errors import CageUnavailable
from pullwright.results import EgressResult, EgressTarget
from runner.egress.cage import Cage
from runner.egress.control import Service, ServiceEndedError
from runner.egress.hosts import name_loopback
from runner.egress.identity import may_duplicate
from runner.egress.proof import find_holes
from runner.egress.tools import proxy_variables
from runner.log import logger
from runner.user import User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.settings import CommonSettings

State = Literal["caged", "off", "unavailable"]
_MOST_TOLD = 20


class Egress:
    """The users of a session, each in a cage with one way out; or free, if there is no cage here.

    Args:
        domains: whom they may reach at first.

    Attributes:
        state: whether there is a cage, and if not, whether there was to be one.
        reason: why there is none.
    """

    def __init__(self, settings: CommonSettings, domains: Domains) -> None:
        self.state: State = "off"
        self.reason: str | None = None
        self._refused: Counter[tuple[str, str]] = Counter()
        self._settings = settings
        self._cages: dict[int, Cage] = {}
        self._proxy: Service | None = None
        self._proxy_port = 0
        self._users: dict[int, User] = {}
        self._domains = domains
        self._entries: tuple[str, ...] | None = None

    @classmethod
    def begin(cls, settings: CommonSettings) -> Egress:
        """Build it and prove that it holds.

        Raises:
            CageUnavailable: it does not, and the deployment requires it.
        """
        egress = cls(settings, Domains.read(settings.egress_domains))
        if settings.egress_mode == "off":
            return egress
        try:
            egress._build()
        except OSError as error:
            egress._give_up(str(error))
        except ServiceEndedError:
            egress._give_up("one of its processes ended")
        if egress.state == "unavailable" and settings.egress_mode == "required":
            raise CageUnavailable(f"The agent cannot be kept from the network here: {egress.reason}.")
        return egress

    def _build(self) -> None:
        settings = self._settings
        if settings.agent_isolation != "user":
            raise OSError("the agent runs as the runner's own user")
        if settings.machine == "own":
            name_loopback()
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self._proxy_port = listener.getsockname()[1]
            self._proxy = Service(
                "runner.egress.proxy",
                listener.fileno(),
                json.dumps({"domains": sorted(self._domains.names), "everything": self._domains.everything}),
                pass_fds=[listener.fileno()],
            )
        cage = self._cage(settings.agent_uid)
        if holes := find_holes(cage.start, settings.agent_uid, self._proxy_port):
            raise OSError(f"the cage does not hold ({'; '.join(holes)})")
        # What the proof was refused is no matter of the session's.
        self._take()
        self.state = "caged"

    def _cage(self, uid: int) -> Cage:
        if uid not in self._cages:
            is_shared = self._settings.machine == "shared"
            self._cages[uid] = Cage(
                uid, [self._proxy_port], is_shared=is_shared, is_exact=is_shared and may_duplicate()
            )
        return self._cages[uid]

    def _give_up(self, reason: str) -> None:
        logger.warning("there is no cage", reason=reason)
        self.close()
        self.state, self.reason = "unavailable", reason
        self._proxy, self._cages = None, {}

    @property
    def user(self) -> User:
        """The agent's user."""
        return self._user(self._settings.agent_uid)

    @property
    def checks_user(self) -> User:
        """The user of checks."""
        return self._user(self._settings.checks_uid)

    def _user(self, uid: int) -> User:
        if uid not in self._users:
            isolated = uid if self._settings.agent_isolation == "user" else None
            self._users[uid] = (
                User(isolated, start=self._cage(uid).start, variables=proxy_variables(self._proxy_port))
                if self.state == "caged"
                else User(isolated)
            )
        return self._users[uid]

    def allow(self, domains: Domains, entries: tuple[str, ...] | None) -> None:
        """Let processes reach these domains from now on, instead of those of before.

        Args:
            entries: what the repository's configuration says of them; None where it has no say.
        """
        self._domains, self._entries = domains, entries
        if self._proxy is not None:
            self._proxy.ask(domains=sorted(domains.names), everything=domains.everything)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Let processes reach no domain meanwhile."""
        domains, entries = self._domains, self._entries
        self.allow(Domains(), entries)
        try:
            yield
        finally:
            self.allow(domains, entries)

    def open_port(self, port: int) -> None:
        """Let the agent connect to one more port of loopback: the gateway's."""
        if self.state == "caged":
            self._cage(self._settings.agent_uid).open_port(port)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what is refused meanwhile as this step's."""
        try:
            yield
        finally:
            try:
                for target, count in self._take().items():
                    self._refused[name, target] += count
            except ServiceEndedError:
                # The kernel refuses everything from then on.
                logger.error("a process of the cage has ended", step=name)
                self.reason = f"one of the cage's processes ended during the step {name}"

    @property
    def result(self) -> EgressResult:
        """What is to be said of it so far."""
        refused = tuple(
            EgressTarget(step=step, target=target, count=count)
            for (step, target), count in self._refused.most_common(_MOST_TOLD)
        )
        return EgressResult(state=self.state, reason=self.reason, refused=refused, entries=self._entries)

    def _take(self) -> Counter[str]:
        taken: Counter[str] = Counter()
        if self._proxy is not None:
            taken.update(self._proxy.ask(take=True)["refused"])
        for cage in self._cages.values():
            taken.update(cage.take_refused())
        return taken

    def close(self) -> None:
        """End its processes; what still runs inside cannot connect any more."""
        for cage in self._cages.values():
            cage.close()
        if self._proxy is not None:
            self._proxy.close()

"""The gateway as the runner uses it."""

import secrets
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from runner.gateway.body_memory import give_large_blocks_back
from runner.gateway.budget import Budget, Usage
from runner.gateway.config import GatewayConfig
from runner.gateway.patience import Patience
from runner.gateway.relay import Relay, Trouble
from runner.gateway.server import Server
from runner.gateway.upstream import Upstream

_PATIENCE = 5.0
_POLL = 0.1


class Gateway:
    """A loopback server for the time of a `with` block; the agent reaches its model through it alone.

    The address holds a random token that only the agent is told: another user of the machine, who can reach
    the port, can spend nothing.

    Args:
        waiting: told why, whenever the agent has to wait for a service that fails.

    Raises:
        ModelPriceUnknown: a model has no known price.
        ModelRefused: the provider's key or region is missing.
    """

    def __init__(self, config: GatewayConfig, waiting: Callable[[Trouble], None] = lambda _: None) -> None:
        give_large_blocks_back()
        self._config = config
        self._budget = Budget(config.limit_usd, config.price_of, config.spent_usd)
        self._upstream = Upstream(config.read_timeout)
        provider = config.connect()
        self._patience = Patience(config.patience)
        self._relay = Relay(provider, self._budget, self._upstream, self._patience, waiting)
        self._token = secrets.token_urlsafe(24)
        self._server = Server(provider, self._relay, self._token)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name="gateway", daemon=True
        )

    @property
    def base_url(self) -> str:
        """Where the CLI finds it; whoever knows it may spend the session's money."""
        return f"http://127.0.0.1:{self._server.port}/{self._token}"

    @property
    def port(self) -> int:
        """Where it listens on the loopback address."""
        return self._server.port

    @property
    def usage(self) -> Usage:
        """What the session has used so far; final after the `with` block."""
        return self._budget.usage

    @property
    def budget_spent(self) -> bool:
        """Whether a call was refused because the money would not have sufficed."""
        return self._budget.exhausted

    @property
    def trouble(self) -> Trouble | None:
        """The provider's last error, if there was one; it may have been overcome by a retry."""
        return self._relay.trouble

    def environment(self) -> dict[str, str]:
        """Return the variables with which the CLI talks to this gateway and to nobody else."""
        return self._config.environment(self.base_url)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._patience.end()
        self._server.shutdown()
        self._upstream.close(_PATIENCE)
        self._server.server_close()

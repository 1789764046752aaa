"""The session's money and tokens: reserved before a call, settled after it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pullwright.prices import Price, Tokens
from pullwright.results import TokenUsage
from runner.gateway.refusal import GIVE_UP, Refusal


@dataclass(frozen=True)
class Usage:
    """What the session has used so far.

    Args:
        cost_usd: US dollars, those that were spent before too.
    """

    tokens: TokenUsage = field(default_factory=TokenUsage)
    cost_usd: float = 0.0
    calls: int = 0
    by_model: dict[str, TokenUsage] = field(default_factory=dict)


class Budget:
    """A sum that all calls together may not exceed, whatever runs in parallel."""

    def __init__(self, limit_usd: float, price: Callable[[str], Price], spent_usd: float = 0.0) -> None:
        self._limit = limit_usd
        self._price = price
        self._reserved = 0.0
        self._spent = spent_usd
        self._calls = 0
        self._tokens: dict[str, Tokens] = {}
        self._exhausted = False
        self._changed = threading.Condition()

    @property
    def exhausted(self) -> bool:
        """Whether a call was refused for want of money."""
        with self._changed:
            return self._exhausted

    @property
    def usage(self) -> Usage:
        """What is settled so far."""
        with self._changed:
            total = sum(self._tokens.values(), Tokens())
            by_model = {model: _public(tokens) for model, tokens in self._tokens.items()}
            return Usage(_public(total), self._spent, self._calls, by_model)

    def reserve(self, model: str, tokens: Tokens) -> float:
        """Put aside what a call may cost; wait for calls under way when their reserves are what is missing.

        Returns:
            The amount, to be given back with `settle`.

        Raises:
            Refusal: what is left of the money does not suffice.
        """
        amount = self._price(model).cost(tokens)
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._spent + amount > self._limit or self._spent + self._reserved + amount <= self._limit
                )
            )
            if self._spent + amount > self._limit:
                self._exhausted = True
                raise Refusal(
                    GIVE_UP,
                    "billing_error",
                    f"The session's money is used up: ${max(0.0, self._limit - self._spent):.2f} of "
                    f"${self._limit:.2f} are left, and the next call may cost ${amount:.2f}.",
                )
            self._reserved += amount
            return amount

    def settle(self, reserved: float, model: str, tokens: Tokens | None) -> None:
        """Give a reserve back and book what the call used.

        Args:
            tokens: None when the call was not answered and so costs nothing.
        """
        with self._changed:
            self._reserved -= reserved
            if tokens is not None:
                self._calls += 1
                self._spent += self._price(model).cost(tokens)
                self._tokens[model] = self._tokens.get(model, Tokens()) + tokens
            self._changed.notify_all()


def _public(tokens: Tokens) -> TokenUsage:
    return TokenUsage(
        input=tokens.input,
        output=tokens.output,
        cache_read=tokens.cache_read,
        cache_write=tokens.cache_write,
    )

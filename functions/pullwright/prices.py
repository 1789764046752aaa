"""List prices of the Claude models, to turn tokens into US dollars.

Source: https://platform.claude.com/docs/en/about-claude/pricing as of November 2026, its sections on prompt
caching, long prompts and Bedrock's regional endpoints included. The prices of a token are the same in the
catalogue that Claude Code 2.1.329 carries. A model that is not listed has no price rather than a price of
zero: without one the money limit could not hold.

OpenPullRequest looks the price up and leaves it to the task in `request.json`; the runner looks up what a
release before that did not leave.
"""

import re
from dataclasses import dataclass, replace

_PER_TOKEN = 1e-6
_CACHE_WRITE_5M = 1.25
_CACHE_WRITE_1H = 2.0
_CACHE_READ = 0.1
# Bedrock's regional and geographic endpoints; its `global.` profiles have no premium.
_REGIONAL_PREMIUM = 1.1
# The Anthropic API's, for models from 4.6 on.
_US_ONLY_PREMIUM = 1.1


@dataclass(frozen=True)
class Tokens:
    """What one call used.

    Args:
        input: tokens of the prompt that no cache was concerned with.
        cache_read: tokens of the prompt that came from the cache.
        cache_write: tokens of the prompt that went to the cache, `cache_write_1h` included.
        cache_write_1h: those of them that stay for an hour.
        us_only: the model ran in the United States only, which the provider's workspace may ask for.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    us_only: bool = False

    def __add__(self, other: "Tokens") -> "Tokens":
        """Return the sums."""
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.cache_write_1h + other.cache_write_1h,
            self.us_only or other.us_only,
        )

    @property
    def prompt(self) -> int:
        """The tokens of the whole prompt."""
        return self.input + self.cache_read + self.cache_write


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens.

    Args:
        cache_read_factor: what a token from the cache costs, as a part of `input`.
        long_prompt: the price of every token of a call whose prompt is longer than `long_prompt_above`.
        us_only_factor: applied to everything, too, when the model ran in the United States only.
    """

    input: float
    output: float
    cache_read_factor: float = _CACHE_READ
    long_prompt: tuple[float, float] | None = None
    long_prompt_above: int = 0
    factor: float = 1.0
    us_only_factor: float = 1.0

    def cost(self, tokens: Tokens) -> float:
        """Return what one call costs, in US dollars."""
        per_input, per_output = self._rates(tokens.prompt)
        weighted_prompt = (
            tokens.input
            + tokens.cache_read * self.cache_read_factor
            + (tokens.cache_write - tokens.cache_write_1h) * _CACHE_WRITE_5M
            + tokens.cache_write_1h * _CACHE_WRITE_1H
        )
        factor = self.factor * (self.us_only_factor if tokens.us_only else 1.0)
        return (weighted_prompt * per_input + tokens.output * per_output) * factor * _PER_TOKEN

    def _rates(self, prompt: int) -> tuple[float, float]:
        if self.long_prompt and prompt > self.long_prompt_above:
            return self.long_prompt
        return self.input, self.output


_SONNET = Price(3, 15)
_SONNET_LONG = replace(_SONNET, long_prompt=(6, 22.5), long_prompt_above=200_000)
_OPUS = Price(5, 25)
_OPUS_FIRST = Price(15, 75)
_FABLE = Price(10, 50)
_FABLE_1 = replace(_FABLE, cache_read_factor=0.025)
_FABLE_2 = Price(8, 40, cache_read_factor=0.025)

# Without dates and version suffixes, see `_NAME`.
_PRICES = {
    "claude-3-5-haiku": Price(0.8, 4),
    "claude-haiku-4-5": Price(1, 5),
    "claude-haiku-5-5": Price(0.1, 0.5, long_prompt=(0.5, 2.5), long_prompt_above=100_000),
    "claude-3-5-sonnet": _SONNET,
    "claude-3-7-sonnet": _SONNET,
    "claude-sonnet-4": _SONNET_LONG,
    "claude-sonnet-4-5": _SONNET_LONG,
    "claude-sonnet-4-6": _SONNET,
    "claude-sonnet-5": Price(2, 10),
    "claude-sonnet-5-5": Price(2, 10, cache_read_factor=0.05),
    "claude-opus-4": _OPUS_FIRST,
    "claude-opus-4-1": _OPUS_FIRST,
    "claude-opus-4-5": _OPUS,
    "claude-opus-4-6": _OPUS,
    "claude-opus-4-7": _OPUS,
    "claude-opus-4-8": _OPUS,
    "claude-opus-5": _OPUS,
    "claude-opus-5-5": Price(4, 20, cache_read_factor=0.05),
    "claude-fable-5": _FABLE,
    "claude-fable-5-1": _FABLE_1,
    "claude-fable-5-2": _FABLE_2,
    "claude-mythos-5": _FABLE,
    "claude-mythos-5-1": _FABLE_1,
    "claude-mythos-5-2": _FABLE_2,
}
# Bedrock sells these at one price everywhere; the premium came with the 4.5 generation.
_ONE_PRICE = {
    "claude-3-5-haiku",
    "claude-3-5-sonnet",
    "claude-3-7-sonnet",
    "claude-sonnet-4",
    "claude-opus-4",
    "claude-opus-4-1",
}
# The Anthropic API runs these where it likes, at one price.
_ONE_PLACE = _ONE_PRICE | {"claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"}
_NAME = re.compile(
    r"(?P<arn>arn:[^/]+/)?(?:(?P<scope>[a-z-]+)\.)??(?P<bedrock>anthropic\.)?(?P<name>claude-[a-z0-9-]+?)"
    r"(?:-0)?(?:-(?:20\d{6}|latest))?(?:-v\d+(?::\d+)?)?"
)


def list_price(model: str) -> Price | None:
    """Return the price of a model; None if it is not listed.

    Args:
        model: id of the Anthropic API, or id or ARN of a Bedrock model or system-defined inference profile.
    """
    found = _NAME.fullmatch(model)
    price = _PRICES.get(found["name"]) if found else None
    if found is None or price is None:
        return None
    if not found["bedrock"]:
        return price if found["name"] in _ONE_PLACE else replace(price, us_only_factor=_US_ONLY_PREMIUM)
    regional = found["scope"] != "global" and found["name"] not in _ONE_PRICE
    return replace(price, factor=_REGIONAL_PREMIUM) if regional else price

"""What the CLI is told, and what the gateway wants to know."""

from __future__ import annotations

from typing import Any

import pytest

from pullwright.errors import ModelPriceUnknown, ModelRefused
from pullwright.prices import Price, Tokens, list_price
from runner.gateway import GatewayConfig
from tests.unit.runner_kit import listed

URL = "http://127.0.0.1:4321"


def config(**settings: Any) -> GatewayConfig:
    """Return a configuration with a few defaults."""
    defaults = {"provider": "anthropic", "model": "claude-opus-5-5", "limit_usd": 5.0, "region": "eu-west-1"}
    return GatewayConfig.model_validate({**defaults, **settings})


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
def test_environment_has_no_secret(provider: str) -> None:
    """The CLI learns where the gateway is, and no credential."""
    variables = config(provider=provider, api_key="the-real-key").environment(URL)
    assert "the-real-key" not in variables.values()
    assert URL in variables.values()
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} & variables.keys()


def test_the_key_is_not_printed() -> None:
    """A configuration in a log or a traceback does not show the key."""
    assert "the-real-key" not in repr(config(api_key="the-real-key"))


@pytest.mark.parametrize(("limit", "longest"), [(5.0, 32_000), (1.0, 12_500), (0.01, 4_096)])
def test_one_answer_cannot_hold_all_the_money(limit: float, longest: int) -> None:
    """The CLI asks for shorter answers when there is little money."""
    variables = config(limit_usd=limit).environment(URL)
    assert variables["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == str(longest)


def test_a_model_without_a_price_is_refused() -> None:
    """Nothing starts that could not be limited; the sentence names the model."""
    with pytest.raises(ModelPriceUnknown) as caught:
        config(model="claude-opus-99", api_key="k").connect()
    assert "claude-opus-99" in caught.value.sentence


def test_the_price_that_came_with_the_request_counts() -> None:
    """What OpenPullRequest found out holds for the session's model, whatever this image's list says."""
    profile = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123"
    own = config(provider="bedrock", model=profile, price=Price(1, 2), small_model="claude-opus-5-5")
    assert own.price_of(profile) == Price(1, 2)
    assert own.price_of("claude-opus-5-5") == listed("claude-opus-5-5")


def test_a_missing_key_is_refused() -> None:
    """An Anthropic stack whose key is missing says so before the agent starts."""
    with pytest.raises(ModelRefused):
        config().connect()


@pytest.mark.parametrize(
    ("model", "per_million"),
    [
        ("claude-opus-5-5", (4, 20, 0.2, 5, 8)),
        ("claude-opus-4-5-20251101", (5, 25, 0.5, 6.25, 10)),
        ("claude-opus-4-20250514", (15, 75, 1.5, 18.75, 30)),
        ("claude-haiku-4-5", (1, 5, 0.1, 1.25, 2)),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", (3, 15, 0.3, 3.75, 6)),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", (3.3, 16.5, 0.33, 4.125, 6.6)),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", (3, 15, 0.3, 3.75, 6)),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-4-6-v1",
            (5, 25, 0.5, 6.25, 10),
        ),
    ],
)
def test_list_prices(model: str, per_million: tuple[float, ...]) -> None:
    """Input, output, cache read and both cache writes cost what the list says."""
    some = 100_000
    kinds = (
        Tokens(input=some),
        Tokens(output=some),
        Tokens(cache_read=some),
        Tokens(cache_write=some),
        Tokens(cache_write=some, cache_write_1h=some),
    )
    assert [listed(model).cost(kind) * 10 for kind in kinds] == pytest.approx(per_million)


def test_a_long_prompt_costs_more() -> None:
    """Some models have a second price for every token of a call with a long prompt."""
    haiku = listed("claude-haiku-5-5")
    assert haiku.cost(Tokens(input=100_000, output=10)) == pytest.approx(0.010005)
    assert haiku.cost(Tokens(cache_read=100_001, output=10)) == pytest.approx(0.00500005 + 0.000025)


@pytest.mark.parametrize(
    "model", ["gpt-4o", "", "claude-opus-6", "us.amazon.nova-pro-v1:0", "claude-opus-4-5 "]
)
def test_unknown_models_have_no_price(model: str) -> None:
    """A price of zero would lift the limit."""
    assert list_price(model) is None

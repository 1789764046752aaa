"""Which model a session asks, and what it costs, before anything is made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import DeploymentInvalid, InvalidRequest, ModelPriceUnknown
from pullwright.opening.model import read_prices
from pullwright.prices import Price, list_price
from tests.template.kit import template
from tests.unit.pipeline_kit import ASKED, Deployment, refused

if TYPE_CHECKING:
    from pullwright.errors import PullwrightError

PATTERN = template()["Parameters"]["ModelPrices"]["AllowedPattern"]
PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
SONNET = "global.anthropic.claude-sonnet-5-5"
UNLISTED = "us.anthropic.claude-sonnet-99"
NUMBERS = st.decimals("0.001", 1_000, places=3).map(str)
MODELS = st.from_regex(r"[a-z]{1,3}\.anthropic\.claude-[a-z0-9-]{1,20}", fullmatch=True) | st.just(PROFILE)
ENTRIES = st.builds(
    lambda model, amounts: f"{model}={'/'.join(amounts)}", MODELS, st.lists(NUMBERS, min_size=2, max_size=3)
)


def deployed(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """Deploy with other parameters."""
    monkeypatch.setattr(Deployment, "settings", Deployment.settings.model_copy(update=settings))


def test_a_model_without_a_price_is_refused_before_anything_is_made(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No branch, pull request or lock is left, and the remedy names the parameter and its form."""
    deployed(monkeypatch, model_id=UNLISTED)
    issue = deployment.github.issue()
    before = len(deployment.github.seen)
    error = refused(deployment, ModelPriceUnknown, issue=issue, **ASKED)
    assert repr(UNLISTED) in error.sentence
    assert "ModelPrices, as <model>=<input>/<output>" in error.remedy
    assert deployment.github.seen[before:] == []


def test_a_price_of_ones_own_reaches_the_task(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task's money holds by what the operator says that the model costs."""
    deployed(monkeypatch, model_id=UNLISTED, model_prices=f"{UNLISTED}=3/15/1.5")
    deployment.open(issue=deployment.github.issue(), **ASKED)
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert request.price == Price(3, 15, cache_read_factor=0.5)


def test_a_listed_price_reaches_the_task(deployment: Deployment) -> None:
    """Functions and task need not know the same list."""
    deployment.open(issue=deployment.github.issue(), **ASKED)
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert request.price == list_price(SONNET) is not None


def test_an_application_inference_profile_costs_what_its_model_costs(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ARN says nothing; the parameter says what it was made of."""
    deployed(monkeypatch, model_id=PROFILE)
    refused(deployment, ModelPriceUnknown, issue=deployment.github.issue(), **ASKED)
    deployed(monkeypatch, model_prices=f"{PROFILE}={SONNET}")
    deployment.open(issue=deployment.github.issue(), **ASKED)
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert (request.model, request.price) == (PROFILE, list_price(SONNET))


def test_a_stub_needs_no_price(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment is tried with stubs before its model is settled."""
    deployed(monkeypatch, model_id=UNLISTED)
    deployment.open(issue=deployment.github.issue(), stub=True, **ASKED)
    request = deployment.artifacts.read_request("s-1")
    assert request is not None
    assert request.price is None


@pytest.mark.parametrize(
    ("settings", "asked", "error", "named"),
    [
        ({"model_id": "claude-sonnet-5-5"}, {}, DeploymentInvalid, ("ModelProvider", "ModelId")),
        ({"model_provider": "anthropic"}, {}, DeploymentInvalid, ("ModelProvider", "ModelId")),
        ({}, {"model": "claude-sonnet-5-5"}, InvalidRequest, ("model", "bedrock")),
        ({}, {"model": "eu.anthropic.claude-opus-99"}, ModelPriceUnknown, ("claude-opus-99",)),
        ({"model_prices": "claude-x=0/1"}, {}, DeploymentInvalid, ("ModelPrices", "claude-x=0/1")),
        ({"model_prices": f"{PROFILE}=claude-x"}, {}, DeploymentInvalid, ("ModelPrices", "claude-x")),
    ],
)
def test_what_does_not_fit_together_is_named(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    asked: dict[str, Any],
    error: type[PullwrightError],
    named: tuple[str, ...],
) -> None:
    """What CloudFormation cannot compare is said before anything is made, by parameter or field."""
    deployed(monkeypatch, **settings)
    told = refused(deployment, error, issue=deployment.github.issue(), **asked, **ASKED)
    assert all(name in told.sentence for name in named)


@given(st.lists(ENTRIES, max_size=5, unique_by=lambda entry: entry.partition("=")[0]))
def test_what_the_parameter_accepts_is_read_as_it_stands(entries: list[str]) -> None:
    """Each entry's numbers are the price, and the pattern lets them through."""
    text = ",".join(entries)
    assert re.fullmatch(PATTERN, text)
    prices = read_prices(text)
    for entry in entries:
        model, _, amounts = entry.partition("=")
        per_input, per_output, *cached = map(float, amounts.split("/"))
        price = prices[model]
        assert (price.input, price.output, price.factor) == (per_input, per_output, 1.0)
        assert price.input * price.cache_read_factor == pytest.approx(cached[0] if cached else per_input / 10)


@given(st.from_regex(PATTERN, fullmatch=True) | st.text(max_size=60))
def test_no_text_of_the_parameter_ends_in_a_defect(text: str) -> None:
    """What cannot be read is a wrong deployment, never another error, and never a price of zero."""
    try:
        prices = read_prices(text)
    except DeploymentInvalid:
        return
    assert all(price.input > 0 and price.output > 0 for price in prices.values())

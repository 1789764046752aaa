"""What the gateway needs to know, and the CLI's environment that follows from it."""

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pullwright.errors import ModelPriceUnknown, ModelRefused
from pullwright.prices import Price, list_price
from runner.gateway.provider import ANTHROPIC_URL, Anthropic, Bedrock, Provider

# An overloaded service usually recovers within a few minutes; the CLI waits ten for an answer.
PATIENCE_SECONDS = 240.0
# The CLI asks for up to 128,000 tokens a call; reserved in full, one call could hold half a session's money.
_LONGEST_ANSWER = 32_000
_SHORTEST_ANSWER = 4_096
_SHARE_OF_ONE_ANSWER = 0.25


class GatewayConfig(BaseModel):
    """Which model the agent may use, through whom, and for how much.

    Attributes:
        small_model: id for the CLI's small tasks; the main model when there is none.
        price: of the main model; its list price by default.
        limit_usd: US dollars for the whole session.
        spent_usd: that earlier tasks of the session have spent.
        api_key: the Anthropic key; never leaves this process except to the API.
        anthropic_url: root of the Anthropic API; the standard variable ANTHROPIC_BASE_URL by default.
        region: AWS region of Bedrock; the standard variables by default.
        patience: seconds for which a service that fails is asked again before the agent hears of it.
        max_retries: how often the CLI repeats a call whose answer broke off half-way.
        read_timeout: seconds of silence after which an answer counts as broken off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Literal["anthropic", "bedrock"]
    model: str
    small_model: str | None = None
    price: Price | None = None
    limit_usd: float = Field(gt=0)
    spent_usd: float = Field(default=0.0, ge=0)
    api_key: SecretStr | None = None
    anthropic_url: str = Field(default_factory=lambda: os.environ.get("ANTHROPIC_BASE_URL") or ANTHROPIC_URL)
    region: str | None = Field(
        default_factory=lambda: os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    )
    patience: float = Field(default=PATIENCE_SECONDS, ge=0)
    max_retries: int = Field(default=5, ge=0)
    read_timeout: float = Field(default=600.0, gt=0)

    @property
    def models(self) -> tuple[str, ...]:
        """All ids that the agent may use."""
        return tuple(dict.fromkeys((self.model, self.small_model or self.model)))

    def price_of(self, model: str) -> Price:
        """Return what a model costs.

        Raises:
            ModelPriceUnknown: nobody says.
        """
        price = self.price if self.price is not None and model == self.model else list_price(model)
        if price is None:
            raise ModelPriceUnknown(f"The price of the model {model!r} is not known.")
        return price

    def connect(self) -> Provider:
        """Return the provider.

        Raises:
            ModelPriceUnknown: a model has no known price.
            ModelRefused: the provider's key or region is missing.
        """
        for model in self.models:
            self.price_of(model)
        if self.provider == "bedrock":
            if not self.region:
                raise ModelRefused("No AWS region is set for Bedrock.")
            return Bedrock(self.models, self.region)
        if self.api_key is None:
            raise ModelRefused("This Pullwright is set to use an Anthropic key, but none was given.")
        return Anthropic(self.models, self.api_key.get_secret_value(), self.anthropic_url)

    def environment(self, base_url: str) -> dict[str, str]:
        """Return the variables with which the CLI talks to the gateway and to nobody else."""
        small = self.small_model or self.model
        common = {
            "ANTHROPIC_DEFAULT_OPUS_MODEL": self.model,
            "ANTHROPIC_DEFAULT_SONNET_MODEL": self.model,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": small,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_ENABLE_TASKS": "0",  # or else there is no TodoWrite
            "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(self._longest_answer()),
            "CLAUDE_CODE_MAX_RETRIES": str(self.max_retries),
            "DISABLE_AUTOUPDATER": "1",
        }
        if self.provider == "anthropic":
            return {**common, "ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_API_KEY": "held-by-the-runner"}
        return {
            **common,
            "ANTHROPIC_BEDROCK_BASE_URL": base_url,
            "AWS_REGION": self.region or "",
            "CLAUDE_CODE_SKIP_BEDROCK_AUTH": "1",
            "CLAUDE_CODE_USE_BEDROCK": "1",
        }

    def _longest_answer(self) -> int:
        share = self.limit_usd * _SHARE_OF_ONE_ANSWER / (self.price_of(self.model).output * 1e-6)
        return min(_LONGEST_ANSWER, max(_SHORTEST_ANSWER, int(share)))

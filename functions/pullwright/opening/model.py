"""Which model a session uses, and what it costs: checked before anything is made."""

from pullwright.errors import DeploymentInvalid, InvalidRequest, ModelPriceUnknown
from pullwright.models import SessionRequest
from pullwright.prices import Price, list_price
from pullwright.settings import OpenPullRequestSettings

# US dollars for a million tokens: far above any, and below what is no number.
_MOST = 1_000_000
_FORM = (
    "ModelPrices, as <model>=<input>/<output> in US dollars for a million tokens, or "
    "<application inference profile>=<model that it was made of>"
)


def check_model(request: SessionRequest, settings: OpenPullRequestSettings) -> Price | None:
    """Find the price of the model that the session will ask.

    Returns:
        The price; None for a session that asks no model.

    Raises:
        InvalidRequest: the model that the request names is not one of this deployment's provider.
        DeploymentInvalid: parameters of the stack contradict each other or cannot be read.
        ModelPriceUnknown: nobody says what the model costs.
    """
    if request.stub or settings.stub_sessions:
        return None
    model = request.model or settings.model_id
    if not _fits(model, settings.model_provider):
        if request.model is not None:
            raise InvalidRequest(f"model: {model!r} is not a model of {settings.model_provider}.")
        raise DeploymentInvalid(
            f"ModelProvider is {settings.model_provider}, but ModelId, {model!r}, is not one of its models.",
            remedy="Ask the operator to set ModelId to a model of the provider, such as "
            "us.anthropic.claude-… for bedrock and claude-… for anthropic, or to leave it empty.",
        )
    prices = read_prices(settings.model_prices)
    price = prices.get(model) or list_price(model)
    if price is None:
        raise ModelPriceUnknown(
            f"The price of the model {model!r} is not known, so no money limit can hold for it.",
            remedy="Choose a Claude model with a published price, or ask the operator to give its price in "
            f"the parameter {_FORM}.",
        )
    return price


def read_prices(text: str) -> dict[str, Price]:
    """Read the parameter `ModelPrices`.

    Args:
        text: entries `<model>=<price>`, separated by commas. A price is `<input>/<output>` or
            `<input>/<output>/<cache read>` in US dollars for a million tokens, with nothing added for regions
            or long prompts, or the id of a listed model that costs the same.

    Raises:
        DeploymentInvalid: an entry cannot be read; the sentence names it.
    """
    return dict(_entry(entry) for entry in text.split(",") if entry.strip())


def _entry(entry: str) -> tuple[str, Price]:
    model, _, value = (part.strip() for part in entry.partition("="))
    price = _numbers(value) or list_price(value)
    if not model or price is None:
        raise DeploymentInvalid(
            f"The stack's parameter ModelPrices has an entry that cannot be read: {entry.strip()!r}.",
            remedy=f"Ask the operator to correct {_FORM}; prices are above zero.",
        )
    return model, price


def _numbers(value: str) -> Price | None:
    try:
        amounts = [float(part) for part in value.split("/")]
    except ValueError:
        return None
    if not all(0 < amount < _MOST for amount in amounts):
        return None
    match amounts:
        case [per_input, per_output]:
            return Price(per_input, per_output)
        case [per_input, per_output, cached]:
            return Price(per_input, per_output, cache_read_factor=cached / per_input)
        case _:
            return None


def _fits(model: str, provider: str) -> bool:
    """Return whether a model's id has a form that the provider knows."""
    is_bedrock = "anthropic." in model or model.startswith("arn:")
    return is_bedrock == (provider == "bedrock")

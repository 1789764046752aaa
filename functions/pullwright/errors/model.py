"""The model's provider: access, quota, price."""

from pullwright.errors.base import PullwrightError, _LimitError, _TransientError


class ModelPriceUnknown(PullwrightError):
    """Nobody says what the model costs, so no money limit could hold."""

    default_remedy = (
        "Choose a Claude model with a published price, or ask the operator to give its price in the stack's "
        "parameter ModelPrices."
    )


class ModelUnavailable(_TransientError):
    """The model's service failed or was overloaded."""

    exit_code = 13


class ModelRefused(PullwrightError):
    """The model's service refused us: access or credentials are missing."""

    exit_code = 14
    default_remedy = "Ask the operator to enable access to the model."


class ModelFormMissing(PullwrightError):
    """Anthropic's use-case form was never filled in for the AWS account."""

    exit_code = 14
    default_remedy = (
        "Ask the operator to fill in Anthropic's use-case form in the Bedrock console; start it again 15 "
        "minutes later."
    )


class ModelNotSubscribed(PullwrightError):
    """The AWS account has no subscription for the model."""

    exit_code = 14
    default_remedy = (
        "Ask the operator to call the model once as somebody who may subscribe on AWS Marketplace, with a "
        "valid means of payment in the account; start it again 15 minutes later."
    )


class ModelAccessPending(_TransientError):
    """AWS is still working on the subscription for the model."""

    exit_code = 13
    default_remedy = "Start it again in 15 minutes."


class ModelNotAllowed(PullwrightError):
    """IAM forbids the task to call the model."""

    exit_code = 14
    default_remedy = (
        "Ask the operator to add the model and its inference profile to AdditionalModelArns, or to look for "
        "an organisation's policy that forbids it."
    )


class ModelNotOffered(PullwrightError):
    """There is no such model, or not in this region or in this form."""

    exit_code = 14
    default_remedy = "Ask the operator to set ModelId to a model that its provider offers in the region."


class ModelQuotaUsedUp(_LimitError):
    """The account's quota for the model is used up, or zero as in new accounts."""

    exit_code = 13
    default_remedy = (
        "Start it again tomorrow. Ask the operator to request more tokens a day in Service Quotas."
    )


class ModelKeyInvalid(PullwrightError):
    """Anthropic does not accept the API key."""

    exit_code = 14
    default_remedy = "Ask the operator to store a valid key in the secret ModelKeySecretArn."


class ModelCreditMissing(PullwrightError):
    """The Anthropic account has no credit."""

    exit_code = 14
    default_remedy = "Ask the operator to buy credit in the Anthropic Console."

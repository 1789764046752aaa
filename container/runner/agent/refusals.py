"""What the model's service means by an error, where the remedy differs.

Bedrock tells most of these apart by nothing but their text: a missing form and a model that is gone are both
`ResourceNotFoundException`. So a few words of each are known here; an answer that has none of them is told by
its status alone. https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html,
https://docs.claude.com/en/api/errors
"""

import re
from dataclasses import dataclass

from pullwright import errors
from pullwright.errors import PullwrightError
from runner.gateway import Trouble


@dataclass(frozen=True, slots=True)
class _Answer:
    """One kind of answer.

    Args:
        words: pattern of the message, or of the error's type, that nothing else has.
        remedy: where it is not the class's own.
    """

    words: str
    error: type[PullwrightError]
    sentence: str
    remedy: str | None = None


_ANSWERS = (
    _Answer(
        "use case details have not been submitted|use-case form",
        errors.ModelFormMissing,
        "AWS has not been told what this account uses Anthropic's models for.",
    ),
    # Before the next: both speak of AWS Marketplace.
    _Answer(
        "subscription for the model is still being processed",
        errors.ModelAccessPending,
        "AWS is still subscribing the account to the model.",
    ),
    _Answer(
        "AWS Marketplace|have access to the model|INVALID_PAYMENT_INSTRUMENT",
        errors.ModelNotSubscribed,
        "The AWS account is not subscribed to the model.",
    ),
    _Answer(
        "not authorized to perform: bedrock:",
        errors.ModelNotAllowed,
        "The task's role may not call the model.",
    ),
    _Answer(
        "Operation not allowed|unsupported countries",
        errors.ModelRefused,
        "The model's service does not serve this account.",
        "Ask the operator to ask AWS Support why Bedrock is held back for the account.",
    ),
    _Answer(
        "Legacy|end of its life",
        errors.ModelNotOffered,
        "The model is not offered any more.",
        "Ask the operator to set ModelId to a model that AWS still offers.",
    ),
    _Answer(
        "on-demand throughput",
        errors.ModelNotOffered,
        "The model is offered through inference profiles only.",
        "Ask the operator to set ModelId to an inference profile of it, such as us.anthropic.claude-….",
    ),
    _Answer(
        "data retention mode",
        errors.ModelNotOffered,
        "The model asks for another data retention than the account has.",
        "Ask the operator to set the account's data retention in Bedrock as the model asks for.",
    ),
    _Answer(
        "model identifier is invalid|^not_found_error",
        errors.ModelNotOffered,
        "The model does not exist, or not in this region.",
    ),
    _Answer(
        "tokens per day|^ServiceQuotaExceeded",
        errors.ModelQuotaUsedUp,
        "The account's quota for the model is used up.",
    ),
    _Answer("^authentication_error", errors.ModelKeyInvalid, "Anthropic does not know the API key."),
    _Answer(
        "^billing_error|credit balance is too low",
        errors.ModelCreditMissing,
        "The Anthropic account has no credit left.",
    ),
)


def refusal(trouble: Trouble) -> PullwrightError | None:
    """Return the failure with a remedy of its own that an answer stands for; None for any other."""
    text = f"{trouble.type}: {trouble.message}"
    answer = next((answer for answer in _ANSWERS if re.search(answer.words, text)), None)
    return None if answer is None else answer.error(answer.sentence, remedy=answer.remedy)

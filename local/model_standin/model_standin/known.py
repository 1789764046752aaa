"""Error answers that the real services are known to give, as faults for a script.

Bedrock's error codes: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html;
the wording is what users reported, each with its source. Anthropic's: https://docs.claude.com/en/api/errors.
"""

from typing import Any

BEDROCK: dict[str, dict[str, Any]] = {
    # https://github.com/obot-platform/obot/issues/6747; the page calls it FTUFormNotFilled.
    "no use-case form": {
        "status": 404,
        "type": "ResourceNotFoundException",
        "message": "Model use case details have not been submitted for this account. Fill out the Anthropic "
        "use case details form before using the model. If you have already filled out the form, try again"
        " in 15 minutes.",
    },
    # https://github.com/aws-samples/anthropic-on-aws/pull/252
    "no subscription": {
        "status": 403,
        "type": "AccessDeniedException",
        "message": "Model access is denied due to IAM user or service role is not authorized to perform the "
        "required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, "
        "aws-marketplace:Subscribe) to enable access to this model. Refer to the Amazon Bedrock "
        "documentation for further details. Your AWS Marketplace subscription for this model cannot "
        "be completed at this time. If you recently fixed this issue, try again after 5 minutes.",
    },
    # https://github.com/langgenius/dify/issues/2829
    "no access": {
        "status": 403,
        "type": "AccessDeniedException",
        "message": "You don't have access to the model with the specified model ID.",
    },
    # The page's MPAgreementBeingCreated.
    "subscription pending": {
        "status": 403,
        "type": "AccessDeniedException",
        "message": "Your account is not authorized to access this model because your AWS Marketplace "
        "subscription for the model is still being processed. Try again after 15 minutes.",
    },
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    "no right": {
        "status": 403,
        "type": "AccessDeniedException",
        "message": "User: arn:aws:sts::123456789012:assumed-role/task/0123 is not authorized to perform: "
        "bedrock:InvokeModelWithResponseStream on resource: "
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x because no identity-based "
        "policy allows the bedrock:InvokeModelWithResponseStream action",
    },
    # https://github.com/awslabs/llmeter/issues/35
    "legacy": {
        "status": 404,
        "type": "ResourceNotFoundException",
        "message": "Access denied. This Model is marked by provider as Legacy and you have not been actively "
        "using the model in the last 15 days. Please upgrade to an active model on Amazon Bedrock",
    },
    # https://github.com/gsd-build/gsd-2/issues/5425
    "end of life": {
        "status": 404,
        "type": "ResourceNotFoundException",
        "message": "This model version has reached the end of its life. Please refer to the AWS "
        "documentation for more details.",
    },
    # https://github.com/anthropics/anthropic-sdk-python/issues/894, typographic apostrophe included
    "profile needed": {
        "status": 400,
        "type": "ValidationException",
        "message": "Invocation of model ID anthropic.claude-3-7-sonnet-20250219-v1:0 with on-demand "
        "throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that "
        "contains this model.",
    },
    # https://github.com/danny-avila/LibreChat/issues/5001
    "wrong region": {
        "status": 400,
        "type": "ValidationException",
        "message": "The provided model identifier is invalid.",
    },
    # https://github.com/pydantic/pydantic-ai/issues/8170
    "data retention": {
        "status": 400,
        "type": "ValidationException",
        "message": "data retention mode 'default' is not available for this model",
    },
    # https://github.com/aws/aws-cli/issues/8717
    "account held back": {"status": 400, "type": "ValidationException", "message": "Operation not allowed"},
    # https://github.com/minorun365/agent-book/issues/29
    "daily quota": {
        "status": 429,
        "type": "ThrottlingException",
        "message": "Too many tokens per day, please wait before trying again.",
    },
    # https://github.com/anthropics/claude-code/issues/236
    "throttled": {
        "status": 429,
        "type": "ThrottlingException",
        "message": "Too many tokens, please wait before trying again.",
    },
}
ANTHROPIC: dict[str, dict[str, Any]] = {
    "invalid key": {"status": 401, "type": "authentication_error", "message": "invalid x-api-key"},
    # https://github.com/anthropics/claude-code/issues/4207
    "no credit": {
        "status": 400,
        "type": "invalid_request_error",
        "message": "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing "
        "to upgrade or purchase credits.",
    },
    "billing": {
        "status": 402,
        "type": "billing_error",
        "message": "There is an issue with your payment information.",
    },
    "no such model": {"status": 404, "type": "not_found_error", "message": "model: claude-x"},
    "overloaded": {"status": 529, "type": "overloaded_error", "message": "Overloaded"},
}

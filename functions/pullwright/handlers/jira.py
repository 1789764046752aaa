"""Jira's webhook: a Function URL that verifies, starts an execution and answers."""

import os
from functools import cache
from typing import Any

from pullwright.aws_json import AwsJson
from pullwright.jira.service import JiraWebhook
from pullwright.jira.settings import Settings
from pullwright.webhook.answers import to_function_url
from pullwright.webhook.log import DeliveryLog
from pullwright.webhook.secret import WebhookSecret


@cache
def _webhook() -> JiraWebhook:
    settings = Settings.read(os.environ)
    aws = AwsJson(os.environ)
    return JiraWebhook(settings, aws, WebhookSecret(aws, settings.jira_webhook_secret_arn))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one delivery; the table of answers is in `pullwright.webhook`.

    Args:
        event: the Function URL's, payload format 2.0.

    Raises:
        InternalError: the function was deployed without a setting.
    """
    log = DeliveryLog(os.environ, context, cold_start=_webhook.cache_info().currsize == 0)
    answer = _webhook().answer(event, log)
    log.close(status_code=answer.status_code, status=answer.status, reason=answer.reason)
    return to_function_url(answer)

"""The broker: a Function URL with `AWS_IAM` that gives a running task its session's credentials."""

import json
from functools import cache, partial
from typing import Any

from pullwright import aws, settings
from pullwright.artifacts import Artifacts
from pullwright.brokering.grant import Tools, grant
from pullwright.errors import PullwrightError, SessionClosed
from pullwright.github.app import GitHubApp
from pullwright.log import logger
from pullwright.models import FailureClass
from pullwright.secret_values import read_app_secret
from pullwright.store import Store

_OK, _FORBIDDEN, _CONFLICT, _UNAVAILABLE = 200, 403, 409, 503


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers one request of a runner.

    Args:
        event: of a Function URL.

    Returns:
        A `BrokerGrant`; or `{"error", "message"}` with 403 for whoever has no business here, 409 when the
        session is over, and 503 when it is worth asking again.
    """
    try:
        given = grant(event, _tools())
    except PullwrightError as error:
        logger.warning("refused", error=type(error).__name__, reason=error.sentence)
        return _answer(_status(error), {"error": type(error).__name__, "message": error.sentence})
    return _answer(_OK, given.model_dump(mode="json"))


def _status(error: PullwrightError) -> int:
    if isinstance(error, SessionClosed):
        return _CONFLICT
    return _FORBIDDEN if error.failure_class is FailureClass.USER else _UNAVAILABLE


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body),
    }


@cache
def _tools() -> Tools:
    given = settings.broker()
    return Tools(
        app=GitHubApp(
            given.github_api_url, partial(read_app_secret, aws.secretsmanager(), given.github_app_secret_arn)
        ),
        store=Store(aws.dynamodb(), given.sessions_table),
        artifacts=Artifacts(aws.s3(), given.artifacts_bucket),
        ecs=aws.ecs(),
        sts=aws.sts(),
        secrets=aws.secretsmanager(),
        settings=given,
    )

"""The broker: a Function URL with `AWS_IAM` that gives a running task its session's credentials."""

import json
from functools import cache
from typing import Any

from pullwright import aws, settings, wiring
from pullwright.brokering.grant import Tools, grant
from pullwright.errors import FailureClass, PullwrightError, SessionClosed
from pullwright.log import logger

_OK, _FORBIDDEN, _CONFLICT, _UNAVAILABLE = 200, 403, 409, 503


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one request of a runner.

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
        app=wiring.github_app(given),
        store=wiring.store(given),
        artifacts=wiring.artifacts(given),
        ecs=aws.ecs(),
        sts=aws.sts(),
        secrets=aws.secretsmanager(),
        settings=given,
    )

"""The broker: a Function URL with `AWS_IAM` that gives a running task its session's credentials."""

import json
from typing import Any

from pullwright import aws, composition
from pullwright.brokering.grant import grant
from pullwright.errors import FailureClass, PullwrightError, SessionClosed
from pullwright.log import logger
from pullwright.previewing.screenshots import Screenshots
from pullwright.previewing.store import PreviewStore
from pullwright.settings import BrokerSettings

_OK, _FORBIDDEN, _CONFLICT, _UNAVAILABLE = 200, 403, 409, 503


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one request of a runner.

    Returns:
        A `BrokerGrant` or, to a preview's task, a `PreviewGrant`; nothing in JSON if that sent a screenshot;
        or `{"error", "message"}` with 403 for whoever has no business here, 409 when the session is over, and
        503 when it is worth asking again.
    """
    try:
        services = composition.services(BrokerSettings)
        previews = PreviewStore(aws.dynamodb(), services.settings.sessions_table)
        credentials = grant(
            *(event, services),
            ecs=aws.ecs(),
            sts=aws.sts(),
            secrets=aws.secretsmanager(),
            previews=previews,
            screenshots=Screenshots(aws.s3(), services.settings.artifacts_bucket),
        )
    except PullwrightError as error:
        logger.warning("refused", error=type(error).__name__, reason=error.sentence)
        return _answer(_status(error), {"error": type(error).__name__, "message": error.sentence})
    return _answer(_OK, {} if credentials is None else credentials.model_dump(mode="json"))


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

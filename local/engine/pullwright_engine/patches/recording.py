"""Not a defect: record each AWS call with the role that made it.

LocalStack enforces no IAM. A test reads this file and asks of each call whether the template's policies
would have allowed it, so that least privilege is checked after all.
"""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localstack.aws import handlers

from pullwright_engine.iam_context import item_context, role_context
from pullwright_engine.identity import caller_of, signature_of
from pullwright_engine.settings import settings

RESOURCES = (
    "Bucket",
    "Key",
    "SecretId",
    "QueueUrl",
    "TableName",
    "IndexName",
    "FunctionName",
    "RoleArn",
    "RoleName",
    "cluster",
    "taskDefinition",
    "task",
    "tasks",
    "logGroupName",
    "logStreamName",
    "executionArn",
    "stateMachineAliasArn",
    "stateMachineArn",
    "Rule",
    "Name",
    "StackName",
    "RoleARN",
)
"""Parameters that name a resource. Nothing else of a request is written down: it may be a secret."""


def _context(service: str, request: Mapping[str, Any], account: str) -> dict[str, Any]:
    match service:
        case "dynamodb":
            return item_context(request)
        case "iam":
            return role_context(request, account)
        case _:
            return {}


class Recorder:
    """A response handler that appends one JSON line a call."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def __call__(self, _chain: Any, context: Any, response: Any) -> None:
        """Record a call that came over HTTP."""
        if context.service is None or context.operation is None:
            return
        signature = signature_of(context.request.headers.get("Authorization"))
        caller = caller_of(signature.key) if signature else None
        if caller is None:
            return
        request = context.service_request or {}
        line = {
            "at": datetime.now(UTC).isoformat(),
            "role": caller.role,
            "session": caller.arn.rpartition("/")[2],
            "service": context.service.service_name,
            "operation": context.operation.name,
            "resources": {name: request[name] for name in RESOURCES if name in request},
            "context": _context(context.service.service_name, request, caller.account),
            "kinds": sorted({kind for item in request.get("TransactItems", ()) for kind in item}),
            "status": response.status_code,
        }
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")


def apply() -> None:
    """Start recording, if the settings name a file."""
    file = settings().calls_file
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.run_custom_response_handlers.append(Recorder(file))

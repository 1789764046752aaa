"""Handlers that do what the test asks of them."""

import json
import os
import sys
import time
from typing import Any


def echo(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the event that came."""
    print("echoed")  # noqa: T201 - the test looks for this line in the log
    return {"statusCode": 200, "body": json.dumps(event)}


def behave(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sleep, exit, fail or answer much, and show what a function can see of its surroundings."""
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "exit" in event:
        os._exit(event["exit"])
    if "raise" in event:
        raise ValueError(event["raise"])
    if "bytes" in event:
        return {"text": "x" * event["bytes"]}
    try:
        import localstack  # noqa: F401, PLC0415 - it must not be there

        engine = True
    except ImportError:
        engine = False
    return {
        "pid": os.getpid(),
        "code": os.environ["LAMBDA_TASK_ROOT"],
        "engine": engine,
        "environment": sorted(os.environ),
        "memory": context.memory_limit_in_mb,
        "version": sys.version_info[:2],
    }

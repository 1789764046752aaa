"""One JSON line per delivery, in the shape of Powertools' Logger, with the count as an embedded metric.

Powertools itself is not imported here: docs/decisions/0002-webhook-logs-without-powertools.md.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_WARNING_FROM = 400
_ERROR_FROM = 500
_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


def _print(line: str) -> None:
    # One write: Lambda makes one log event of it.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class DeliveryLog:
    """Collects what may be logged of one delivery: no text of people, and no signature.

    Args:
        now: Unix seconds.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        context: Any,
        *,
        cold_start: bool,
        now: Callable[[], float] = time.time,
        write: Callable[[str], None] = _print,
    ) -> None:
        self._environ = environ
        self._now = now
        self._write = write
        self._started = now()
        self._metrics = {"Deliveries": ["service", "status"]}
        self._fields: dict[str, Any] = {
            "cold_start": cold_start,
            "function_name": getattr(context, "function_name", ""),
            "function_memory_size": getattr(context, "memory_limit_in_mb", ""),
            "function_arn": getattr(context, "invoked_function_arn", ""),
            "function_request_id": getattr(context, "aws_request_id", ""),
        }

    def add(self, **fields: str | int | Sequence[str] | Mapping[str, str]) -> None:
        """Add fields; empty ones are left out."""
        self._fields.update({name: value for name, value in fields.items() if value not in ("", (), {})})

    def broken_workers(self, why: str) -> None:
        """Say that a repository's stored workers cannot be used, and count it."""
        self._fields["broken_workers"] = why
        # An alarm looks at all of them together.
        self._metrics["UnreadableWorkers"] = ["service"]

    def close(self, *, status_code: int, status: str, reason: str) -> None:
        """Write the line.

        Args:
            status: the answer's word, one of a few: it is the metric's dimension.
        """
        level = (
            "ERROR" if status_code >= _ERROR_FROM else "WARNING" if status_code >= _WARNING_FROM else "INFO"
        )
        now = self._now()
        line = {
            "level": level,
            "location": "pullwright.webhook",
            "message": reason,
            "timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
            + f",{int(now * 1000) % 1000:03d}+0000",
            "service": self._environ.get("POWERTOOLS_SERVICE_NAME", "service_undefined"),
            **self._fields,
            "status_code": status_code,
            "status": status,
            "milliseconds": round((now - self._started) * 1000, 1),
        }
        trace = self._environ.get("_X_AMZN_TRACE_ID", "")
        if trace:
            line["xray_trace_id"] = trace.split(";")[0].removeprefix("Root=")
        namespace = self._environ.get("POWERTOOLS_METRICS_NAMESPACE")
        if namespace:
            line |= _metric(namespace, now, self._metrics)
        threshold = self._environ.get("POWERTOOLS_LOG_LEVEL", "INFO").upper()
        if namespace or _LEVELS[level] >= _LEVELS.get(threshold, _LEVELS["INFO"]):
            self._write(json.dumps(line))


def _metric(namespace: str, now: float, metrics: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the metrics, each counted once.

    Args:
        metrics: their dimensions, which are fields of the line.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    return {
        **dict.fromkeys(metrics, 1),
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [dimensions],
                    "Metrics": [{"Name": name, "Unit": "Count"}],
                }
                for name, dimensions in metrics.items()
            ],
        },
    }

"""The platform's own lines in a function's log, in both of Lambda's log formats.

Formats: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Report:
    """One invocation, for the log.

    Attributes:
        runtime: the function's runtime, for example `python3.13`.
        used_mb: memory of the environment at the end.
        init_ms: of the environment's start, when this invocation caused it.
        timed_out: after how many seconds the platform ended it, if it did.
    """

    request_id: str
    version: str
    runtime: str
    memory_mb: int
    used_mb: int
    duration_ms: float
    init_ms: float | None = None
    timed_out: float | None = None


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _event(kind: str, record: dict[str, object]) -> str:
    return json.dumps({"time": _stamp(), "type": f"platform.{kind}", "record": record}) + "\n"


def text(report: Report, init_output: str, output: str) -> str:
    """Return what CloudWatch Logs gets of an invocation in the text format.

    Args:
        init_output: what the environment wrote while it started, if this invocation caused that.
    """
    lines = []
    if report.init_ms is not None:
        version = report.runtime.removeprefix("python")
        lines.append(f"INIT_START Runtime Version: python:{version}.v1\tRuntime Version ARN: local\n")
        lines.append(init_output)
    lines.append(f"START RequestId: {report.request_id} Version: {report.version}\n")
    lines.append(output if not output or output.endswith("\n") else f"{output}\n")
    if report.timed_out is not None:
        lines.append(
            f"{_stamp()} {report.request_id} Task timed out after {report.timed_out:.2f} seconds\n\n"
        )
    lines.append(f"END RequestId: {report.request_id}\n")
    init = "" if report.init_ms is None else f"\tInit Duration: {report.init_ms:.2f} ms"
    lines.append(
        f"REPORT RequestId: {report.request_id}\tDuration: {report.duration_ms:.2f} ms"
        f"\tBilled Duration: {math.ceil(report.duration_ms)} ms\tMemory Size: {report.memory_mb} MB"
        f"\tMax Memory Used: {report.used_mb} MB{init}\n"
    )
    return "".join(lines)


def structured(report: Report, init_output: str, output: str) -> str:
    """Return the same in the JSON format.

    Args:
        init_output: what the environment wrote while it started, if this invocation caused that.
    """
    lines = []
    metrics: dict[str, object] = {
        "durationMs": round(report.duration_ms, 3),
        "billedDurationMs": math.ceil(report.duration_ms),
        "memorySizeMB": report.memory_mb,
        "maxMemoryUsedMB": report.used_mb,
    }
    if report.init_ms is not None:
        metrics["initDurationMs"] = round(report.init_ms, 3)
        lines.append(
            _event(
                "initStart",
                {"initializationType": "on-demand", "phase": "init", "runtimeVersion": report.runtime},
            )
        )
        lines.append(init_output)
    lines.append(_event("start", {"requestId": report.request_id, "version": report.version}))
    lines.append(output if not output or output.endswith("\n") else f"{output}\n")
    status = "success" if report.timed_out is None else "timeout"
    lines.append(_event("report", {"requestId": report.request_id, "metrics": metrics, "status": status}))
    return "".join(lines)

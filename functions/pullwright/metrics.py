"""The figures that dashboard and alarms show, written to the log in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

Name = Literal[
    "Sessions",
    "QueueSeconds",
    "AgentSeconds",
    "CostUsd",
    "FirstCommentSeconds",
    "SettledSessions",
    "SilencedTasks",
    "RedeliveredWebhooks",
    "LostWebhooks",
    "RefusedWebhooks",
    "UnreadableWorkers",
    "FailuresInARow",
    "UncagedSessions",
    "Previews",
    "PreviewHealthySeconds",
    "PreviewHours",
]
_UNITS = {"Seconds": MetricUnit.Seconds, "Usd": MetricUnit.NoUnit, "Hours": MetricUnit.NoUnit}


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """The figures of one ended session; None where it did not get so far.

    Attributes:
        failure_class: whose turn it is; empty when it succeeded.
        queue_seconds: from the execution's start to its slot.
        is_uncaged: its processes could reach everything, and the deployment had asked for something else.
        in_a_row: how many sessions of a failure class have failed since the last good one, by class.
    """

    outcome: str
    failure_class: str
    queue_seconds: float | None = None
    agent_seconds: float | None = None
    cost_usd: float | None = None
    is_uncaged: bool = False
    in_a_row: Mapping[str, int] = field(default_factory=dict)


def session_ended(figures: SessionFigures) -> None:
    """Count a session, by outcome and class, and its figures."""
    count({"Sessions": 1}, {"outcome": figures.outcome, "failure_class": figures.failure_class or "none"})
    measured: dict[Name, float | None] = {
        "QueueSeconds": figures.queue_seconds,
        "AgentSeconds": figures.agent_seconds,
        "CostUsd": figures.cost_usd,
        "UncagedSessions": 1.0 if figures.is_uncaged else None,
    }
    count({name: value for name, value in measured.items() if value is not None})
    for failure_class, number in figures.in_a_row.items():
        count({"FailuresInARow": number}, {"failure_class": failure_class})


def preview_ended(outcome: str, *, healthy_seconds: float | None, hours: float | None) -> None:
    """Count a preview by its outcome, and its figures.

    Args:
        outcome: `served`, `withdrawn` if it was not needed before it was healthy, or the error's class name.
        healthy_seconds: from the request until it was healthy; None if it never was.
        hours: for which it was served then.
    """
    count({"Previews": 1}, {"outcome": outcome})
    figures: dict[Name, float | None] = {"PreviewHealthySeconds": healthy_seconds, "PreviewHours": hours}
    count({name: value for name, value in figures.items() if value is not None})


def count(figures: Mapping[Name, float], dimensions: Mapping[str, str] | None = None) -> None:
    """Write figures to the log.

    Args:
        figures: values by name; without any, nothing is written.
        dimensions: that tell them apart, beside the service's name.
    """
    # Without a namespace CloudWatch takes none, and a figure is no reason to fail.
    if not figures or not os.environ.get("POWERTOOLS_METRICS_NAMESPACE"):
        return
    metrics = EphemeralMetrics()
    for dimension, text in (dimensions or {}).items():
        metrics.add_dimension(dimension, text)
    for name, value in figures.items():
        unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), MetricUnit.Count)
        metrics.add_metric(name, unit, value)
    metrics.flush_metrics()

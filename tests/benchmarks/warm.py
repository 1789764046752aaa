"""Warm deliveries: the handler again and again in this process, AWS on a loopback port."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
import uuid
from typing import TYPE_CHECKING, Any
from unittest import mock

from pullwright.handlers import webhook
from tests.benchmarks import delivery
from tests.benchmarks.figures import Figure, Mark, Section

if TYPE_CHECKING:
    from collections.abc import Callable

_DELIVERIES = 2_000
_WARM_UP = 100
_CPU_MILLISECONDS = 1.0


class WrongAnswerError(RuntimeError):
    """The webhook did not take the delivery."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(f"the webhook answered {answer}")


def measure(endpoint_url: str, say: Callable[[str], None]) -> Section:
    """Measure time and CPU of one delivery."""
    say(f"{_DELIVERIES} warm deliveries of each kind")
    issue = _figures("", delivery.labelled_issue(), endpoint_url)
    return Section(
        "Warm delivery",
        f"{_DELIVERIES} signed labels of each kind through the handler in one process, each with a "
        "StartExecution that a loopback process answers; there are previews, and the repository has 50 "
        "workers besides the built-in ones; CPU is this process's own, user and system.",
        issue + _figures("of a preview's label, ", delivery.labelled_pull_request(), endpoint_url)[:1],
    )


def _figures(of: str, event: dict[str, Any], endpoint_url: str) -> tuple[Figure, ...]:
    """Deliver an event again and again.

    Args:
        of: what the figures' names begin with.
    """
    times: list[float] = []
    cpu: list[float] = []
    with (
        # What is measured after this must not meet the function's region.
        mock.patch.dict(os.environ, delivery.environment(endpoint_url)),
        open(os.devnull, "w") as nowhere,  # noqa: PTH123 - not a path of ours
        contextlib.redirect_stdout(nowhere),
    ):
        for number in range(_WARM_UP + _DELIVERIES):
            event["headers"]["x-github-delivery"] = str(uuid.uuid4())
            before, cpu_before = time.perf_counter(), time.process_time()
            answer = webhook.handler(event, None)
            cpu_after, after = time.process_time(), time.perf_counter()
            if answer["statusCode"] != 202:
                raise WrongAnswerError(answer)
            if number >= _WARM_UP:
                times.append((after - before) * 1000)
                cpu.append((cpu_after - cpu_before) * 1000)
    return (
        Figure(f"{of}own CPU, p50", _percentile(cpu, 50), "ms", mark=Mark(_CPU_MILLISECONDS)),
        Figure(f"{of}own CPU, p99", _percentile(cpu, 99), "ms"),
        Figure(f"{of}time, p50", _percentile(times, 50), "ms"),
        Figure(f"{of}time, p99", _percentile(times, 99), "ms"),
    )


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]

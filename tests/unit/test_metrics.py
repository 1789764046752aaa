"""The figures of sessions, as CloudWatch reads them from the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pullwright import metrics
from pullwright.metrics import SessionFigures


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "pullwright")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "pullwright")


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was logged."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_session_counts_by_outcome_and_class(capsys: pytest.CaptureFixture[str]) -> None:
    """Sessions have two dimensions more than their figures; a figure that is missing is not written."""
    metrics.session_ended(SessionFigures("failed", "limit", queue_seconds=3.5, cost_usd=0.25))
    session, figures = written(capsys)
    [kind] = session["_aws"]["CloudWatchMetrics"]
    assert (kind["Namespace"], set(kind["Dimensions"][0])) == (
        "pullwright",
        {"service", "outcome", "failure_class"},
    )
    assert (session["Sessions"], session["outcome"], session["failure_class"]) == ([1], "failed", "limit")
    assert (figures["QueueSeconds"], figures["CostUsd"]) == ([3.5], [0.25])
    assert "AgentSeconds" not in figures
    assert figures["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def test_success_has_a_class_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """A dimension cannot be empty."""
    metrics.session_ended(SessionFigures("changed", ""))
    [session] = written(capsys)
    assert session["failure_class"] == "none"


def test_a_figure_is_no_reason_to_fail(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a namespace nothing is written, and nothing fails."""
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")
    metrics.count({"LostWebhooks": 1})
    assert written(capsys) == []


def test_a_preview_counts_by_its_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    """How long it took to be healthy, and was served, is known only of those that were."""
    metrics.preview_ended("served", healthy_seconds=42.5, hours=1.5)
    preview, figures = written(capsys)
    assert (preview["Previews"], preview["outcome"]) == ([1], "served")
    assert set(preview["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == {"service", "outcome"}
    assert (figures["PreviewHealthySeconds"], figures["PreviewHours"]) == ([42.5], [1.5])
    metrics.preview_ended("PreviewBuildFailed", healthy_seconds=None, hours=None)
    [preview] = written(capsys)
    assert preview["outcome"] == "PreviewBuildFailed"

"""A day's money over whole sessions: kept free when one is opened, booked when it ends, however it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import DailyLimit
from pullwright.models import Outcome
from pullwright.results import AgentResult
from pullwright.table import day_key
from tests.unit.pipeline_kit import REPOSITORY, Deployment
from tests.unit.reconcile_kit import STOPPED, SweptDeployment, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SweptDeployment]:
    """Provide a deployment with limits of a day."""
    daily = {"daily_usd": 12.0, "daily_usd_per_repository": 8.0}
    monkeypatch.setattr(Deployment, "settings", Deployment.settings.model_copy(update=daily))
    with table() as client:
        yield SweptDeployment(tmp_path, client)


def counted(deployment: SweptDeployment) -> tuple[str, str]:
    """Return what stands for today: of all sessions, and of the repository's."""
    today = datetime.now(UTC).date()
    items = deployment.items()
    all_of, its = (
        items.get(key, {"usd": {"N": "0"}}) for key in (day_key(today), day_key(today, REPOSITORY))
    )
    return all_of["usd"]["N"], its["usd"]["N"]


def result(session_id: str, **fields: Any) -> str:
    """Return what a runner leaves."""
    now = datetime.now(UTC)
    plain = {"outcome": Outcome.NO_CHANGE, "started_at": now, "ended_at": now, "exit_code": 0, "task_arn": ""}
    return AgentResult.model_validate(plain | {"session_id": session_id} | fields).model_dump_json()


def test_a_day_without_room_refuses_before_anything_is_made(deployment: SweptDeployment) -> None:
    """What is kept free is the session's own limit, once; a stub needs none, a refused one holds no lock."""
    first, second, third = (deployment.github.issue() for _ in range(3))
    deployment.open("s-1", issue=first)
    deployment.open("s-1", issue=first)
    before = len(deployment.github.pulls())
    with pytest.raises(DailyLimit, match=REPOSITORY):
        deployment.open("s-2", issue=second)
    assert len(deployment.github.pulls()) == before
    assert [key for key in deployment.held() if key.endswith(f"/{second}")] == []
    deployment.open("s-3", issue=second, stub=True)
    deployment.open("s-4", issue=third, limits={"usd": 3})
    assert counted(deployment) == ("8", "8")


@pytest.mark.parametrize(
    ("stage", "left", "booked"),
    [
        ("recorded", {}, "0"),
        ("opened", {}, "0"),
        ("admitted", {}, "0"),
        ("claimed", {}, "5"),
        ("claimed", {"cost_usd": 0.75}, "0.75"),
        ("claimed", {"cost_usd": 7.5}, "5"),
    ],
)
def test_a_dead_execution_s_money_is_given_back(
    deployment: SweptDeployment, stage: str, left: dict[str, float], booked: str
) -> None:
    """The sweep books what the session has cost, once: nothing without a task, everything if nobody knows."""
    deployment.begin(stage=stage)
    assert counted(deployment)[0] == ("0" if stage == "recorded" else "5")
    if left:
        deployment.artifacts.results["s-1"] = result("s-1", **left)
    deployment.stop()
    for minutes in (1, 6, 11):
        deployment.sweep(minutes=minutes)
        assert counted(deployment) == (booked, booked)


def test_a_report_that_is_due_books_once(deployment: SweptDeployment) -> None:
    """A session whose report GitHub refuses is looked at again and again, and counts once."""
    deployment.begin(stage="claimed")
    deployment.artifacts.results["s-1"] = result("s-1", cost_usd=1.5)
    deployment.stop(end=STOPPED)
    deployment.github.control("PATCH", f"/repositories/{REPOSITORY}", {"archived": True})
    deployment.sweep(minutes=1)
    deployment.github.control("PATCH", f"/repositories/{REPOSITORY}", {"archived": False})
    deployment.sweep(minutes=6)
    assert counted(deployment) == ("1.5", "1.5")
    assert deployment.sessions.read_session("s-1").booked_usd == 1.5


def test_while_new_work_is_switched_off_those_that_wait_go_on_waiting(deployment: SweptDeployment) -> None:
    """A sweep marks the slots, once; who holds one keeps it, and the mark goes when there are slots again."""
    deployment.begin(stage="admitted")
    deployment.is_off = True
    for minutes in (1, 2):
        deployment.sweep(minutes=minutes)
        assert deployment.items()["SLOTS"]["paused"] == {"BOOL": True}
    assert deployment.items()["SLOTS"]["holders"] == {"SS": ["s-1"]}
    deployment.is_off = False
    deployment.sweep(minutes=3)
    assert "paused" not in deployment.items()["SLOTS"]

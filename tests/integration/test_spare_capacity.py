"""Spare capacity that AWS takes back ten times in a row, on a stack that runs on it and has a daily limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from local.layout import Layout
from local.people import Person, call
from local.sessions import Session, Stack
from pullwright.table import day_key
from pullwright_cli.session import ENDED
from pullwright_engine.faults import RECLAIM_TASK, write_orders
from tests.integration.conftest import FOLDER, ROOT, Repositories, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

SPARE = FOLDER.with_name(f"{FOLDER.name}-spare")
RECLAIMS = 10
DAILY_USD, LIMIT_USD = 20, 5
SECONDS = 500.0
PARAMETERS = ("Capacity=FARGATE_SPOT", f"DailyUsd={DAILY_USD}", f"LimitUsd={LIMIT_USD}")
ISSUE = "Count the machines that you work on."
# Every task adds a line to those that it finds. The last one goes on, all others work until they are stopped.
WORK = f"echo task >> TASKS.md; [ $(wc -l < TASKS.md) -gt {RECLAIMS} ] || sleep 300"


@pytest.fixture(scope="module")
def spare() -> Iterator[Stack]:
    """Provide a stack of its own: what a task runs on is a parameter of the deployment."""

    def local(*command: str) -> None:
        environment = {**os.environ, "PULLWRIGHT_LOCAL": str(SPARE)}
        done = subprocess.run(
            [sys.executable, "-m", "local", *command],
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        local("up", *(part for one in PARAMETERS for part in ("--parameter", one)))
        yield Stack.load(SPARE)
    finally:
        local("down", "--discard")


@pytest.fixture
def place(spare: Stack) -> Repository:
    """Provide a repository on that stack, with a script for the model that works in it."""
    assert spare.model_url is not None
    steps = [{"tool": "Bash", "input": {"command": WORK, "timeout": 400_000}}, {"text": "Counted."}]
    call(spare.model_url, "PUT", "/_standin/scripts/machines", {"match": ISSUE, "steps": steps})
    return Repositories(spare, Person.join(spare.github_url, "maintainer")).make()


def spent(stack: Stack, session: Session) -> float:
    """Return what stands for the day on which a session began."""
    began = session.record().created_at
    assert began is not None
    key = day_key(began.date())
    table = stack.outputs["SessionsTable"]
    item = stack.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": key}})["Item"]
    return float(item["usd"]["N"])


def lines_in(layout: Layout, task: str) -> int:
    """Return how many tasks have worked so far, as a task's work tree says."""
    found = list((layout.shared / "tasks" / task).glob("workspace/agent/*/TASKS.md"))
    return len(found[0].read_text().split()) if found else 0


def test_ten_reclaims_in_a_row_leave_one_pull_request(spare: Stack, place: Repository) -> None:
    """Each task goes on from the checkpoint of the last; one pull request, and each cost counted once."""
    layout = Layout(SPARE)
    orders = layout.engine / "faults.json"
    session = spare.start({"repository": place.name, "issue": place.issue(ISSUE, ISSUE)})
    ordered: list[dict[str, object]] = []
    deadline = time.monotonic() + SECONDS
    while session.status() not in ENDED:
        assert time.monotonic() < deadline, session.record()
        record = session.record()
        task = (record.task_arn or "").rpartition("/")[2]
        if lines_in(layout, task) == len(ordered) + 1 and len(ordered) < RECLAIMS:
            assert spent(spare, session) == LIMIT_USD
            ordered.append(
                {"id": f"{session.id}-{len(ordered)}", "what": RECLAIM_TASK, "contains": [session.id]}
            )
            write_orders(orders, ordered)
        time.sleep(0.2)

    record = session.record()
    assert session.status() == "SUCCEEDED", record
    assert len(ordered) == RECLAIMS
    [pull] = place.pulls()
    assert pull["draft"] is False
    files = place.rest("GET", f"/git/trees/{record.commit}?recursive=1")["tree"]
    [blob] = [one["sha"] for one in files if one["path"] == "TASKS.md"]
    assert place.rest("GET", f"/git/blobs/{blob}")["size"] == len("task\n") * (RECLAIMS + 1)
    usage = json.loads(session.artifacts()["usage.json"])
    assert usage["tasks"] == RECLAIMS + 1
    assert usage["cost_usd"] == float(record.cost_usd or 0) == spent(spare, session)
    requests = [one for one in call(str(spare.model_url), "GET", "/_standin/requests") if one.get("script")]
    assert len(requests) >= RECLAIMS + 1
    assert record.turns == RECLAIMS + 2

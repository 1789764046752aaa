"""The functions of previews: what the state machine, or EventBridge, passes, and what they answer."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pullwright import aws, composition
from pullwright.errors import PreviewNotConfigured, PreviewNotReady
from pullwright.handlers import prepare_preview, remove_preview, route_preview
from pullwright.previewing.services import PreviewServices
from tests.unit.moto_kit import mock_aws
from tests.unit.pipeline_kit import REPOSITORY
from tests.unit.preview_kit import REMOVING, ROUTING, SETTINGS, START, Previews, execution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)
NAMED = {"preview_id": "p-1", "execution_arn": execution("p-1")}


@pytest.fixture
def previews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Previews]:
    """Provide what the functions work with in place of AWS."""
    with mock_aws():
        made = Previews(tmp_path)
        settings = {type(it): it for it in (SETTINGS, ROUTING, REMOVING)}
        monkeypatch.setattr(
            composition,
            "preview_services",
            lambda model: PreviewServices(made.github.app(), made.store, settings[model], made.log),
        )
        for name in ("ecs", "stepfunctions", "elbv2"):
            monkeypatch.setattr(aws, name, lambda: None)
        for module in (route_preview, remove_preview):
            tasks = "PreviewTasks" if module is remove_preview else "Tasks"
            monkeypatch.setattr(module, tasks, lambda *_, **__: made.tasks)
            monkeypatch.setattr(module, "Routes", lambda *_: made.routes)
        yield made


def test_a_preview_goes_through_all_three(previews: Previews) -> None:
    """What one answers is JSON that the next reads."""
    asked = {"repository": REPOSITORY, "pull_request": previews.pull()}
    begun = {**NAMED, "started_at": START.isoformat(), "input": asked}
    previews.store.update("p-1", {"preview_status": "STARTING", "started_at": START.isoformat()})
    prepared = json.loads(json.dumps(prepare_preview.handler(begun, CONTEXT)))
    with pytest.raises(PreviewNotReady):
        route_preview.handler({**NAMED, "prepared": prepared}, CONTEXT)
    previews.tasks.launch("p-1")
    previews.routes.healthy.add("p-1")
    route = route_preview.handler({**NAMED, "prepared": prepared}, CONTEXT)
    assert route["url"] == f"http://{prepared['host']}:8000"
    ended = {"Error": "States.Timeout", "Cause": ""}
    verdict = remove_preview.handler({**begun, "prepared": prepared, "ended": ended}, CONTEXT)
    assert verdict == {"status": "SUCCEEDED", "error": "", "sentence": "Its time was up."}


def test_a_refusal_keeps_its_remedy(previews: Previews) -> None:
    """Lambda passes on the text alone, so a remedy of its own is packed into it."""
    asked = {"repository": REPOSITORY, "pull_request": previews.pull()}
    previews.github.write("topic", {"Procfile": ""})
    previews.store.update("p-1", {"preview_status": "STARTING"})
    with pytest.raises(PreviewNotConfigured, match="Nothing says"):
        prepare_preview.handler({**NAMED, "started_at": START.isoformat(), "input": asked}, CONTEXT)


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        ({"detail-type": "Scheduled Event", "detail": {}}, None),
        (
            {
                "detail-type": "Step Functions Execution Status Change",
                "detail": {"executionArn": execution("p-1")},
            },
            execution("p-1"),
        ),
    ],
)
def test_events_sweep(
    previews: Previews, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any], hint: str | None
) -> None:
    """The clock has all looked at, an execution's end the one."""
    assert previews.store.holders() == frozenset()
    seen: list[str | None] = []

    def sweep(*_: Any, hint: str | None, **_more: Any) -> list[str]:
        seen.append(hint)
        return ["p-1"]

    monkeypatch.setattr(remove_preview, "sweep", sweep)
    assert remove_preview.handler(event, CONTEXT) == {"removed": ["p-1"]}
    assert seen == [hint]

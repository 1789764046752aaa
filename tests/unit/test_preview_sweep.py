"""Previews whose executions ended without RemovePreview: nothing of them is left, and it is said."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pullwright.errors import PreviewNotReady, PullwrightError, SessionClosed
from pullwright.github.transport import Response
from pullwright.previewing.services import PreviewServices
from pullwright.previewing.store import FAILED, STARTING
from pullwright.previewing.sweep import sweep
from pullwright.reconciling.executions import ExecutionEnd, Executions
from pullwright.record import DUE_FOR
from pullwright.reporting.event import StateError
from pullwright.table import read_item
from tests.unit.moto_kit import mock_aws
from tests.unit.preview_kit import REMOVING, START, Previews, execution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from pullwright.github.transport import Request


class Machine(Executions):
    """The executions of previews: how each ended; those that are not in here run."""

    def __init__(self, *, is_recent: bool = True, **ends: ExecutionEnd) -> None:
        self.ends = {execution(name.replace("_", "-")): end for name, end in ends.items()}
        self.is_recent = is_recent

    def arn_of(self, session_id: str) -> str:
        """See `Executions`."""
        return execution(session_id)

    def end_of(self, arn: str) -> ExecutionEnd | None:
        """See `Executions`."""
        return self.ends.get(arn)

    def ended_badly_since(self, moment: datetime) -> list[str]:
        """See `Executions`."""
        assert moment < START
        return list(self.ends) if self.is_recent else []


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a repository, a listener and a cluster."""
    with mock_aws():
        yield Previews(tmp_path)


def _swept(previews: Previews, machine: Machine, hint: str | None = None) -> list[str]:
    services = PreviewServices(previews.github.app(), previews.store, REMOVING)
    return sweep(
        *(services, previews.tasks, previews.routes, machine),
        now=START,
        seconds_left=lambda: 100.0,
        hint=hint,
    )


ENDS = [
    (ExecutionEnd(status="ABORTED"), "FAILED", "stopped the preview"),
    (ExecutionEnd(status="ABORTED", error="SessionStopped", cause="By kim."), "FAILED", "By kim"),
    (ExecutionEnd(status="TIMED_OUT"), "SUCCEEDED", "time was up"),
    (ExecutionEnd(status="FAILED", error="InternalError", cause="It broke."), "FAILED", "It broke"),
]


@pytest.mark.parametrize(("end", "status", "said"), ENDS)
@pytest.mark.parametrize("is_hint", [True, False])
def test_what_an_ended_execution_left_is_removed(
    previews: Previews,
    end: ExecutionEnd,
    status: str,
    said: str,
    is_hint: bool,  # noqa: FBT001 - pytest gives arguments by name
) -> None:
    """Rule, group, task, host and slot go, and the comment says why; a second sweep finds nothing."""
    number = previews.pull()
    previews.serve("p-1", number)
    machine = Machine(p_1=end)
    assert _swept(previews, machine, execution("p-1") if is_hint else None) == ["p-1"]
    assert not any((previews.routes.rules, previews.routes.targets, previews.tasks.tasks))
    assert previews.store.holders() == frozenset()
    assert previews.store.read("p-1").preview_status == status
    assert said in previews.comment(number)
    assert _swept(previews, machine) == []


def test_a_group_that_was_made_late_is_removed(previews: Previews) -> None:
    """RoutePreview outlived its execution and registered the task again; another deployment's group stays."""
    number = previews.pull()
    prepared = previews.serve("p-1", number)
    machine = Machine(p_1=ExecutionEnd(status="ABORTED"), theirs=ExecutionEnd())
    assert _swept(previews, machine) == ["p-1"]
    for late in ("p-1", "theirs"):
        previews.routes.admit(prepared.host, previews.routes.register(late, "10.0.0.7", 8080, "/"))
    comment = previews.comment(number)
    assert _swept(previews, machine) == ["p-1"]
    assert set(previews.routes.targets) == {"theirs"}
    assert read_item(previews.store._client, "t", "PREVIEW#theirs") == {}
    assert previews.comment(number) == comment


def test_what_runs_is_left_alone(previews: Previews) -> None:
    """The machine removes it by itself."""
    previews.serve("p-1", previews.pull())
    assert _swept(previews, Machine()) == []
    assert previews.routes.rules


def test_one_that_ended_before_it_had_a_slot_is_told(previews: Previews) -> None:
    """Nothing is silent: the record says which pull request it was for."""
    number = previews.pull()
    previews.store.update(
        "p-1",
        {"preview_status": STARTING, "preview_repository": "octo/widgets", "pull_request": number},
    )
    assert _swept(previews, Machine(p_1=ExecutionEnd(status="ABORTED"))) == ["p-1"]
    assert previews.store.read("p-1").preview_status == FAILED
    assert "stopped the preview" in previews.comment(number)


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_one_without_a_record_is_told(previews: Previews, status: str) -> None:
    """RecordPreview could not write it, so the execution's input says which pull request waits."""
    number = previews.pull()
    asked = json.dumps({"repository": "octo/widgets", "pull_request": number})
    machine = Machine(p_1=ExecutionEnd(status=status, error="DynamoDB.InternalServerError", input=asked))
    assert _swept(previews, machine) == ["p-1"]
    assert "Preview: failed" in previews.comment(number)
    assert previews.store.read("p-1").preview_status == FAILED
    assert _swept(previews, machine) == []


def test_one_without_a_record_whose_input_makes_no_sense_is_closed(previews: Previews) -> None:
    """Nobody knows whom to tell; the record has it. One that went well, or is unknown, gets no record."""
    machine = Machine(
        p_1=ExecutionEnd(status="FAILED", input='{"repository": 7}'), p_2=ExecutionEnd(status="SUCCEEDED")
    )
    assert _swept(previews, machine) == ["p-1"]
    assert previews.store.read("p-1").preview_status == FAILED
    assert previews.store.read("p-2").preview_status == ""
    assert _swept(previews, machine) == []


def test_two_sweeps_at_once_make_one_comment(previews: Previews, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the execution is an event, and the clock's sweep is at it already."""
    number = previews.pull()
    asked = json.dumps({"repository": "octo/widgets", "pull_request": number})
    machine = Machine(p_1=ExecutionEnd(status="ABORTED", input=asked))
    send, others = previews.github.send, []

    def sweep_beside(request: Request) -> Response:
        monkeypatch.setattr(previews.github, "send", send)
        others.append(_swept(previews, machine, execution("p-1")))
        return send(request)

    monkeypatch.setattr(previews.github, "send", sweep_beside)
    assert _swept(previews, machine) == ["p-1"]
    assert others == [[]]
    assert "stopped the preview" in previews.comment(number)


def _stopped_at(previews: Previews, monkeypatch: pytest.MonkeyPatch, method: str) -> Machine:
    """Have p-1 stopped, and all of it removed, when a function is about to ask GitHub for a comment."""
    machine = Machine(p_1=ExecutionEnd(status="ABORTED"))
    send = previews.github.send

    def stop_first(request: Request) -> Response:
        if request.method == method and "/comments" in request.url:
            monkeypatch.setattr(previews.github, "send", send)
            assert _swept(previews, machine, execution("p-1")) == ["p-1"]
        return send(request)

    monkeypatch.setattr(previews.github, "send", stop_first)
    return machine


def test_what_a_late_preparation_took_is_removed(previews: Previews, monkeypatch: pytest.MonkeyPatch) -> None:
    """PreparePreview outlived its execution: slot and host go, and no comment says that it is being built."""
    number = previews.pull()
    machine = _stopped_at(previews, monkeypatch, "GET")
    with pytest.raises(SessionClosed):
        previews.prepare("p-1", number)
    host = previews.store.read("p-1").host
    assert _swept(previews, machine) == ["p-1"]
    assert previews.store.host_holders(host) == frozenset()
    assert previews.store.holders() == frozenset()
    assert "stopped the preview" in previews.comment(number)
    assert _swept(previews, machine) == []


@pytest.mark.parametrize("is_healthy", [True, False])
def test_what_a_late_route_said_is_corrected(
    previews: Previews,
    monkeypatch: pytest.MonkeyPatch,
    is_healthy: bool,  # noqa: FBT001 - pytest gives arguments by name
) -> None:
    """RoutePreview outlived its execution and wrote over the end: the next sweep tells it again."""
    number = previews.pull()
    prepared = previews.prepare("p-1", number)
    previews.tasks.launch("p-1")
    if is_healthy:
        previews.routes.healthy.add("p-1")
    machine = _stopped_at(previews, monkeypatch, "PATCH")
    with contextlib.suppress(PreviewNotReady):
        previews.route("p-1", prepared)
    assert "stopped the preview" not in previews.comment(number)
    assert _swept(previews, machine) == ["p-1"]
    assert "stopped the preview" in previews.comment(number)
    assert previews.routes.targets == {}
    assert _swept(previews, machine) == []


def test_what_is_told_late_does_not_write_over_a_newer_preview(previews: Previews) -> None:
    """GitHub was down when the first one ended; the second has the comment since."""
    number = previews.pull()
    previews.serve("p-1", number)
    previews.github.before.extend([("PATCH", "", Response(502, {}, None))] * 20)
    with pytest.raises(PullwrightError):
        previews.remove("p-1", StateError(Error="ECS.AccessDeniedException"))
    previews.github.before.clear()
    previews.serve("p-2", number, started_at=START + timedelta(minutes=1))
    comment = previews.comment(number)
    machine = Machine(is_recent=False, p_1=ExecutionEnd(status="FAILED", error="ECS.AccessDeniedException"))
    assert _swept(previews, machine) == ["p-1"]
    assert previews.comment(number) == comment
    assert previews.store.untold() == frozenset()


def test_one_that_cannot_be_removed_holds_up_no_other(previews: Previews) -> None:
    """GitHub takes no comment for the first, and the second is removed all the same."""
    numbers = [previews.pull(branch) for branch in ("a", "b")]
    for name, number in zip(("p-1", "p-2"), numbers, strict=True):
        previews.serve(name, number)
    comment = previews.store.read("p-1").comment_id
    broken = ("PATCH", f"/comments/{comment}", Response(502, {}, None))
    previews.github.before.extend([broken] * 20)
    machine = Machine(p_1=ExecutionEnd(status="ABORTED"), p_2=ExecutionEnd(status="ABORTED"))
    assert _swept(previews, machine) == ["p-2"]
    assert previews.routes.rules == {}
    previews.github.before.clear()
    assert _swept(previews, machine) == ["p-1"]


def test_one_that_could_not_be_told_is_told_however_late(previews: Previews) -> None:
    """Its slot is free at once; when GitHub is back after a day, its pull request hears of its end."""
    number = previews.pull()
    previews.serve("p-1", number)
    comment = previews.store.read("p-1").comment_id
    previews.github.before.extend([("PATCH", f"/comments/{comment}", Response(502, {}, None))] * 20)
    with pytest.raises(PullwrightError):
        previews.remove("p-1", StateError(Error="ECS.AccessDeniedException"))
    assert previews.store.holders() == frozenset()
    previews.github.before.clear()
    machine = Machine(is_recent=False, p_1=ExecutionEnd(status="FAILED", error="ECS.AccessDeniedException"))
    assert _swept(previews, machine) == ["p-1"]
    assert "did not start the task" in previews.comment(number)
    # The next sweep looks at nothing any more.
    assert _swept(previews, machine) == []
    assert previews.store.untold() == frozenset()


def test_a_report_that_nobody_takes_is_given_up(previews: Previews) -> None:
    """After as many days as GitHub keeps deliveries the record is closed without it."""
    number = previews.pull()
    previews.serve("p-1", number)
    comment = previews.store.read("p-1").comment_id
    previews.github.before.extend([("PATCH", f"/comments/{comment}", Response(502, {}, None))] * 40)
    fresh = ExecutionEnd(status="ABORTED", stopped_at=START - DUE_FOR)
    assert _swept(previews, Machine(is_recent=False, p_1=fresh)) == []
    late = ExecutionEnd(status="ABORTED", stopped_at=START - DUE_FOR - timedelta(seconds=1))
    assert _swept(previews, Machine(is_recent=False, p_1=late)) == ["p-1"]
    assert previews.store.read("p-1").preview_status == FAILED

"""RoutePreview and RemovePreview: how a preview is shown, renewed and taken away, whatever happens."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright import errors
from pullwright.github.transport import Response
from pullwright.previewing.exits import EXITS, exit_code_of
from pullwright.previewing.route import OVERLAP_SECONDS
from pullwright.previewing.steps import Begun, Step, line_of
from pullwright.previewing.store import SERVING, STARTING
from pullwright.previewing.withdrawal import withdraw
from pullwright.reporting.event import StateError, TaskEnd
from tests.unit.moto_kit import mock_aws
from tests.unit.pipeline_kit import ASKED, REPOSITORY
from tests.unit.preview_kit import LABEL, START, SUFFIX, Previews, execution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright.previewing.models import PreparedPreview

HOST = f"uat-topic.{SUFFIX}"
LATER = START + timedelta(minutes=1)
NAMES = ("a", "b", "c")


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a repository, a listener and a cluster."""
    with mock_aws():
        yield Previews(tmp_path)


def nothing_is_left(previews: Previews) -> bool:
    """Return whether no rule, target, slot, host or task is left."""
    left = (previews.routes.rules, previews.routes.targets, previews.store.holders(), previews.tasks.tasks)
    return not any(left) and not previews.store.host_holders(HOST)


def test_what_it_is_at_is_said_once_and_holds_up_nothing(previews: Previews) -> None:
    """It is looked at every few seconds; a comment that GitHub does not take ends no preview."""
    number = previews.pull()
    prepared = previews.prepare("p-1", number)
    previews.tasks.launch("p-1")
    broken = ("PATCH", f"/comments/{prepared.comment_id}", Response(502, {}, None))
    previews.github.before.extend([broken] * 20)
    for _ in range(2):
        with pytest.raises(errors.PreviewNotReady, match="health"):
            previews.route("p-1", prepared)
        previews.github.before.clear()
    assert "Its task is being started" in previews.comment(number)


def test_a_preview_is_shown_when_it_is_healthy(previews: Previews) -> None:
    """It is asked for until then, first without a task, then with one that does not answer."""
    number = previews.pull()
    prepared = previews.prepare("p-1", number)
    with pytest.raises(errors.PreviewNotReady, match="task"):
        previews.route("p-1", prepared)
    assert "Its task is being started" in previews.comment(number)
    previews.tasks.launch("p-1")
    with pytest.raises(errors.PreviewNotReady, match="health"):
        previews.route("p-1", prepared)
    assert "**Step 1 of 4, clone:**" in previews.comment(number)
    assert "since 12:00:34 UTC, 34 s after it was asked for" in previews.comment(number)
    assert previews.routes.rules == {HOST: {"p-1": 1}}
    assert previews.routes.targets == {"p-1": ("10.0.0.7", 8_080, "/")}
    previews.routes.healthy.add("p-1")
    route = previews.route("p-1", prepared, now=LATER)
    assert (route.url, route.healthy_seconds) == (f"http://{HOST}:8000", 60)
    assert previews.route("p-1", prepared, now=LATER + timedelta(minutes=1)) == route
    assert previews.routes.rules == {HOST: {"p-1": 1}}
    assert previews.store.read("p-1").preview_status == SERVING
    comment = previews.comment(number)
    assert route.url in comment
    assert "until 2026-03-02 12:00 UTC" in comment
    # Nobody's label: one that goes, and a push, mean nothing to it.
    assert "A push does not renew it; it goes when the pull request is closed." in comment


def test_what_a_preview_is_there_for_is_named(previews: Previews) -> None:
    """Whoever set the label reads what takes the preview away."""
    number = previews.pull()
    previews.label(number)
    prepared = previews.prepare("p-1", number, staging=False, **ASKED)
    previews.tasks.launch("p-1")
    previews.routes.healthy.add("p-1")
    previews.route("p-1", prepared, now=LATER)
    assert f"goes when the label `{LABEL}` is removed or the pull request" in previews.comment(number)


def test_one_that_never_answers_ends(previews: Previews) -> None:
    """After `start_timeout` the sentence names path and port, and how long it was waited for."""
    number = previews.pull()
    prepared = previews.prepare("p-1", number)
    previews.tasks.launch("p-1")
    previews.log.messages["p-1"] = [line_of(Begun(Step.START, START)).rstrip()]
    with pytest.raises(errors.PreviewNeverHealthy, match=r"path / on port 8080 .* 600 seconds") as caught:
        previews.route("p-1", prepared, now=START + timedelta(seconds=635))
    cause = json.dumps({"errorMessage": caught.value.sentence, "errorType": "PreviewNeverHealthy"})
    verdict = previews.remove("p-1", StateError(Error="PreviewNeverHealthy", Cause=cause))
    assert (verdict.status, verdict.error) == ("FAILED", "PreviewNeverHealthy")
    assert "start_timeout" in previews.comment(number)
    assert nothing_is_left(previews)


def test_a_push_renews_without_a_gap(previews: Previews) -> None:
    """The older preview is served until the newer one is healthy, then it ends, and says nothing."""
    number = previews.pull()
    previews.serve("p-1", number)
    prepared = previews.prepare("p-2", number, started_at=LATER)
    previews.tasks.launch("p-2", "10.0.0.8")
    with pytest.raises(errors.PreviewNotReady):
        previews.route("p-2", prepared, now=LATER)
    assert previews.routes.rules == {HOST: {"p-1": 1, "p-2": 0}}
    assert previews.tasks.silenced == []
    previews.routes.healthy.add("p-2")
    previews.route("p-2", prepared, now=LATER)
    # Nodes of the load balancer that do not know the change yet still ask the older one.
    assert previews.routes.rules == {HOST: {"p-1": 0, "p-2": 1}}
    assert previews.pauses == [OVERLAP_SECONDS]
    assert previews.tasks.silenced == [execution("p-1")]
    previews.route("p-2", prepared, now=LATER + timedelta(seconds=OVERLAP_SECONDS))
    assert previews.pauses == [OVERLAP_SECONDS, 0]
    shown = previews.comment(number)
    verdict = previews.remove("p-1", StateError(Error="States.TaskFailed", Cause="{}"))
    assert (verdict.status, verdict.error) == ("SUCCEEDED", "")
    assert previews.routes.rules == {HOST: {"p-2": 1}}
    assert previews.comment(number) == shown


def test_one_that_is_taken_away_leaves_the_host_to_the_older_one(previews: Previews) -> None:
    """A newer preview that ends before it has ended the older one gives the requests back."""
    number = previews.pull()
    previews.serve("p-1", number)
    prepared = previews.prepare("p-2", number, started_at=LATER)
    previews.tasks.launch("p-2", "10.0.0.8")
    previews.routes.healthy.add("p-2")

    def pause(_seconds: float) -> NoReturn:
        raise InterruptedError

    previews.pause = pause
    with pytest.raises(InterruptedError):
        previews.route("p-2", prepared, now=LATER)
    previews.remove("p-2", StateError(Error="SessionStopped"))
    assert previews.routes.rules == {HOST: {"p-1": 1}}
    assert previews.store.read("p-1").preview_status == SERVING
    assert not previews.store.read("p-1").withdrawn


@dataclass
class Race:
    """Previews of one pull request that are started together."""

    previews: Previews
    number: int
    began: dict[str, datetime]
    prepared: dict[str, PreparedPreview] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def prepare(self, name: str) -> None:
        """Prepare one, and let its task be healthy."""
        prepared = self.previews.prepare(name, self.number, started_at=self.began[name], limit=len(NAMES))
        self.prepared[name] = prepared
        self.previews.tasks.launch(name)
        self.previews.routes.healthy.add(name)

    def step(self, name: str) -> None:
        """Do what comes next of one, unless it has ended."""
        if name in self.ended:
            return
        try:
            if name in self.prepared:
                self.previews.route(name, self.prepared[name], now=LATER)
            else:
                self.prepare(name)
        except errors.PreviewReplaced as replaced:
            self.end(name, type(replaced).__name__)

    def end(self, name: str, error: str) -> None:
        """Remove one."""
        self.previews.remove(name, StateError(Error=error), now=LATER)
        self.ended.add(name)

    def end_stopped(self) -> None:
        """Remove those whose task was stopped."""
        stopped = {arn.rpartition(":")[2] for arn in self.previews.tasks.silenced}
        for name in stopped - self.ended:
            self.end(name, "States.TaskFailed")


@settings(max_examples=10)
@given(st.permutations(NAMES * 2), st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_of_previews_that_start_together_the_newest_is_served(order: list[str], minutes: list[int]) -> None:
    """Whatever comes first, and also if two were started in the same moment, one has the host in the end."""
    began = {name: START + timedelta(minutes=each) for name, each in zip(NAMES, minutes, strict=True)}
    with mock_aws(), tempfile.TemporaryDirectory() as folder:
        previews = Previews(Path(folder))
        race = Race(previews, previews.pull(), began)
        for name in (*order, *NAMES, *NAMES):
            race.step(name)
        race.end_stopped()
        newest = max(NAMES, key=lambda name: (began[name], name))
        assert previews.routes.rules == {HOST: {newest: 1}}
        assert previews.store.holders() == {newest}
        assert previews.store.host_holders(HOST) == {newest}


def test_a_label_that_goes_at_any_moment_ends_it(previews: Previews) -> None:
    """While it starts, RoutePreview sees it; once it is served, its task is stopped."""
    number = previews.pull()
    prepared = previews.prepare("p-1", number)
    fields = {"error": "LabelRemoved", "cause": "The label uat was removed by kim."}
    assert withdraw(previews.store.read("p-1"), previews.store, previews.tasks, **fields)
    with pytest.raises(errors.LabelRemoved):
        previews.route("p-1", prepared)
    assert previews.remove("p-1", StateError(Error="LabelRemoved", Cause="{}")).status == "SUCCEEDED"
    assert "removed by kim" in previews.comment(number)
    previews.serve("p-2", number, started_at=LATER)
    assert withdraw(previews.store.read("p-2"), previews.store, previews.tasks, **fields)
    assert previews.tasks.silenced[-1] == execution("p-2")
    assert previews.remove("p-2", StateError(Error="States.TaskFailed")).status == "SUCCEEDED"
    assert nothing_is_left(previews)


def test_one_that_is_healthy_too_late_is_not_shown(previews: Previews) -> None:
    """The label went between the look at the record and the task's health."""
    prepared = previews.prepare("p-1", previews.pull())
    previews.tasks.launch("p-1")

    def is_healthy(group: str) -> bool:
        assert group == "p-1"
        return previews.store.withdraw("p-1", error="SessionStopped", cause="The pull request was closed.")

    previews.routes.is_healthy = is_healthy  # type: ignore[method-assign] # the moment in between
    with pytest.raises(errors.SessionStopped):
        previews.route("p-1", prepared)
    assert previews.routes.rules == {HOST: {"p-1": 1}}


ENDS = [
    (StateError(Error="TimeLimit"), None, True, "SUCCEEDED", ""),
    (StateError(Error="TimeLimit"), None, False, "FAILED", "PreviewNeverHealthy"),
    (StateError(Error="States.Timeout"), None, True, "FAILED", "AwsUnavailable"),
    (StateError(Error="Lambda.ServiceException"), None, False, "FAILED", "AwsUnavailable"),
    (StateError(Error="States.TaskFailed"), TaskEnd(ExitCode=22), True, "FAILED", "PreviewServerEnded"),
    *(
        (StateError(Error="States.TaskFailed"), TaskEnd(ExitCode=code), False, "FAILED", type(known).__name__)
        for code, known in EXITS.items()
    ),
    (None, TaskEnd(ExitCode=0), True, "FAILED", "TaskStopped"),
    (StateError(Error="States.TaskFailed"), TaskEnd(ExitCode=99), False, "FAILED", "TaskLost"),
    (
        StateError(Error="States.TaskFailed"),
        TaskEnd(StopCode="UserInitiated", ExitCode=22),
        True,
        "FAILED",
        "PreviewServerEnded",
    ),
    (StateError(Error="States.TaskFailed"), TaskEnd(StopCode="UserInitiated"), True, "FAILED", "TaskStopped"),
    (
        StateError(Error="States.TaskFailed"),
        TaskEnd(StopCode="TaskFailedToStart", StoppedReason="CannotPullContainerError: x"),
        False,
        "FAILED",
        "ImagePullFailed",
    ),
    (
        StateError(Error="States.TaskFailed"),
        TaskEnd(ExitCode=137, Reason="OutOfMemoryError: Container killed"),
        True,
        "FAILED",
        "OutOfMemory",
    ),
    (StateError(Error="ECS.ClientException"), None, False, "FAILED", "TaskNotStarted"),
    (StateError(Error="Lambda.Unknown"), None, False, "FAILED", "InternalError"),
]


@pytest.mark.parametrize(("ended", "task", "was_healthy", "status", "error"), ENDS)
def test_every_end_is_said_and_leaves_nothing(
    previews: Previews,
    ended: StateError | None,
    task: TaskEnd | None,
    was_healthy: bool,  # noqa: FBT001 - pytest gives arguments by name
    status: str,
    error: str,
) -> None:
    """Whatever ends it, the comment and the record say why, also when it is done twice."""
    number = previews.pull()
    prepared = previews.prepare("p-1", number)
    previews.tasks.launch("p-1")
    if was_healthy:
        previews.routes.healthy.add("p-1")
        previews.route("p-1", prepared)
    if task is not None:
        previews.tasks.ends[execution("p-1")] = task
    verdict = previews.remove("p-1", ended)
    assert previews.remove("p-1", ended) == verdict
    assert (verdict.status, verdict.error) == (status, error)
    assert verdict.sentence.rstrip(".") in previews.comment(number).replace("\\", "")
    assert previews.store.read("p-1").preview_status == status
    assert nothing_is_left(previews)


def test_a_task_that_somebody_stopped_while_it_was_built_ends_its_preview(previews: Previews) -> None:
    """It ended well, so that the state machine goes on; nobody waits for its health any more."""
    number = previews.pull()
    prepared = previews.prepare("p-1", number)
    previews.tasks.ends[execution("p-1")] = TaskEnd(StopCode="UserInitiated", ExitCode=0)
    with pytest.raises(errors.TaskLost) as caught:
        previews.route("p-1", prepared)
    cause = json.dumps({"errorMessage": caught.value.sentence, "errorType": "TaskLost"})
    verdict = previews.remove("p-1", StateError(Error="TaskLost", Cause=cause))
    assert (verdict.status, verdict.error) == ("FAILED", "TaskStopped")
    assert "Somebody stopped" in previews.comment(number)


@pytest.mark.parametrize("code", EXITS)
def test_an_exit_code_means_one_thing(code: int) -> None:
    """What the runner ends with is what the verdict reads; no error of the runner's has 0 or 2."""
    not_raised = {0: 143, 2: 1}
    assert exit_code_of(EXITS[code]) == not_raised.get(code, code)


@pytest.mark.parametrize(
    ("plan", "is_launched", "error", "said"),
    [
        ("", False, "TimeLimit", "before it could be prepared"),
        ("{}", False, "TimeLimit", "before its task had started"),
        ("{}", True, "PreviewNeverHealthy", "before it was healthy"),
    ],
)
def test_time_that_is_up_early_is_no_servers_fault(
    previews: Previews,
    plan: str,
    is_launched: bool,  # noqa: FBT001 - pytest gives arguments by name
    error: str,
    said: str,
) -> None:
    """The sentence says how far it had got."""
    number = previews.pull()
    asked = {"preview_status": STARTING, "preview_repository": REPOSITORY, "pull_request": number}
    previews.store.update("p-1", {**asked, "plan": plan})
    if is_launched:
        previews.tasks.launch("p-1")
    assert previews.remove("p-1", StateError(Error="TimeLimit")).error == error
    assert said in previews.comment(number)


def test_what_was_refused_at_the_door_is_said(previews: Previews) -> None:
    """PreparePreview's own error reaches the pull request with its own remedy."""
    number = previews.pull()
    with pytest.raises(errors.NotAllowed) as caught:
        previews.prepare("p-1", number, delivery_id="d-1", requested_by="outsider")
    caught.value.pack()
    cause = json.dumps({"errorMessage": str(caught.value), "errorType": "NotAllowed"})
    assert previews.remove("p-1", StateError(Error="NotAllowed", Cause=cause)).error == "NotAllowed"
    assert "outsider has no write permission" in previews.comment(number)
    assert "add the label" in previews.comment(number)


def test_github_that_fails_is_asked_again_after_all_was_removed(previews: Previews) -> None:
    """Nothing waits for GitHub; the comment is made when it is back."""
    number = previews.pull()
    previews.serve("p-1", number)
    broken = [("PATCH", "", Response(502, {}, None))] * 20
    previews.github.before.extend(broken)
    with pytest.raises(errors.GitHubUnavailable):
        previews.remove("p-1", StateError(Error="TimeLimit"))
    assert nothing_is_left(previews)
    assert previews.store.untold() == {"p-1"}
    previews.github.before.clear()
    assert previews.remove("p-1", StateError(Error="TimeLimit")).status == "SUCCEEDED"
    assert "Its time was up" in previews.comment(number)
    assert previews.store.untold() == frozenset()


def test_the_end_of_its_time_is_told_from_a_function_that_does_not_answer(previews: Previews) -> None:
    """Both are States.Timeout: before its hours are over, nobody is told that its time was up."""
    numbers = [previews.pull(branch) for branch in ("a", "b")]
    prepared = [previews.serve(f"p-{number}", number) for number in numbers]
    ended, end = StateError(Error="States.Timeout"), START + timedelta(seconds=prepared[0].seconds)
    early, late = end - timedelta(seconds=1), end
    assert previews.remove("p-1", ended, prepared=prepared[0], now=early).error == "AwsUnavailable"
    assert "AWS did not do what the preview needed" in previews.comment(numbers[0])
    assert previews.remove("p-2", ended, prepared=prepared[1], now=late).status == "SUCCEEDED"
    assert "Its time was up" in previews.comment(numbers[1])

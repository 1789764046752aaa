"""`pullwright preview`: what is asked of Step Functions, DynamoDB and ECS, and what is refused before."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.model import ServiceModel
from botocore.session import get_session
from botocore.validate import ParamValidator

from pullwright import errors
from pullwright.previewing.screenshots import Screenshot, Screenshots
from pullwright.previewing.store import FAILED, SERVING, STARTING, PreviewStore
from pullwright_cli.aws import Stack
from tests.unit.cli_kit import OUTPUTS, Cloud, States, cloud, matches, run
from tests.unit.reconcile_kit import TABLE
from tests.unit.test_png import PNG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPOSITORY = ("--repo", "octo/widgets")
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:s-preview"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:s-preview:"
TASK = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/"
WITH_PREVIEWS = {**OUTPUTS, "PreviewStateMachineArn": f"{MACHINE}:live"}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class PreviewStates(States):
    """Step Functions with the machine of previews; the newest execution is the last that was added."""

    def get_paginator(self, name: str) -> Any:
        """Return what pages through executions, or a history."""
        return self if name == "list_executions" else super().get_paginator(name)

    def start_execution(self, **call: Any) -> dict[str, Any]:
        """See AWS."""
        super().start_execution(**call)
        return {"executionArn": f"{EXECUTION}{call['name']}"}

    def paginate(self, *, stateMachineArn: str = "", statusFilter: str = "", **more: Any) -> list[Any]:  # noqa: N803 - AWS's names
        """Return executions in pages of two, newest first; or the history of one."""
        if not stateMachineArn:
            return [self.get_execution_history(**more)]
        assert stateMachineArn == MACHINE
        every = [
            {"executionArn": f"{EXECUTION}{name}", "status": status}
            for name, (status, _) in reversed(self.executions.items())
            if statusFilter in ("", status)
        ]
        return [{"executions": every[at : at + 2]} for at in range(0, len(every), 2)]

    def get_execution_history(self, *, executionArn: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Return a history in which a task was started, unless the execution's name says that none was."""
        self.describe_execution(executionArn=executionArn)
        name = executionArn.rpartition(":")[2]
        output = json.dumps({"Tasks": [{"TaskArn": f"{TASK}{name}"}]})
        submitted = {"taskSubmittedEventDetails": {"resourceType": "ecs", "output": output}}
        entered = {"stateEnteredEventDetails": {"name": "RunPreview"}}
        events = [entered] if name.startswith("early") else [entered, submitted]
        return {"events": [{**event, "timestamp": START} for event in events]}


@dataclass
class Containers:
    """ECS, where every task runs; `stopped` are those that were told to stop."""

    stopped: list[str] = field(default_factory=list)

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        """See AWS."""
        assert cluster == OUTPUTS["EcsClusterArn"]
        return {"tasks": [{"taskArn": arn, "lastStatus": "RUNNING"} for arn in tasks]}

    def stop_task(self, *, cluster: str, task: str, reason: str) -> None:
        """See AWS."""
        assert cluster
        assert reason
        self.stopped.append(task)


class Logs:
    """CloudWatch Logs: the task's stream holds what the branch's server wrote, without the preview's id."""

    def get_paginator(self, _name: str) -> Logs:
        """See boto3."""
        return self

    def paginate(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the lines of a group."""
        groups: dict[str, list[Any]] = {
            "/pullwright/s/prepare-preview": [
                {"message": "prepared", "correlation_id": "p7"},
                {"message": "p8"},
            ],
            "/pullwright/s/preview": ["listening on 8080", {"_aws": {}, "served": 1}],
        }
        lines = groups.get(wanted["logGroupName"], [])
        if wanted["logGroupName"].endswith("/preview"):
            assert wanted["logStreamNames"] == ["preview/preview/p7"]
            assert "filterPattern" not in wanted
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        at = int(START.timestamp() * 1000)
        return [
            {
                "events": [
                    {"timestamp": at + place, "message": text, "logStreamName": "a", "eventId": str(place)}
                    for place, text in enumerate(texts)
                ]
            }
        ]


@dataclass
class World:
    """A stack with previews."""

    cloud: Cloud
    store: PreviewStore
    containers: Containers = field(default_factory=Containers)

    def preview(self, name: str, execution: str = "RUNNING", **fields: Any) -> None:
        """Add a preview of a pull request; without a status it has no record."""
        self.cloud.states.executions[name] = (execution, "{}")
        usual = {
            "execution_arn": f"{EXECUTION}{name}",
            "preview_repository": "octo/widgets",
            "pull_request": 7,
            "started_at": START.isoformat(),
        }
        if "preview_status" in fields:
            self.store.update(name, {**usual, **fields})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """Provide a stack that was deployed with previews, and stand in a folder without a checkout."""
    monkeypatch.chdir(tmp_path)
    with cloud() as made:
        made.states = PreviewStates()
        world = World(made, PreviewStore(made.dynamodb, TABLE))
        clients = {"ecs": world.containers, "logs": Logs()}
        monkeypatch.setattr(Stack, "client", lambda _, name: clients.get(name) or made.client(name))
        monkeypatch.setattr(Stack, "outputs", WITH_PREVIEWS)
        monkeypatch.setattr(Stack, "session", boto3.Session(region_name="eu-central-1"))
        yield world


def printed(capsys: pytest.CaptureFixture[str], name: str, *arguments: str) -> dict[str, Any]:
    """Return what a command prints, which has the form of its schema."""
    assert run("preview", *arguments) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert matches(name, document)
    return document


def call_of(line: str, service: str) -> dict[str, Any]:
    """Return the arguments of a line of the AWS CLI, as AWS's own model names and forms them."""
    words = shlex.split(line)
    assert words[:2] == ["aws", service]
    model = ServiceModel(get_session().get_component("data_loader").load_service_model(service, "service-2"))
    operation = model.operation_model("".join(map(str.capitalize, words[2].split("-"))))
    shape = operation.input_shape
    assert shape is not None
    names = {name.lower(): name for name in shape.members}
    call = {}
    for option, value in zip(words[3::2], words[4::2], strict=True):
        name = names[option.replace("-", "").lower()]
        call[name] = value if shape.members[name].type_name == "string" else json.loads(value)
    assert not ParamValidator().validate(call, shape).has_errors()
    return call


def test_a_preview_is_started_as_its_dry_run_says(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run prints the call and the same for a shell; the word start may be left out."""
    words = ("7", "--staging", "--hours", "2", *REPOSITORY)
    planned = printed(capsys, "PreviewStartPlan", *words, "--dry-run")
    wanted = {"repository": "octo/widgets", "pull_request": 7, "staging": True, "hours": 2}
    assert json.loads(planned["request"]["input"]) == wanted
    assert call_of(planned["command"], "stepfunctions") == planned["request"]
    assert world.cloud.states.calls == []
    started = printed(capsys, "PreviewStarted", "start", *words, "--json")
    [(_, call)] = world.cloud.states.calls
    assert json.loads(call["input"]) == wanted
    assert (call["stateMachineArn"], call["name"]) == (f"{MACHINE}:live", started["preview"])
    assert started["preview"].startswith("preview-7-")
    assert run("preview", *words) == 0
    assert "pullwright preview logs preview-7-" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["7", "list", "logs 7", "screenshots 7", "remove 7", "7 --dry-run"])
def test_a_stack_without_previews_names_the_parameter(
    command: str, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command says what is missing, and ends with a code of its own."""
    monkeypatch.setattr(Stack, "outputs", OUTPUTS)
    repository = () if command == "list" else REPOSITORY
    code = run("preview", *command.split(), *repository, "--stack-name", "mine")
    assert code == errors.PreviewsNotDeployed.exit_code
    assert "The stack mine has no previews: its parameters AlbListenerArn," in capsys.readouterr().err
    assert world.cloud.states.calls == []


def test_previews_are_listed_by_their_executions(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first; one whose execution ended before its record was closed is not shown as served."""
    world.preview("bare")
    world.preview("dead", "ABORTED", preview_status=SERVING)
    world.preview("over", "FAILED", preview_status=FAILED, error="PreviewBuildFailed", pull_request=8)
    world.preview("said", "FAILED", preview_status=FAILED, error="NoCapacity", sentence="No slot is free.")
    world.preview("p7", preview_status=SERVING, url="http://topic.preview.localhost", commit="a" * 40)
    found = printed(capsys, "PreviewList", "list", "--json")["previews"]
    assert [(it["preview"], it["status"]) for it in found] == [
        ("p7", "SERVING"),
        ("said", "FAILED"),
        ("over", "FAILED"),
        ("dead", "ABORTED"),
        ("bare", "RUNNING"),
    ]
    assert found[0]["url"] == "http://topic.preview.localhost"
    running = printed(capsys, "PreviewList", "list", "--running", "--limit", "1", "--json")["previews"]
    assert [it["preview"] for it in running] == ["p7"]
    assert run("preview", "list") == 0
    seen = capsys.readouterr().out
    assert "PreviewBuildFailed" in seen
    # What is to be read is a sentence, where there is one.
    assert "No slot is free." in seen
    assert run("preview", "list", "--repo", "octo/other") == 0
    assert "No preview of" in capsys.readouterr().out


def test_the_newest_preview_of_a_pull_request_is_removed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its record says why and its task is told to stop, by the two calls that a dry run prints."""
    world.preview("older", preview_status=SERVING)
    world.preview("p7", preview_status=SERVING)
    planned = printed(capsys, "PreviewsRemoved", "remove", "7", *REPOSITORY, "--dry-run", "--json")
    update, stop = planned["commands"]
    assert planned["removed"] == world.containers.stopped == []
    assert call_of(stop, "ecs")["task"] == f"{TASK}p7"
    assert printed(capsys, "PreviewsRemoved", "remove", "7", *REPOSITORY, "--json")["removed"] == ["p7"]
    assert world.store.read("p7").withdrawn == "SessionStopped"
    assert world.store.read("older").withdrawn == ""
    assert world.containers.stopped == [f"{TASK}p7"]
    world.preview("by-hand", preview_status=STARTING)
    world.cloud.dynamodb.update_item(**call_of(update.replace("#p7", "#by-hand"), "dynamodb"))
    assert world.store.read("by-hand").withdrawn_cause == world.store.read("p7").withdrawn_cause
    assert run("preview", "remove", "p7") == 0
    assert "p7 ends" in capsys.readouterr().out


def test_a_newer_preview_that_was_refused_hides_none_that_is_served(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a pull request, what runs is removed; where nothing runs, the answer is of the newest."""
    world.preview("p7", preview_status=SERVING)
    world.preview("refused", "FAILED", preview_status="FAILED")
    assert printed(capsys, "PreviewsRemoved", "remove", "7", *REPOSITORY, "--json")["removed"] == ["p7"]
    world.cloud.states.executions.clear()
    world.preview("refused", "FAILED", preview_status="FAILED")
    assert run("preview", "remove", "7", *REPOSITORY) == 47
    assert "refused has ended" in capsys.readouterr().err


def test_a_preview_without_a_task_is_removed_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Its record alone says so; the machine looks there before it routes anything."""
    world.preview("early", preview_status=STARTING)
    assert run("preview", "remove", f"{EXECUTION}early", "--dry-run") == 0
    assert capsys.readouterr().out.count("aws ") == 1
    assert run("preview", "remove", "early") == 0
    assert world.store.read("early").withdrawn
    assert world.containers.stopped == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("remove", "p7", "over"), 47, "over has ended: its execution is SUCCEEDED"),
        (("remove", "p7", "old"), 47, "old has ended: its execution is forgotten"),
        (("remove", "p7", "nope"), 49, "There is no preview nope"),
        (("remove", "p7", "9", *REPOSITORY), 49, "There is no preview of octo/widgets#9"),
        (("remove", "p7", "fresh"), 47, "fresh has not been recorded yet"),
        (("remove", "7"), 2, "names a repository: say --repo"),
        (("logs", "nope"), 49, "There is no preview nope"),
        (("logs", "p7", "--source", "agent"), 2, "is none of functions, states, preview"),
        (("7", "--hours", "169", *REPOSITORY), 2, "--hours"),
        (("0", *REPOSITORY), 2, "PR"),
        (("lst",), 2, "PR"),
    ],
)
def test_wrong_words_change_nothing(
    words: tuple[str, ...], code: int, text: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is told by its word, before anything of the others is changed."""
    world.preview("fresh")
    world.preview("over", "SUCCEEDED", preview_status="SUCCEEDED")
    world.preview("old", preview_status="SUCCEEDED")
    del world.cloud.states.executions["old"]
    world.preview("p7", preview_status=SERVING)
    assert run("preview", *words) == code
    assert text in capsys.readouterr().err
    assert world.containers.stopped == []
    assert world.store.read("p7").withdrawn == ""


def test_a_previews_logs_are_joined(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Functions by the preview's id, the branch's own server by its task's stream, whatever it writes."""
    world.preview("p7", preview_status=SERVING)
    assert run("preview", "logs", "7", *REPOSITORY, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(matches("LogLine", line) for line in lines)
    seen = [(line["source"], line["part"], line["message"]) for line in lines]
    assert sorted(seen) == [
        ("functions", "prepare-preview", "prepared"),
        ("preview", "task", "listening on 8080"),
        ("preview", "task", '{"_aws": {}, "served": 1}'),
        ("states", "RunPreview", "entered"),
    ]
    world.preview("early", preview_status=STARTING)
    assert run("preview", "logs", "early", "--source", "preview") == 0
    assert capsys.readouterr().out == ""


def test_screenshots_are_saved(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each picture has a file, and a page without one its reason; without a list there is nothing to do."""
    world.preview("p7", preview_status=FAILED)
    words = ("screenshots", "7", *REPOSITORY, "--output", str(tmp_path))
    assert run("preview", *words) == errors.NothingToDo.exit_code
    assert "There are no screenshots of p7" in capsys.readouterr().err
    kept = Screenshots(world.cloud.s3, OUTPUTS["ArtifactsBucket"])
    kept.keep("p7", 1, PNG)
    kept.finish("p7", (Screenshot(path="/"), Screenshot(path="/login", problem="the page took too long")))
    found = printed(capsys, "PreviewScreenshots", *words, "--json")
    place = tmp_path / "p7" / "1.png"
    assert place.read_bytes() == PNG
    assert found["screenshots"] == [
        {"path": "/", "saved": str(place), "problem": None},
        {"path": "/login", "saved": None, "problem": "the page took too long"},
    ]
    assert run("preview", *words) == 0
    assert f"/  {place}" in capsys.readouterr().out

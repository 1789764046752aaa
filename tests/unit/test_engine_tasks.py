"""The engine's ECS, as far as it is plain functions."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import pytest

from pullwright_engine.ecs import shapes, users
from pullwright_engine.ecs.metadata import task_metadata
from pullwright_engine.settings import Settings, parse

CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/c"
DEFINITION: dict[str, Any] = {
    "taskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/agent:3",
    "family": "agent",
    "cpu": "1024",
    "memory": "4096",
    "runtimePlatform": {"cpuArchitecture": "ARM64"},
    "tags": [{"key": "team", "value": "a"}, {"key": "stage", "value": "b"}],
    "containerDefinitions": [
        {
            "name": "runner",
            "image": "repo:latest",
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/g"}},
        }
    ],
}
SETTINGS: dict[str, Any] = {
    "children_dir": "/c",
    "tasks_dir": "/t",
    "log_dir": "/l",
    "images": {"*.dkr.ecr.*/*:latest": {"command": ["run"]}},
    "task_path": "/bin",
    "function_python": "/py",
}


def _task(**request: Any) -> dict[str, Any]:
    return shapes.new_task(request, DEFINITION, CLUSTER)


def test_a_new_task_has_the_shape_of_the_api() -> None:
    """Sizes, group, architecture and one container come from the definition."""
    task = _task(startedBy="me")
    assert task["taskArn"].startswith("arn:aws:ecs:us-east-1:000000000000:task/c/")
    assert (task["group"], task["cpu"], task["memory"]) == ("family:agent", "1024", "4096")
    assert task["attributes"] == [{"name": "ecs.cpu-architecture", "value": "arm64"}]
    assert task["containers"][0]["name"] == "runner"
    assert task["containers"][0]["containerArn"].startswith(task["taskArn"].replace(":task/", ":container/"))


def test_each_task_has_an_address_of_its_own() -> None:
    """Interface, container and metadata name one loopback address, which no other task has."""
    first = _task()
    address = shapes.address_of(first)
    assert ip_address(address) in shapes.NETWORK
    details = {entry["name"]: entry["value"] for entry in first["attachments"][0]["details"]}
    assert details["privateIPv4Address"] == address
    [shown] = task_metadata(first, DEFINITION, {})["Containers"]
    assert shown["Networks"] == [{"NetworkMode": "awsvpc", "IPv4Addresses": [address]}]


def test_an_address_that_is_taken_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks of which chance would make neighbours do not share an address."""
    monkeypatch.setattr("uuid.uuid4", lambda: UUID(int=2**22 - 1, version=4))
    first = _task()
    second = shapes.new_task({}, DEFINITION, CLUSTER, [first])
    third = shapes.new_task({}, DEFINITION, CLUSTER, [first, second])
    assert len({shapes.address_of(task) for task in (first, second, third)}) == 3


def test_tags_of_the_definition_are_taken_over_when_asked_for() -> None:
    """A tag of the request wins over one of the definition, and answers show tags on demand only."""
    task = _task(tags=[{"key": "team", "value": "mine"}], propagateTags="TASK_DEFINITION")
    assert task["tags"] == [{"key": "team", "value": "mine"}, {"key": "stage", "value": "b"}]
    assert shapes.view(task, None)["tags"] == []
    assert shapes.view(task, ["TAGS"])["tags"] == task["tags"]


def test_an_answer_does_not_change_with_the_task() -> None:
    """What was answered is a copy."""
    task = _task()
    shown = shapes.view(task, None)
    task["containers"][0]["lastStatus"] = "STOPPED"
    assert shown["containers"][0]["lastStatus"] == "PENDING"


@pytest.mark.parametrize(
    ("request_", "selected"),
    [
        ({}, True),
        ({"family": "agent"}, True),
        ({"family": "other"}, False),
        ({"startedBy": "me"}, True),
        ({"startedBy": "you"}, False),
        ({"desiredStatus": "STOPPED"}, False),
    ],
)
def test_list_tasks_selects(request_: dict[str, str], *, selected: bool) -> None:
    """Each filter of ListTasks narrows the list."""
    assert shapes.selects(_task(startedBy="me"), request_) is selected


def test_a_signal_becomes_the_exit_code_that_containers_have() -> None:
    """SIGKILL is 137, SIGTERM 143, and an exit code stays one."""
    assert [shapes.exit_code(code) for code in (-9, -15, 0, 3)] == [137, 143, 0, 3]


def test_metadata_names_the_task_and_its_log_stream() -> None:
    """The endpoint's spelling is its own."""
    shown = task_metadata(_task(), DEFINITION, {"runner": "agent/runner/1"})
    assert (shown["Family"], shown["Revision"], shown["Limits"]) == (
        "agent",
        "3",
        {"CPU": 1.0, "Memory": 4096},
    )
    assert shown["Containers"][0]["LogOptions"]["awslogs-stream"] == "agent/runner/1"


def test_settings_know_images_by_pattern() -> None:
    """An image that no pattern matches does not exist."""
    settings = parse(SETTINGS)
    assert isinstance(settings, Settings)
    image = settings.image("000000000000.dkr.ecr.us-east-1.amazonaws.com/agent:latest")
    assert image is not None
    assert image.command == ("run",)
    assert settings.image("000000000000.dkr.ecr.us-east-1.amazonaws.com/agent:other") is None


def test_settings_refuse_what_they_do_not_know() -> None:
    """A misspelt key is an error and not a default."""
    with pytest.raises(TypeError):
        parse({**SETTINGS, "task_pth": "/bin"})


def test_the_engine_package_needs_no_localstack_for_this() -> None:
    """What is tested here runs where LocalStack is not installed."""
    assert "localstack" not in sys.modules


def test_each_running_task_has_a_user_of_its_own() -> None:
    """Tasks that live at the same time never share a user id, and a task keeps its own, for checks too."""
    tasks = [f"task-{number}" for number in range(50)]
    taken = [users.take(task) for task in tasks]
    assert len(set(taken)) == len(tasks)
    assert all(users.FIRST <= uid < users.FIRST + users.COUNT for uid in taken)
    assert [users.take(task) for task in tasks] == taken
    assert len({*taken, *map(users.of_checks, taken)}) == 2 * len(tasks)
    for task in tasks:
        users.give_back(task)

"""What Step Functions does with a task of ECS and a function in the branches of one Parallel state."""

import json
from typing import Any

import pytest

from pullwright_engine.faults import TIME_OUT, write_orders
from tests.integration.engine.kit import AWSVPC, Engine, wait

ROLE = "arn:aws:iam::000000000000:role/x"


def _definition(engine: Engine) -> dict[str, Any]:
    container = {"Name": "main", "Command": ["{% $states.input.command %}"]}
    run = {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Arguments": {
            "Cluster": engine.outputs["Cluster"],
            "TaskDefinition": "engine-task",
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {"Subnets": AWSVPC["awsvpcConfiguration"]["subnets"]}
            },
            "Overrides": {"ContainerOverrides": [container]},
        },
        "TimeoutSeconds": "{% $states.input.seconds %}",
        "Output": "{% $states.result.Containers[0].ExitCode %}",
        "End": True,
    }
    route = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": engine.outputs["Behave"], "Payload": "{% $states.input.route %}"},
        "Retry": [{"ErrorEquals": ["NotReady"], "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 5}],
        "TimeoutSeconds": 20,
        "Output": "{% $outer & ' routed' %}",
        "End": True,
    }
    serve = {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Run", "States": {"Run": run}},
            {"StartAt": "Route", "States": {"Route": route}},
        ],
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Output": "{% {'error': $states.errorOutput.Error, 'cause': $states.errorOutput.Cause} %}",
                "Next": "Remove",
            }
        ],
        "Next": "Remove",
    }
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Keep",
        "TimeoutSeconds": 60,
        "States": {
            "Keep": {
                "Type": "Pass",
                "Assign": {"outer": "kept"},
                "Output": "{% $states.input %}",
                "Next": "Serve",
            },
            "Serve": serve,
            "Remove": {
                "Type": "Pass",
                "Output": "{% {'outcome': $states.input, 'outer': $outer} %}",
                "Next": "Done",
            },
            "Done": {"Type": "Succeed"},
        },
    }


@pytest.fixture(scope="module")
def machine(engine: Engine) -> str:
    """Return the ARN of a machine with the Parallel state."""
    made = engine.client("stepfunctions").create_state_machine(
        name="serving", definition=json.dumps(_definition(engine)), roleArn=ROLE
    )
    arn: str = made["stateMachineArn"]
    return arn


def _begin(engine: Engine, machine: str, command: str, route: dict[str, Any], seconds: int = 30) -> str:
    request = {"command": command, "route": route, "seconds": seconds}
    started = engine.client("stepfunctions").start_execution(
        stateMachineArn=machine, input=json.dumps(request)
    )
    arn: str = started["executionArn"]
    return arn


def _ended(engine: Engine, execution: str) -> dict[str, Any]:
    states = engine.client("stepfunctions")
    wait(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING", 30)
    described: dict[str, Any] = states.describe_execution(executionArn=execution)
    return described


def _outcome(engine: Engine, execution: str) -> Any:
    described = _ended(engine, execution)
    assert described["status"] == "SUCCEEDED", described
    output = json.loads(described["output"])
    assert output["outer"] == "kept"
    return output["outcome"]


def _tasks(engine: Engine, execution: str) -> list[str]:
    """Return the tasks that an execution has started, as its history names them."""
    history = engine.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    return [
        json.loads(event["taskSubmittedEventDetails"]["output"])["Tasks"][0]["TaskArn"]
        for event in history
        if event["type"] == "TaskSubmitted"
        and event["taskSubmittedEventDetails"]["resource"] == "runTask.sync"
    ]


def test_both_branches_end(engine: Engine, machine: str) -> None:
    """The results stand in the order of the branches, and each sees what was assigned before."""
    execution = _begin(engine, machine, "sleep 1; exit 0", {})
    assert _outcome(engine, execution) == [0, "kept routed"]


def test_the_history_names_the_task_while_it_runs(engine: Engine, machine: str) -> None:
    """The other branch can find the task of its own execution."""
    execution = _begin(engine, machine, "sleep 3", {})
    wait(lambda: bool(_tasks(engine, execution)), 10)
    assert engine.task(_tasks(engine, execution)[0])["lastStatus"] != "STOPPED"
    _outcome(engine, execution)


def test_a_task_that_is_killed_ends_the_state_and_is_caught(engine: Engine, machine: str) -> None:
    """The error is the task's, though the other branch has long succeeded."""
    execution = _begin(engine, machine, "sleep 60", {})
    wait(lambda: bool(_tasks(engine, execution)), 10)
    [task] = _tasks(engine, execution)
    wait(lambda: engine.task(task)["lastStatus"] == "RUNNING", 10)
    engine.client("ecs").stop_task(cluster=engine.outputs["Cluster"], task=task, reason="gone")
    outcome = _outcome(engine, execution)
    assert outcome["error"] == "States.TaskFailed"
    assert json.loads(outcome["cause"])["StoppedReason"] == "gone"


def test_a_function_that_fails_stops_the_task(engine: Engine, machine: str) -> None:
    """No branch goes on when another one has failed."""
    execution = _begin(engine, machine, "sleep 60", {"sleep": 2, "raise": "no"})
    outcome = _outcome(engine, execution)
    assert outcome["error"] == "ValueError"
    [task] = _tasks(engine, execution)
    assert engine.ended_task(task, 10)["stoppedReason"] == "Stopped by AWS Step Functions"


def test_a_branch_that_takes_too_long_is_stopped(engine: Engine, machine: str) -> None:
    """The time limit of the task's state ends the task, and the error says so."""
    execution = _begin(engine, machine, "sleep 60", {}, seconds=2)
    assert _outcome(engine, execution)["error"] == "States.Timeout"
    [task] = _tasks(engine, execution)
    assert engine.ended_task(task, 10)["stopCode"] == "UserInitiated"


def test_an_execution_that_is_stopped_stops_both_branches(engine: Engine, machine: str) -> None:
    """StopExecution ends the task, and the execution is aborted with its cause."""
    execution = _begin(engine, machine, "sleep 60", {})
    wait(lambda: bool(_tasks(engine, execution)), 10)
    engine.client("stepfunctions").stop_execution(
        executionArn=execution, error="Withdrawn", cause="Label off."
    )
    described = _ended(engine, execution)
    assert (described["status"], described["error"], described["cause"]) == (
        "ABORTED",
        "Withdrawn",
        "Label off.",
    )
    [task] = _tasks(engine, execution)
    engine.ended_task(task, 10)


def test_a_machine_that_takes_too_long_stops_both_branches(engine: Engine) -> None:
    """The machine's own time limit skips every Catch and ends the task too."""
    definition = _definition(engine) | {"TimeoutSeconds": 3}
    made = engine.client("stepfunctions").create_state_machine(
        name="serving-briefly", definition=json.dumps(definition), roleArn=ROLE
    )
    execution = _begin(engine, made["stateMachineArn"], "sleep 60", {})
    assert _ended(engine, execution)["status"] == "TIMED_OUT"
    [task] = _tasks(engine, execution)
    engine.ended_task(task, 10)


def test_time_is_up_when_it_is_ordered(engine: Engine, machine: str) -> None:
    """One execution ends as its machine's own limit would end it, and no other."""
    file = engine.emulator.layout.engine / "faults.json"
    # An execution looks for orders if there is a file of them when it begins.
    write_orders(file, [])
    try:
        execution, other = (
            _begin(engine, machine, command, {}) for command in ("sleep 60", "sleep 1; exit 0")
        )
        wait(lambda: bool(_tasks(engine, execution)), 10)
        write_orders(file, [{"id": "up", "what": TIME_OUT, "contains": [execution]}])
        assert _ended(engine, execution)["status"] == "TIMED_OUT"
        assert _outcome(engine, other) == [0, "kept routed"]
    finally:
        file.unlink()
    [task] = _tasks(engine, execution)
    engine.ended_task(task, 10)

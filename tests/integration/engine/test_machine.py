"""What Step Functions does with tasks and expressions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from pullwright_engine.ecs.shapes import QUOTA_REACHED
from pullwright_engine.faults import LOSE_ANSWER, REFUSE_CALL, write_orders
from tests.integration.engine.kit import Engine, full_quota, wait


def test_sync_waits_for_the_task_and_any_text_survives(engine: Engine) -> None:
    """A task that exits with 0 is a success, and quotation marks in a variable stay text."""
    text = 'He said "no" \\ {% $boom %} \u2028 ü'
    execution = engine.execute(command="exit 0", text=text)
    output = json.loads(execution["output"])
    assert output == {"ExitCode": 0, "StartedBy": "AWS Step Functions", "text": text}


def test_sync_fails_with_the_task_and_is_retried_as_a_new_one(engine: Engine) -> None:
    """A non-zero exit is States.TaskFailed with the task as its cause, each attempt a task of its own."""
    execution = engine.execute(command="exit 7")
    output = json.loads(execution["output"])
    assert output["Error"] == "States.TaskFailed"
    cause = json.loads(output["Cause"])
    assert cause["Containers"][0]["ExitCode"] == 7
    assert cause["StopCode"] == "EssentialContainerExited"
    history = engine.client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])
    submitted = [
        json.loads(event["taskSubmittedEventDetails"]["output"])["Tasks"][0]["TaskArn"]
        for event in history["events"]
        if event["type"] == "TaskSubmitted"
    ]
    assert len(set(submitted)) == 2


def test_sync_says_when_a_task_did_not_start(engine: Engine) -> None:
    """A task whose image cannot be pulled fails the state, and the cause says so."""
    output = json.loads(engine.execute(command="true", family="engine-unpullable")["output"])
    assert output["Error"] == "States.TaskFailed"
    assert json.loads(output["Cause"])["StopCode"] == "TaskFailedToStart"


def test_sync_fails_when_the_quota_has_no_room(engine: Engine) -> None:
    """RunTask's `failures` become AmazonECS.Unknown, with the answer as its cause.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
    """
    with full_quota(engine):
        output = json.loads(engine.execute(command="true")["output"])
    assert output["Error"] == "AmazonECS.Unknown"
    assert json.loads(output["Cause"])["Failures"] == [{"Reason": QUOTA_REACHED}]


def test_a_poll_that_ecs_does_not_answer_is_asked_again(engine: Engine) -> None:
    """Step Functions goes on asking how a task is; only RunTask itself is the state's to retry."""
    calls = engine.emulator.layout.logs / "aws-calls.jsonl"
    refused = _polls(calls, HTTPStatus.INTERNAL_SERVER_ERROR)
    with _ordered(engine, REFUSE_CALL, "DescribeTasks", times=8):
        output = json.loads(engine.execute(command="sleep 1", text="done")["output"])
    assert output == {"ExitCode": 0, "StartedBy": "AWS Step Functions", "text": "done"}
    assert _polls(calls, HTTPStatus.INTERNAL_SERVER_ERROR) - refused == 8


def test_a_task_is_asked_about_once_when_it_has_ended(engine: Engine) -> None:
    """However long a task takes, Step Functions hears of its end and does not ask meanwhile.

    It has a rule of its own for that: https://docs.aws.amazon.com/step-functions/latest/dg/ecs-iam.html
    """
    calls = engine.emulator.layout.logs / "aws-calls.jsonl"
    before = _polls(calls, HTTPStatus.OK)
    assert json.loads(engine.execute(command="sleep 2", text="done")["output"])["ExitCode"] == 0
    assert _polls(calls, HTTPStatus.OK) - before == 1


def test_a_call_whose_answer_is_lost_can_be_told_from_one_that_was_refused(engine: Engine) -> None:
    """RunTask was made; the error says that nobody knows, and is the state's to retry."""
    with _ordered(engine, LOSE_ANSWER, "RunTask", times=9):
        output = json.loads(engine.execute(command="sleep 5")["output"])
    assert output["Error"] == "ECS.SdkClientException"
    assert _running(engine)
    wait(lambda: not _running(engine), 10)


@contextmanager
def _ordered(engine: Engine, what: str, operation: str, times: int) -> Iterator[None]:
    """Call of an operation fail meanwhile."""
    orders = engine.emulator.layout.engine / "faults.json"
    order = {"id": operation, "what": what, "contains": [operation], "times": times}
    write_orders(orders, [order])
    try:
        yield
    finally:
        orders.unlink()


def _polls(calls: Path, status: HTTPStatus) -> int:
    """Return how often Step Functions has asked about tasks, by what it was answered."""
    text = calls.read_text(encoding="utf-8") if calls.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    return sum((line["operation"], line["status"]) == ("DescribeTasks", status) for line in lines)


def test_a_state_that_times_out_stops_its_task(engine: Engine) -> None:
    """States.Timeout does not leave the task running."""
    output = json.loads(engine.execute(command="sleep 60", seconds=2)["output"])
    assert output["Error"] == "States.Timeout"
    wait(lambda: not _running(engine), 10)


def test_an_execution_that_is_stopped_stops_its_task(engine: Engine) -> None:
    """StopExecution does not leave the task running."""
    states = engine.client("stepfunctions")
    given = json.dumps({"command": "sleep 60", "seconds": 60, "text": ""})
    arn = states.start_execution(stateMachineArn=engine.outputs["Machine"], input=given)["executionArn"]
    wait(lambda: bool(_running(engine)), 10)
    states.stop_execution(executionArn=arn, error="Stopped")
    wait(lambda: not _running(engine), 10)
    assert states.describe_execution(executionArn=arn)["status"] == "ABORTED"


def test_an_execution_that_is_stopped_between_two_states_is_aborted(engine: Engine) -> None:
    """StopExecution has the last word, also where the machine is just about to go on."""
    states = engine.client("stepfunctions")
    steps = {"Tick": {"Type": "Pass", "Next": "Tock"}, "Tock": {"Type": "Pass", "Next": "Tick"}}
    machine = states.create_state_machine(
        name="clock",
        definition=json.dumps({"StartAt": "Tick", "States": steps}),
        roleArn="arn:aws:iam::000000000000:role/x",
    )["stateMachineArn"]
    started = [states.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(3)]
    for arn in started:
        states.stop_execution(executionArn=arn, cause="Enough.")
    running = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
    wait(lambda: not states.list_executions(**running)["executions"], 10)
    for arn in started:
        told = states.describe_execution(executionArn=arn)
        assert (told["status"], told["cause"]) == ("ABORTED", "Enough.")


def _running(engine: Engine) -> list[str]:
    arns: list[str] = engine.client("ecs").list_tasks(cluster=engine.outputs["Cluster"])["taskArns"]
    return arns


ROLE = "arn:aws:iam::000000000000:role/x"
NOTES = {"none": None, "list": [None, {"deep": None}], "quoted": 'say "no"', "empty": [], "one": [5]}
EXPRESSIONS: dict[str, Any] = {
    "$states.input.none": None,
    "$type($states.input.list[0])": "null",
    "$states.input.list": NOTES["list"],
    "[$states.input.quoted, $notes.quoted]": [NOTES["quoted"], NOTES["quoted"]],
    "{'nothing': $nothing, 'empty': $notes.empty}": {"nothing": None, "empty": []},
    "$type($nothing)": "null",
    "$exists($nothing)": True,
    "$notes.one": [5],
    "($sum := function($a, $b){$a + $b}; $sum(1, 2))": 3,
    "$map([1, 2], function($n){$n * 2})": [2, 4],
    "[$range(1, 5, 2)]": [1, 3, 5],
    "$parse('{\"a\": 1}').a": 1,
    "$length($uuid()) > 30": True,
}
"""What AWS makes of them, by https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html"""


def _run(engine: Engine, name: str, steps: dict[str, Any], given: Any) -> dict[str, Any]:
    states = engine.client("stepfunctions")
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(steps)), "States": steps}
    made = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    arn = states.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(given))[
        "executionArn"
    ]
    wait(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING", 10)
    told: dict[str, Any] = states.describe_execution(executionArn=arn)
    return told


def test_expressions_have_the_values_that_aws_gives_them(engine: Engine) -> None:
    """Nulls, quotation marks and Step Functions' own functions, in the input as in variables, and twice."""
    output = {f"e{number}": f"{{% {text} %}}" for number, text in enumerate(EXPRESSIONS)}
    keep = {"Type": "Pass", "Assign": {"notes": "{% $states.input %}", "nothing": None}, "Next": "Ask"}
    told = _run(
        engine, "values", {"Keep": keep, "Ask": {"Type": "Pass", "Output": output, "End": True}}, NOTES
    )
    assert told["status"] == "SUCCEEDED", told
    assert list(json.loads(told["output"]).values()) == list(EXPRESSIONS.values())
    again = {"Type": "Pass", "Output": "{% $states.input.none %}", "End": True}
    assert json.loads(_run(engine, "again", {"Ask": again}, {"none": [1]})["output"]) == [1]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("$number('x')", "threw an error"),
        ("$states.input.absent", "returned nothing (undefined)"),
        ("$string", "returned an unsupported result type"),
        ("1 +", "threw an error"),
    ],
)
def test_an_expression_without_a_value_fails_as_in_aws(engine: Engine, expression: str, why: str) -> None:
    """It is States.QueryEvaluationError, and the cause says which expression and why."""
    step = {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}
    told = _run(engine, f"bad-{abs(hash(expression))}", {"Ask": step}, {})
    assert told["error"] == "States.QueryEvaluationError"
    assert expression in told["cause"]
    assert why in told["cause"]

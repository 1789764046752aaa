"""What Step Functions does with tasks and expressions."""

import json

from tests.integration.engine.kit import Engine, wait


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


def test_a_failed_expression_has_the_name_that_aws_gives_it(engine: Engine) -> None:
    """JSONata that cannot be evaluated is States.QueryEvaluationError."""
    execution = engine.execute(command="true", seconds={"not": "a number"}, text=None)
    states = engine.client("stepfunctions")
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Sum",
        "States": {"Sum": {"Type": "Pass", "Output": "{% $number('x') %}", "End": True}},
    }
    arn = states.create_state_machine(
        name="sum", definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/x"
    )["stateMachineArn"]
    started = states.start_execution(stateMachineArn=arn)["executionArn"]
    wait(lambda: states.describe_execution(executionArn=started)["status"] != "RUNNING", 10)
    assert states.describe_execution(executionArn=started)["error"] == "States.QueryEvaluationError"
    assert execution["status"] != "RUNNING"

"""The local engine itself: a real LocalStack with our plugin, and a small app that `sam deploy` put there."""

import base64
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.emulator import Emulator
from local.layout import Layout
from local.sam import Sam, client
from local.supervise import Known, children, end, free_port
from pullwright_engine.processes import started_at

APP = Path(__file__).parent / "engine_app"
AWSVPC = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
SHOW_CREDENTIALS = (
    "import json, os, urllib.request as u;"
    "get = lambda a: json.load(u.urlopen(a));"
    "print(json.dumps({'credentials': get(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI']),"
    " 'task': get(os.environ['ECS_CONTAINER_METADATA_URI_V4'] + '/task')}))"
)


class Engine:
    """A running engine with the test's app in it."""

    def __init__(self, emulator: Emulator, known: Known, outputs: dict[str, str]) -> None:
        self.emulator = emulator
        self.known = known
        self.outputs = outputs

    def client(self, service: str) -> Any:
        """A client of the operator's."""
        return client(service, self.emulator.url)

    def run_task(self, command: str, family: str = "engine-task") -> dict[str, Any]:
        """Start one task."""
        answer = self.client("ecs").run_task(
            cluster=self.outputs["Cluster"],
            taskDefinition=family,
            launchType="FARGATE",
            networkConfiguration=AWSVPC,
            overrides={"containerOverrides": [{"name": "main", "command": [command]}]},
        )
        assert not answer["failures"]
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def task(self, arn: str) -> dict[str, Any]:
        """A task as it is now."""
        answer = self.client("ecs").describe_tasks(cluster=self.outputs["Cluster"], tasks=[arn])
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def ended_task(self, arn: str, seconds: float = 20) -> dict[str, Any]:
        """A task when it has stopped."""
        wait(lambda: self.task(arn)["lastStatus"] == "STOPPED", seconds)
        return self.task(arn)

    def task_log(self, arn: str) -> list[str]:
        """What a task wrote."""
        stream = f"agent/main/{arn.rpartition('/')[2]}"
        events = self.client("logs").get_log_events(
            logGroupName=self.outputs["TaskLogs"], logStreamName=stream
        )["events"]
        return [event["message"] for event in events]

    def execute(self, **given: Any) -> dict[str, Any]:
        """Run the state machine to its end."""
        body = {"text": "", "seconds": 30, **given}
        states = self.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=self.outputs["Machine"], input=json.dumps(body))[
            "executionArn"
        ]
        wait(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING", 40)
        execution: dict[str, Any] = states.describe_execution(executionArn=arn)
        return execution

    def invoke(self, name: str, **event: Any) -> tuple[dict[str, Any], Any]:
        """Invoke a function of the app."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs[name], Payload=json.dumps(event), LogType="Tail"
        )
        return answer, json.load(answer["Payload"])


def wait(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition holds, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def fetch(url: str, body: bytes = b"{}", headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """POST to a Function URL and return status and decoded answer."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, data=body, headers={"Content-Type": "application/json", **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def signed_headers(url: str, body: bytes, credentials: Credentials) -> dict[str, str]:
    """The headers that botocore would sign this POST with."""
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, data=body)
    SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
    return dict(request.headers.items())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of the module's own, with its app."""
    folder = tmp_path_factory.mktemp("engine")
    emulator = Emulator(
        Layout(folder),
        free_port(),
        {
            "test/shell:*": {"command": ["/bin/sh", "-c"], "environment": {"FROM_IMAGE": "yes"}},
            "test/python:*": {"command": ["/usr/bin/env", "python3", "-c"]},
        },
        max_environments=3,
        queue_seconds=2,
    )
    known = emulator.start()
    try:
        sam = Sam(APP / "template.yaml", folder / "build", folder / "logs", emulator.url, "engine-app")
        sam.build()
        yield Engine(emulator, known, sam.deploy())
    finally:
        end([known], seconds=10)
        left = children(emulator.layout.children)
        end(left, seconds=0)
        shutil.rmtree(emulator.layout.shared)
    assert not left, "the engine left processes behind"


def test_listens_on_loopback_only(engine: Engine) -> None:
    """No socket of the engine can be reached from another machine."""
    sockets = {
        link.readlink().name.removeprefix("socket:[").rstrip("]")
        for link in Path(f"/proc/{engine.known.pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                listening.append((table, fields[1].partition(":")[0]))
    assert listening
    assert set(listening) == {("tcp", "0100007F")}


# --- tasks ---------------------------------------------------------------------------------------------


def test_a_task_runs_with_its_environment_secrets_and_log(engine: Engine) -> None:
    """Variables of image, definition and secret reach the process, and its output CloudWatch Logs."""
    task = engine.run_task('echo "$FROM_IMAGE $GREETING ${#TOKEN} $AWS_EXECUTION_ENV"; exit 3')
    assert task["lastStatus"] == "PROVISIONING"
    ended = engine.ended_task(task["taskArn"])
    assert ended["stopCode"] == "EssentialContainerExited"
    assert ended["stoppedReason"] == "Essential container in task exited"
    assert ended["containers"][0]["exitCode"] == 3
    assert ended["containers"][0]["imageDigest"].startswith("sha256:")
    assert engine.task_log(task["taskArn"]) == ["yes hello 32 AWS_ECS_FARGATE"]


def test_each_task_has_credentials_of_its_own_and_metadata(engine: Engine) -> None:
    """The metadata endpoint names the task, and STS knows the task by the key it was given."""
    first, second = (engine.run_task(f"python3 -c {json.dumps(SHOW_CREDENTIALS)}") for _ in range(2))
    seen = []
    for task in (first, second):
        engine.ended_task(task["taskArn"])
        told = json.loads(engine.task_log(task["taskArn"])[0])
        assert told["task"]["TaskARN"] == task["taskArn"]
        assert told["task"]["Family"] == "engine-task"
        given = told["credentials"]
        seen.append(given["AccessKeyId"])
        sts = client("sts", engine.emulator.url)
        sts._request_signer._credentials = Credentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["Token"]
        )
        role = engine.outputs["TaskRole"]
        name = task["taskArn"].rpartition("/")[2]
        assert sts.get_caller_identity()["Arn"].endswith(f":assumed-role/{role}/{name}")
    assert seen[0] != seen[1]


def test_stop_task_asks_before_it_kills(engine: Engine) -> None:
    """A task that ends on SIGTERM keeps its exit code; one that does not is killed after the stop timeout."""
    willing = engine.run_task("trap 'echo bye; exit 143' TERM; echo up; while :; do sleep 0.1; done")
    stubborn = engine.run_task("trap '' TERM; echo up; while :; do sleep 0.1; done")
    arns = [willing["taskArn"], stubborn["taskArn"]]
    wait(lambda: all(engine.task_log(arn) == ["up"] for arn in arns if _has_log(engine, arn)), 10)
    wait(lambda: all(_has_log(engine, arn) and engine.task_log(arn) for arn in arns), 10)
    for arn in arns:
        engine.client("ecs").stop_task(cluster=engine.outputs["Cluster"], task=arn, reason="enough")
    ended = [engine.ended_task(arn) for arn in arns]
    assert [task["containers"][0]["exitCode"] for task in ended] == [143, 137]
    assert {task["stopCode"] for task in ended} == {"UserInitiated"}
    assert {task["stoppedReason"] for task in ended} == {"enough"}
    assert "bye" in engine.task_log(arns[0])


def _has_log(engine: Engine, arn: str) -> bool:
    try:
        engine.task_log(arn)
    except ClientError:
        return False
    return True


def test_nothing_of_a_task_outlives_it(engine: Engine) -> None:
    """A process that left the task's group is gone when the task is."""
    task = engine.run_task("setsid sleep 987 & echo $!; sleep 0.3")
    engine.ended_task(task["taskArn"])
    assert started_at(int(engine.task_log(task["taskArn"])[0])) is None


def test_an_unknown_image_cannot_be_pulled(engine: Engine) -> None:
    """The task stops without having run, and says why as ECS says it."""
    task = engine.run_task("true", family="engine-unpullable")
    ended = engine.ended_task(task["taskArn"])
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "exitCode" not in ended["containers"][0]


def test_list_tasks_filters(engine: Engine) -> None:
    """ListTasks knows desired status and family; DescribeTasks reports what it does not know."""
    task = engine.run_task("sleep 30")
    ecs, cluster = engine.client("ecs"), engine.outputs["Cluster"]
    assert task["taskArn"] in ecs.list_tasks(cluster=cluster, family="engine-task")["taskArns"]
    assert task["taskArn"] not in ecs.list_tasks(cluster=cluster, family="other")["taskArns"]
    ecs.stop_task(cluster=cluster, task=task["taskArn"])
    assert task["taskArn"] in ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    missing = ecs.describe_tasks(cluster=cluster, tasks=["0" * 32])
    assert [failure["reason"] for failure in missing["failures"]] == ["MISSING"]
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        ecs.describe_tasks(cluster="nowhere", tasks=["0" * 32])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "InvalidParameterException"),
        (
            {"overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 9000]}]}},
            "InvalidParameterException",
        ),
        ({"networkConfiguration": {}}, "InvalidParameterException"),
        ({"taskDefinition": "nothing"}, "ClientException"),
        ({"cluster": "nowhere"}, "ClusterNotFoundException"),
    ],
)
def test_run_task_refuses_what_ecs_refuses(engine: Engine, change: dict[str, Any], code: str) -> None:
    """A request that AWS would refuse is refused, by the same name."""
    request = {
        "cluster": engine.outputs["Cluster"],
        "taskDefinition": "engine-task",
        "networkConfiguration": AWSVPC,
    }
    with pytest.raises(ClientError, match=code):
        engine.client("ecs").run_task(**{**request, **change})


# --- state machine -------------------------------------------------------------------------------------


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


# --- functions -----------------------------------------------------------------------------------------


def test_a_function_sees_what_lambda_shows_it(engine: Engine) -> None:
    """It runs on an interpreter without LocalStack, and no variable tells it where it is."""
    answer, result = engine.invoke("Behave")
    assert "FunctionError" not in answer
    assert result["engine"] is False
    assert result["memory"] == "256"
    assert not [name for name in result["environment"] if "LOCALSTACK" in name or name == "EDGE_PORT"]
    assert {"AWS_LAMBDA_FUNCTION_NAME", "AWS_ENDPOINT_URL", "LAMBDA_TASK_ROOT"} <= set(result["environment"])


def test_an_environment_is_used_again(engine: Engine) -> None:
    """The second invocation meets the same process, and only the first reports its start."""
    first, one = engine.invoke("Behave")
    second, two = engine.invoke("Behave")
    assert one["pid"] == two["pid"]
    log = base64.b64decode(second["LogResult"]).decode()
    assert log.startswith("START RequestId: ")
    assert "\tBilled Duration: " in log
    assert "Init Duration" not in log
    assert first["StatusCode"] == 200


def test_a_function_that_takes_too_long_is_ended_and_replaced(engine: Engine) -> None:
    """The timeout is the function's own, the error AWS's, and the next invocation gets a new process."""
    _, before = engine.invoke("Behave")
    answer, result = engine.invoke("Behave", sleep=10)
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 4.00 seconds" in base64.b64decode(answer["LogResult"]).decode()
    _, after = engine.invoke("Behave")
    assert before["pid"] != after["pid"]


def test_a_function_that_exits_is_an_error_and_is_replaced(engine: Engine) -> None:
    """The process may die: the caller hears of it, and the next one does not."""
    _, result = engine.invoke("Behave", exit=1)
    assert result["errorType"] == "Runtime.ExitError"
    assert "FunctionError" not in engine.invoke("Behave")[0]


def test_a_function_that_cannot_be_imported_says_so(engine: Engine) -> None:
    """An error at import is the invocation's error."""
    answer, result = engine.invoke("Broken")
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Runtime.ImportModuleError"


def test_an_answer_over_the_limit_is_refused(engine: Engine) -> None:
    """Six megabytes are what Lambda passes on."""
    _, result = engine.invoke("Behave", bytes=7_000_000)
    assert result["errorType"] == "Function.ResponseSizeTooLarge"


def test_logs_go_to_the_functions_own_group(engine: Engine) -> None:
    """LoggingConfig decides the group, and the lines are those that AWS writes."""
    fetch(engine.outputs["OpenUrl"])
    logs, group = engine.client("logs"), engine.outputs["FunctionLogs"]

    def messages() -> list[str]:
        found = logs.filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in found]

    wait(lambda: any(message.strip() == "echoed" for message in messages()), 10)
    assert any(message.startswith("REPORT RequestId: ") for message in messages())


def test_environments_are_capped_and_the_rest_is_throttled(engine: Engine) -> None:
    """Three run, others wait, and who waits too long gets 429 and not 500."""

    def invoke(_: int) -> str:
        try:
            return str(engine.invoke("Behave", sleep=1.5)[0]["StatusCode"])
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(invoke, range(12)))
    assert set(answers) <= {"200", "TooManyRequestsException"}
    assert answers.count("200") >= 3
    functions = [child for child in children(engine.emulator.layout.children) if "function" in child.name]
    assert len([child for child in functions if child.alive]) <= 3


def test_a_change_of_configuration_alone_keeps_the_code(engine: Engine) -> None:
    """The new version runs on the code that the old one unpacked, even after the old one is gone."""
    functions, name = engine.client("lambda"), engine.outputs["Behave"]
    functions.update_function_configuration(FunctionName=name, Description="changed")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    for _ in range(3):
        assert "FunctionError" not in engine.invoke("Behave")[0]
        time.sleep(0.5)


# --- Function URLs -------------------------------------------------------------------------------------


def test_an_open_url_passes_the_request_on(engine: Engine) -> None:
    """The path, the query and text beyond ASCII arrive as Lambda passes them on."""
    status, event = fetch(engine.outputs["OpenUrl"] + "a/b?c=d", '{"word": "grün"}'.encode())
    assert status == 200
    assert event["rawPath"] == "/a/b"
    assert event["rawQueryString"] == "c=d"
    assert event["body"] == '{"word": "grün"}'
    assert event["isBase64Encoded"] is False


def test_a_url_answers_to_its_host_name_too(engine: Engine) -> None:
    """The engine's classic way, by the Host header, still works."""
    url_id = engine.outputs["OpenUrl"].rstrip("/").rpartition("/")[2]
    host = f"{url_id}.lambda-url.us-east-1.localhost:{engine.emulator.port}"
    status, event = fetch(engine.emulator.url + "/x", headers={"Host": host})
    assert status == 200
    assert event["rawPath"] == "/x"


def test_a_body_over_six_megabytes_is_refused(engine: Engine) -> None:
    """The function is not bothered with it."""
    status, answer = fetch(engine.outputs["OpenUrl"], b"x" * (6 * 1024 * 1024 + 1))
    assert status == 413
    assert "Message" in answer


def test_a_signed_url_knows_its_caller(engine: Engine) -> None:
    """The key of the signature tells the role and the session; nobody else gets in."""
    url, body = engine.outputs["SignedUrl"], b'{"a": 1}'
    role = f"arn:aws:iam::000000000000:role/{engine.outputs['TaskRole']}"
    given = engine.client("sts").assume_role(RoleArn=role, RoleSessionName="task-1")["Credentials"]
    good = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    status, event = fetch(url, body, signed_headers(url, body, good))
    assert status == 200
    caller = event["requestContext"]["authorizer"]["iam"]["userArn"]
    assert caller == f"arn:aws:sts::000000000000:assumed-role/{engine.outputs['TaskRole']}/task-1"

    assert fetch(url, body) == (403, {"Message": "Forbidden"})
    stranger = Credentials("ASIA0000000000000000", "secret", "token")
    assert fetch(url, body, signed_headers(url, body, stranger)) == (403, {"Message": "Forbidden"})
    forger = Credentials(given["AccessKeyId"], "guessed", given["SessionToken"])
    assert fetch(url, body, signed_headers(url, body, forger))[0] == 403
    assert fetch(url, b'{"a": 2}', signed_headers(url, body, good))[0] == 403


# --- CloudFormation ------------------------------------------------------------------------------------


def test_an_unknown_type_fails_the_deployment(engine: Engine) -> None:
    """Only types of the written list may be faked."""
    assert _deployed(engine, "faked", "AWS::CloudWatch::Dashboard") == "CREATE_COMPLETE"
    assert _deployed(engine, "unknown", "AWS::Pipes::Pipe") != "CREATE_COMPLETE"


def _deployed(engine: Engine, name: str, kind: str) -> str:
    body = json.dumps({"Resources": {"Thing": {"Type": kind, "Properties": {"DashboardBody": "{}"}}}})
    try:
        engine.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    wait(lambda: not _stack_status(engine, name).endswith("IN_PROGRESS"), 20)
    return _stack_status(engine, name)


def _stack_status(engine: Engine, name: str) -> str:
    stacks = engine.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return str(stacks[0]["StackStatus"])


def test_a_repository_has_the_address_that_aws_would_give(engine: Engine) -> None:
    """The image's name can be told from the repository's."""
    assert ".dkr.ecr.us-east-1.amazonaws.com/" in engine.outputs["RepositoryUri"]


def test_calls_are_recorded_with_their_role(engine: Engine) -> None:
    """Each call that a role made is on file, without any value of the request that could be a secret."""
    engine.execute(command="exit 0")
    lines = [
        json.loads(line)
        for line in (engine.emulator.layout.logs / "aws-calls.jsonl").read_text().splitlines()
    ]
    assert any(line["service"] == "ecs" and line["operation"] == "RunTask" for line in lines)
    assert all(line["role"] for line in lines)


def test_a_transaction_that_fails_leaves_the_writes_of_others_alone(engine: Engine) -> None:
    """What is written while transactions are refused is still there afterwards, and so is what was there."""
    table = engine.client("dynamodb")
    table.create_table(
        TableName="shared",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    table.put_item(TableName="shared", Item={"pk": {"S": "full"}, "n": {"N": "1"}})
    refused = [
        {
            "Update": {
                "TableName": "shared",
                "Key": {"pk": {"S": "first"}},
                "UpdateExpression": "SET n = :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
        },
        {
            "Update": {
                "TableName": "shared",
                "Key": {"pk": {"S": "full"}},
                "UpdateExpression": "SET n = :two",
                "ConditionExpression": "n > :two",
                "ExpressionAttributeValues": {":two": {"N": "2"}},
            }
        },
    ]

    def refuse(_number: int) -> None:
        with pytest.raises(table.exceptions.TransactionCanceledException):
            table.transact_write_items(TransactItems=refused)

    def write(number: int) -> None:
        table.put_item(TableName="shared", Item={"pk": {"S": f"item-{number}"}})

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(work, number) for number in range(40) for work in (refuse, write)]
        for one in done:
            one.result()
    items = {item["pk"]["S"]: item for item in table.scan(TableName="shared")["Items"]}
    assert set(items) == {"full", *(f"item-{number}" for number in range(40))}
    assert items["full"]["n"] == {"N": "1"}

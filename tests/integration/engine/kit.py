"""A running engine, and how to reach what runs in it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.emulator import Emulator
from local.sam import client
from local.supervise import Process
from pullwright_engine.faults import write_orders

AWSVPC = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}


class Engine:
    """A running engine with the test's app in it."""

    def __init__(self, emulator: Emulator, known: Process, outputs: dict[str, str]) -> None:
        self.emulator = emulator
        self.known = known
        self.outputs = outputs

    def client(self, service: str) -> Any:
        """Return a client of the operator's."""
        return client(service, self.emulator.url)

    def associate(self, *providers: str) -> None:
        """Let the cluster's tasks run on these capacity providers."""
        self.client("ecs").put_cluster_capacity_providers(
            cluster=self.outputs["Cluster"],
            capacityProviders=list(providers),
            defaultCapacityProviderStrategy=[],
        )

    def order(self, what: str, contains: str) -> None:
        """Order one failure of the engine for what has a text in it."""
        file = self.emulator.layout.engine / "faults.json"
        write_orders(file, [{"id": contains, "what": what, "contains": [contains]}])

    def run_task(self, command: str, family: str = "engine-task", provider: str = "") -> dict[str, Any]:
        """Start one task, on a capacity provider if one is named."""
        answer = self.ask_for_task(command, family, provider)
        assert not answer["failures"]
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def ask_for_task(self, command: str, family: str = "engine-task", provider: str = "") -> dict[str, Any]:
        """RunTask's whole answer."""
        strategy = {"capacityProviderStrategy": [{"capacityProvider": provider, "weight": 1}]}
        answer: dict[str, Any] = self.client("ecs").run_task(
            cluster=self.outputs["Cluster"],
            taskDefinition=family,
            **(strategy if provider else {"launchType": "FARGATE"}),
            networkConfiguration=AWSVPC,
            overrides={"containerOverrides": [{"name": "main", "command": [command]}]},
        )
        return answer

    def task(self, arn: str) -> dict[str, Any]:
        """Return a task as it is now."""
        answer = self.client("ecs").describe_tasks(cluster=self.outputs["Cluster"], tasks=[arn])
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def ended_task(self, arn: str, seconds: float = 20) -> dict[str, Any]:
        """Return a task when it has stopped."""
        wait(lambda: self.task(arn)["lastStatus"] == "STOPPED", seconds)
        return self.task(arn)

    def task_log(self, arn: str) -> list[str]:
        """Return what a task wrote."""
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


@contextmanager
def full_quota(engine: Engine) -> Iterator[dict[str, Any]]:
    """Tasks that use up the quota of vCPUs for a time; what RunTask answered to the first without room."""
    tasks: list[str] = []
    try:
        while (answer := engine.ask_for_task("sleep 60"))["tasks"]:
            tasks.append(answer["tasks"][0]["taskArn"])
        assert tasks, "the quota was used up before"
        yield answer
    finally:
        for task in tasks:
            engine.client("ecs").stop_task(cluster=engine.outputs["Cluster"], task=task)
        for task in tasks:
            engine.ended_task(task)


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
    """Return the headers that botocore would sign this POST with."""
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, data=body)
    SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
    return dict(request.headers.items())

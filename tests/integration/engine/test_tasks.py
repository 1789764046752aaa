"""What ECS does with a task."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.sam import client
from pullwright_engine.ecs.shapes import QUOTA_REACHED
from pullwright_engine.processes import started_at
from tests.integration.engine.kit import AWSVPC, Engine, full_quota, wait

SHOW_CREDENTIALS = (
    "import json, os, urllib.request as u;"
    "get = lambda a: json.load(u.urlopen(a));"
    "print(json.dumps({'credentials': get(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI']),"
    " 'task': get(os.environ['ECS_CONTAINER_METADATA_URI_V4'] + '/task')}))"
)


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


def test_spare_capacity_is_taken_back(engine: Engine) -> None:
    """On order a task on FARGATE_SPOT gets SIGTERM and says why; one on other capacity is left alone.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
    """
    with pytest.raises(ClientError, match="not associated with the cluster"):
        engine.run_task("true", provider="FARGATE_SPOT")
    engine.associate("FARGATE", "FARGATE_SPOT")
    script = ": take-back; trap 'exit 143' TERM; while :; do sleep 0.1; done"
    lasting, spare = (engine.run_task(script, provider=name) for name in ("FARGATE", "FARGATE_SPOT"))
    assert spare["capacityProviderName"] == "FARGATE_SPOT"
    wait(lambda: engine.task(lasting["taskArn"])["lastStatus"] == "RUNNING", 20)
    engine.order("reclaim-task", "take-back")
    taken = engine.ended_task(spare["taskArn"])
    reason = "Your Spot Task was interrupted."
    assert (taken["stopCode"], taken["stoppedReason"]) == ("SpotInterruption", reason)
    assert taken["containers"][0]["exitCode"] == 143
    assert engine.task(lasting["taskArn"])["lastStatus"] == "RUNNING"
    engine.client("ecs").stop_task(cluster=engine.outputs["Cluster"], task=lasting["taskArn"])


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


def test_a_quota_that_is_used_up_is_a_failure_and_no_error(engine: Engine) -> None:
    """RunTask answers 200 and says why it started nothing; a task that has stopped needs no vCPUs."""
    with full_quota(engine) as refused:
        assert refused["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert refused["failures"] == [{"reason": QUOTA_REACHED}]
        assert refused["tasks"] == []
    engine.ended_task(engine.run_task("true")["taskArn"])


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

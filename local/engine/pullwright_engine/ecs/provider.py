"""The ECS API: tasks from here, everything else from moto."""

import json
import threading
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.connect import connect_to
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import Service, aws_provider

from pullwright_engine.ecs import shapes
from pullwright_engine.ecs.errors import client_error, cluster_not_found, invalid_parameter
from pullwright_engine.ecs.run import TaskRun
from pullwright_engine.ecs.shapes import Document
from pullwright_engine.faults import EXHAUST_QUOTA
from pullwright_engine.settings import faults, settings

MAX_TASKS = 10
PAGE = 100

_RUNS: dict[str, TaskRun] = {}
_TOKENS: dict[tuple[str, str], list[str]] = {}
_LOCK = threading.Lock()


def runs() -> list[TaskRun]:
    """Return every task of this engine, those that have ended too."""
    with _LOCK:
        return list(_RUNS.values())


def _moto(context: Any) -> Any:
    return connect_to(region_name=context.region, aws_access_key_id=context.account_id).ecs


def _providers(context: Any, cluster_arn: str) -> list[str]:
    """Return the capacity providers that a cluster is associated with."""
    [cluster] = _moto(context).describe_clusters(clusters=[cluster_arn])["clusters"]
    return list(cluster.get("capacityProviders") or [])


def _cluster(context: Any, reference: str | None) -> str:
    found = _moto(context).describe_clusters(clusters=[reference or "default"])["clusters"]
    if not found or found[0]["status"] != "ACTIVE":
        raise cluster_not_found()
    return str(found[0]["clusterArn"])


def _definition(context: Any, reference: str) -> Document:
    try:
        answer = _moto(context).describe_task_definition(taskDefinition=reference, include=["TAGS"])
    except ClientError as error:
        raise client_error("Unable to describe task definition.") from error
    definition: Document = {**answer["taskDefinition"], "tags": answer.get("tags") or []}
    if definition["status"] != "ACTIVE":
        raise client_error("TaskDefinition is inactive")
    return definition


def find(cluster_arn: str, reference: str) -> TaskRun | None:
    """Return a cluster's task by ARN or id."""
    with _LOCK:
        for arn, run in _RUNS.items():
            if run.task["clusterArn"] == cluster_arn and reference in (arn, shapes.task_id(arn)):
                return run
    return None


def _check(request: Document, definition: Document, providers: list[str]) -> None:
    overrides = request.get("overrides") or {}
    if len(json.dumps(overrides)) > shapes.OVERRIDES_LIMIT:
        raise invalid_parameter("Container Overrides length must be at most 8192")
    names = {container["name"] for container in definition["containerDefinitions"]}
    for override in overrides.get("containerOverrides") or []:
        if override.get("name") not in names:
            raise invalid_parameter(
                f"Override for container named {override.get('name')} is not a container in the "
                "TaskDefinition."
            )
    if request.get("launchType") and request.get("capacityProviderStrategy"):
        raise invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    strategy = request.get("capacityProviderStrategy") or []
    if any(item["capacityProvider"] not in providers for item in strategy):
        raise invalid_parameter(
            "The specified capacity provider strategy cannot contain a capacity provider that is not "
            "associated with the cluster. Associate the capacity provider with the cluster and try again."
        )
    awsvpc = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if definition.get("networkMode") == "awsvpc" and not awsvpc.get("subnets"):
        raise invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if not 1 <= (request.get("count") or 1) <= MAX_TASKS:
        raise invalid_parameter("Task count must be between 1 and 10.")


def run_task(context: Any, request: Document) -> Document:
    """RunTask: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html.

    A quota that is used up is no error of the call: it is answered with 200, and `failures` says why.
    """
    cluster_arn = _cluster(context, request.get("cluster"))
    definition = _definition(context, request["taskDefinition"])
    strategy = request.get("capacityProviderStrategy")
    _check(request, definition, _providers(context, cluster_arn) if strategy else [])
    token = (cluster_arn, request.get("clientToken") or "")
    quota = settings().fargate_vcpus
    is_ordered = faults().strikes(EXHAUST_QUOTA, json.dumps(request.get("overrides") or {}))
    with _LOCK:
        if token[1] and token in _TOKENS:
            tasks = [_RUNS[arn].task for arn in _TOKENS[token]]
            return {"tasks": [shapes.view(task, ["TAGS"]) for task in tasks], "failures": []}
        started: list[TaskRun] = []
        failures: list[Document] = []
        for _ in range(request.get("count") or 1):
            others = [run.task for run in (*_RUNS.values(), *started) if run.task["lastStatus"] != "STOPPED"]
            task = shapes.new_task(request, definition, cluster_arn, others)
            if shapes.exceeds_quota(task, others, quota) or is_ordered:
                failures.append({"reason": shapes.QUOTA_REACHED})
            else:
                started.append(TaskRun(task, definition, settings()))
        for run in started:
            _RUNS[run.task["taskArn"]] = run
        if token[1]:
            _TOKENS[token] = [run.task["taskArn"] for run in started]
    answer = [shapes.view(run.task, ["TAGS"]) for run in started]
    for run in started:
        run.begin()
    return {"tasks": answer, "failures": failures}


def describe_tasks(context: Any, request: Document) -> Document:
    """DescribeTasks: a task that this cluster does not have is listed in `failures`."""
    cluster_arn = _cluster(context, request.get("cluster"))
    tasks, failures = [], []
    for reference in request["tasks"]:
        run = find(cluster_arn, reference)
        if run:
            tasks.append(shapes.view(run.task, request.get("include")))
        else:
            arn = reference
            if not reference.startswith("arn:"):
                arn = f"{cluster_arn.replace(':cluster/', ':task/')}/{reference}"
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"tasks": tasks, "failures": failures}


def list_tasks(context: Any, request: Document) -> Document:
    """ListTasks, with its filters and pages."""
    cluster_arn = _cluster(context, request.get("cluster"))
    arns = [
        run.task["taskArn"]
        for run in runs()
        if run.task["clusterArn"] == cluster_arn and shapes.selects(run.task, request)
    ]
    start = int(request.get("nextToken") or 0)
    end = start + min(request.get("maxResults") or PAGE, PAGE)
    answer: Document = {"taskArns": arns[start:end]}
    if end < len(arns):
        answer["nextToken"] = str(end)
    return answer


def stop_task(context: Any, request: Document) -> Document:
    """StopTask: SIGTERM now, SIGKILL after the container's stop timeout."""
    run = find(_cluster(context, request.get("cluster")), request["task"])
    if run is None:
        raise invalid_parameter("The referenced task was not found.")
    run.stop(request.get("reason") or "Task stopped by user")
    return {"task": shapes.view(run.task, None)}


@aws_provider(api="ecs")  # type: ignore[untyped-decorator] # LocalStack publishes no types
def ecs() -> Service:
    """Return the whole API."""
    model = load_service("ecs")
    table = dict.fromkeys(model.operation_names, _proxy_moto)
    table |= {
        "RunTask": run_task,
        "DescribeTasks": describe_tasks,
        "ListTasks": list_tasks,
        "StopTask": stop_task,
    }
    return Service(name="ecs", skeleton=Skeleton(model, table))

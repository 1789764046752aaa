"""No secret travels: each value is looked for in everything that a session leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.demo import scenario
from local.people import call
from tests.integration.conftest import LABEL

if TYPE_CHECKING:
    from local.sessions import Session, Stack
    from tests.integration.faults.requests import Requests


@pytest.fixture(scope="module")
def secrets(stack: Stack, ended: Session) -> dict[str, str]:
    """Provide the values that must not appear anywhere, by name: also of each token that a session had."""
    assert ended.status() == "SUCCEEDED"
    manager = stack.client("secretsmanager")
    values: dict[str, str] = {"webhook secret": stack.described["webhook_secret"]}
    for page in manager.get_paginator("list_secrets").paginate():
        for entry in page["SecretList"]:
            # A deployment's secrets are empty until its operator fills them.
            if not any("AWSCURRENT" in stages for stages in entry.get("SecretVersionsToStages", {}).values()):
                continue
            value = manager.get_secret_value(SecretId=entry["ARN"])["SecretString"]
            if value.startswith("{"):
                for key, part in json.loads(value).items():
                    # The App's id is public; of the key, a line of its own is what a leak would show.
                    if "key" in key:
                        values[f"{entry['Name']}.{key}"] = part.strip().splitlines()[1]
                    elif key == "api_token":
                        values["Jira's token"] = part
            else:
                values[entry["Name"]] = value
    for token in call(stack.github_url, "GET", "/_standin/tokens"):
        values[f"installation token {token[:8]}"] = token
    return values


@pytest.fixture(scope="module")
def ended(stack: Stack, requests: Requests) -> Session:
    """Provide a session of the demo's kind, after reviews, follow-ups and commands have ended."""
    assert [session.record().report for session in requests.sessions] == ["made"] * 4
    work = scenario.built_in(stack.github_url, stack.model_url)
    work.person.label(work.repository, work.issue, LABEL)
    session = stack.wait_for_execution(work.repository, work.issue, 30)
    assert session.wait(180) == "SUCCEEDED", session.record()
    return session


def _leaks(text: str, secrets: dict[str, str]) -> list[str]:
    return [name for name, value in secrets.items() if value in text]


def test_there_are_secrets_to_look_for(ended: Session, secrets: dict[str, str]) -> None:
    """The search below would find something: App key, webhook secret and a token are known."""
    assert ended.status() == "SUCCEEDED"
    assert any("key" in name for name in secrets)
    assert any("token" in name for name in secrets)
    assert all(len(value) > 16 for value in secrets.values())


def test_no_secret_in_any_execution_history(
    ended: Session, requests: Requests, secrets: dict[str, str], stack: Stack
) -> None:
    """Histories of all executions hold no secret."""
    machine = stack.outputs["StateMachineArn"]
    executions = stack.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    arns = [execution["executionArn"] for execution in executions]
    assert {session.arn for session in (ended, *requests.sessions)} <= set(arns)
    for execution in executions:
        session = type(ended)(stack, execution["executionArn"])
        assert _leaks(json.dumps(session.events(), default=str), secrets) == []


def test_no_secret_in_task_descriptions(ended: Session, secrets: dict[str, str], stack: Stack) -> None:
    """DescribeTasks and DescribeTaskDefinition show none."""
    ecs, cluster = stack.client("ecs"), stack.outputs["EcsClusterArn"]
    task = ecs.describe_tasks(cluster=cluster, tasks=[ended.record().task_arn])["tasks"][0]
    definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])
    assert _leaks(json.dumps([task, definition], default=str), secrets) == []
    [override] = task["overrides"]["containerOverrides"]
    assert [variable["name"] for variable in override["environment"]] == ["SESSION_ID"]


def test_no_secret_in_any_log(ended: Session, secrets: dict[str, str], stack: Stack) -> None:
    """CloudWatch Logs of functions and tasks hold none."""
    logs = stack.client("logs")
    seen = 0
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            for event in page["events"]:
                seen += 1
                assert _leaks(event["message"], secrets) == [], group["logGroupName"]
    assert seen > 0, ended.id


def test_no_secret_in_any_object(
    ended: Session, requests: Requests, secrets: dict[str, str], stack: Stack
) -> None:
    """No object in the artifacts bucket holds one."""
    s3, bucket = stack.client("s3"), stack.outputs["ArtifactsBucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert all(any(it.id in key for key in keys) for it in (ended, *requests.sessions))
    for key in keys:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
        assert _leaks(body, secrets) == [], key


def test_no_secret_on_github(
    ended: Session, requests: Requests, secrets: dict[str, str], stack: Stack
) -> None:
    """Neither what we asked of GitHub nor what it shows, nor what it tells the webhook, holds any."""
    # The headers, with the tokens that belong there, are not kept.
    asked = call(stack.github_url, "GET", "/_standin/requests")
    assert len(asked) > 100
    for request in asked:
        assert _leaks(json.dumps(request), secrets) == [], request["path"]
    deliveries = call(stack.github_url, "GET", "/_standin/deliveries")
    assert any(requests.repository.name in json.dumps(it) for it in deliveries)
    assert _leaks(json.dumps(deliveries), secrets) == []
    person = requests.repository.person
    for name in (ended.record().repository, requests.repository.name, requests.stopped_in.name):
        lists = [f"/repos/{name}/{what}?state=all" for what in ("pulls", "issues")]
        pulls, issues = (person.rest("GET", path) for path in lists)
        paths = [f"issues/{it['number']}/comments" for it in issues]
        paths += [
            f"pulls/{it['number']}/{what}" for it in pulls for what in ("comments", "reviews", "commits")
        ]
        shown = [pulls, issues, *(person.rest("GET", f"/repos/{name}/{path}") for path in paths)]
        assert any(shown)
        assert _leaks(json.dumps(shown), secrets) == [], name


def test_no_secret_in_the_table(
    ended: Session, requests: Requests, secrets: dict[str, str], stack: Stack
) -> None:
    """Records of sessions, branches, workers and locks hold none."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["SessionsTable"])
    items = [item for page in pages for item in page["Items"]]
    keys = {item["pk"]["S"] for item in items}
    assert {f"SESSION#{session.id}" for session in (ended, *requests.sessions)} <= keys
    assert f"REPO#{requests.repository.name.lower()}" in keys
    assert _leaks(json.dumps(items, default=str), secrets) == []

"""`sam build`, `sam deploy` and `pullwright destroy` of the whole template, as an operator runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import sam
from local.stack import PREVIEW_DOMAIN, STACK
from local.supervise import free_port
from pullwright_cli.aws import Stack as Deployed
from pullwright_cli.previews import asked_for, find, remove
from pullwright_cli.removing import draining
from tests.integration.test_previews import PYTHON, SECONDS, Preview, PullRequest, get
from tests.integration.test_reconcile import until
from tests.template.kit import deployed
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.sessions import Stack
    from tests.integration.conftest import Repositories, Repository

ROOT = Path(__file__).parents[2]
NAME = "second"


@pytest.fixture
def reachable(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands reach the stack's engine."""
    for name, value in {
        "AWS_ENDPOINT_URL": stack.described["endpoint_url"],
        "AWS_DEFAULT_REGION": stack.described["region"],
        "AWS_ACCESS_KEY_ID": sam.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": sam.SECRET_KEY,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def balancer(stack: Stack) -> Iterator[dict[str, str]]:
    """Provide the parameters that name a load balancer which was there before, for other things."""
    ec2, elb = stack.client("ec2"), stack.client("elbv2")
    subnets = stack.outputs["EcsSubnetIdsCsv"].split(",")
    vpc = ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="shared", Description="Shared", VpcId=vpc)["GroupId"]
    [made] = elb.create_load_balancer(Name="shared", Subnets=subnets, SecurityGroups=[group])["LoadBalancers"]
    nothing = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "Somebody else's."}
    [listener] = elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTP",
        Port=free_port(),
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": nothing}],
    )["Listeners"]
    yield {
        "AlbListenerArn": listener["ListenerArn"],
        "AlbSecurityGroupId": group,
        "PreviewDomainSuffix": PREVIEW_DOMAIN,
        "VpcId": vpc,
        "SubnetIds": ",".join(subnets),
    }
    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    ec2.delete_security_group(GroupId=group)


def _see_preview(stack: Stack, outputs: dict[str, str], listener: str, repositories: Repositories) -> None:
    """Have the second deployment serve a preview through the listener, and take it away again."""
    secrets, elb = stack.client("secretsmanager"), stack.client("elbv2")
    app = secrets.get_secret_value(SecretId=stack.outputs["GitHubAppSecretArn"])["SecretString"]
    secrets.put_secret_value(SecretId=outputs["GitHubAppSecretArn"], SecretString=app)
    pull = PullRequest.open(repositories.make(files=PYTHON), {"index.html": "of the branch"})
    second = Deployed(NAME, stack.described["region"])
    begun = asked_for(second, {"repository": pull.repository.name, "pull_request": pull.number}).begin()
    url = pull.url()
    [found] = elb.describe_listeners(ListenerArns=[listener])["Listeners"]
    assert url == f"http://uat-topic.{PREVIEW_DOMAIN}:{found['Port']}"
    assert get(url) == (200, "of the branch")
    remove(second, [find(second, begun.id, "")])
    assert Preview(stack, begun.arn).wait() == "SUCCEEDED"
    until(lambda: get(url) == (404, "Somebody else's."), "the rule is gone", SECONDS)
    assert [rule["IsDefault"] for rule in elb.describe_rules(ListenerArn=listener)["Rules"]] == [True]


def _resources(stack: Stack) -> set[str]:
    """Return the logical ids of what the second deployment consists of."""
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=NAME)
    return {
        it["LogicalResourceId"]
        for page in pages
        for it in page["StackResourceSummaries"]
        if not it["ResourceStatus"].startswith("DELETE")
    }


def _roots(names: set[str]) -> set[str]:
    """Return the names that begin with no other one: SAM calls a function's versions and rights after it."""
    return {name for name in names if not any(name != other and name.startswith(other) for other in names)}


def _destroy(*options: str) -> dict[str, Any]:
    """Return what `pullwright destroy` says of the second deployment."""
    done = subprocess.run(
        [sys.executable, "-m", "pullwright_cli", "destroy", "--stack-name", NAME, "--json", *options],
        cwd=ROOT,
        env=os.environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert matches("Removal", document)
    return document


def _kinds(parts: list[dict[str, str]]) -> set[str]:
    return {part["kind"] for part in parts}


@pytest.mark.usefixtures("reachable")
def test_a_deployment_comes_and_goes(
    stack: Stack, repositories: Repositories, balancer: dict[str, str], tmp_path: Path
) -> None:
    """A second one is built, deployed, changed and removed without a prompt, its data in a second step.

    At first it has previews behind a load balancer that was there before, then none and nothing of them.
    """
    endpoint = stack.described["endpoint_url"]
    cloudformation = stack.client("cloudformation")

    def cli(**parameters: str) -> sam.Sam:
        return sam.Sam(
            template=ROOT / "template.yaml",
            build_dir=tmp_path / "build",
            log_dir=tmp_path / "log",
            endpoint=endpoint,
            stack=NAME,
            parameters={
                "Architecture": "x86_64",
                "FunctionsRuntime": "python3.11",
                "GitHubApiUrl": f"{stack.github_url}/api/v3",
                "AllowedOwners": "*",
                **parameters,
            },
        )

    cli().build()
    outputs = cli(**balancer).deploy()
    assert {"WebhookUrl", "StateMachineArn", "SessionsTable", "ArtifactsBucket"} <= outputs.keys()
    assert outputs["StateMachineArn"] != stack.outputs["StateMachineArn"]
    _see_preview(stack, outputs, balancer["AlbListenerArn"], repositories)

    # What is left out of an update stays as it is, and quotes are how the SAM CLI takes nothing for a value.
    changed = cli(TriggerLabel="robot", **dict.fromkeys(balancer, '""')).deploy()
    assert changed["SessionsTable"] == outputs["SessionsTable"]
    assert "PreviewStateMachineArn" not in changed
    assert _roots(_resources(stack)) <= deployed()
    functions = stack.client("lambda").get_paginator("list_functions").paginate()
    names = [it["FunctionName"] for page in functions for it in page["Functions"]]
    assert not [name for name in names if name.startswith(f"{NAME}-") and "Preview" in name]

    bucket, table = outputs["ArtifactsBucket"], outputs["SessionsTable"]
    stack.client("s3").put_object(Bucket=bucket, Key="sessions/a/result.json", Body=b"{}")
    planned = _destroy("--dry-run")
    assert planned["resources"] > 40
    assert {"table", "bucket", "secret"} <= _kinds(planned["removed"])

    kept = _destroy("--yes", "--keep-data", "--keep-secrets")
    with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=NAME)
    machines = stack.client("stepfunctions").list_state_machines()["stateMachines"]
    assert outputs["StateMachineArn"] not in [machine["stateMachineArn"] for machine in machines]
    assert not {"table", "bucket", "secret"} & _kinds(kept["removed"])
    assert stack.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    # What CloudFormation itself says that it left, but for what goes with a function, a machine or a bucket.
    stacks = cloudformation.list_stacks()["StackSummaries"]
    [stack_id] = [it["StackId"] for it in stacks if it["StackName"] == NAME]
    left = {
        it["PhysicalResourceId"]
        for it in cloudformation.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
        if it["ResourceStatus"] == "DELETE_SKIPPED" and not it["ResourceType"].endswith(("Version", "Policy"))
    }
    again = _destroy("--yes")
    assert {part["name"] for part in again["removed"]} == left
    assert table not in stack.client("dynamodb").list_tables()["TableNames"]
    assert bucket not in [it["Name"] for it in stack.client("s3").list_buckets()["Buckets"]]
    assert _destroy("--yes")["removed"] == []


@pytest.mark.usefixtures("reachable")
def test_while_a_deployment_is_drained_who_asks_is_told(
    stack: Stack, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs is stopped and its end told; a session that is asked for meanwhile is refused."""
    deployed = Deployed(STACK, stack.described["region"])
    running = stack.start({"repository": repository.name, "stub": True, "prompt": "Say hello"})
    # Once its pull request is open, nothing that was begun for it has to be waited for.
    until(lambda: running.record().comment_id is not None, "the pull request")
    monkeypatch.setattr(draining, "_PAUSE_SECONDS", 1.0)
    draining.drain(deployed, is_stopping=True, minutes=5, say=print)
    try:
        assert running.status() != "RUNNING"
        number = repository.issue()
        refused = repository.label(number)
        record = refused.record()
        assert record.error == "SessionsPaused"
        assert record.created_at is not None
        assert record.created_at < datetime.now(UTC)
        assert any("about to be removed" in comment for comment in repository.comments(number))
    finally:
        draining.reopen(deployed)
    again = repository.start(prompt="Say hello").record()
    assert (again.status, again.counted_in) == ("SUCCEEDED", f"{again.created_at:%Y-%m}")

"""`pullwright deploy --canary` and `canary` on the whole stack: the real SAM CLI, the example's role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from local import model_choice
from local import stack as local_stack
from local.layout import Layout, venv_bin
from pullwright_cli.releasing.aliases import history, live
from tests.integration.conftest import FOLDER, JIRA, ROOT
from tests.integration.policies import refusal
from tests.template.kit import _Loader
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.sam import Sam
    from local.sessions import Stack
    from tests.integration.conftest import Repository

BROKEN = "sha256:" + "b" * 64
# What is built already is deployed, from where the SAM CLI puts it on AWS: a build would take a minute.
UPLOADS = "aws-sam-cli-managed-default-samclisourcebucket-x"
SHIM = """#!/bin/sh
[ "$1" = deploy ] || exit 0
shift
set -- deploy --template-file "{template}" --s3-bucket {uploads} --no-resolve-s3 --s3-prefix {stack} "$@"
exec "{sam}" "$@"
"""
ROLE_STACK = "github-actions"
# No policy is asked about it: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
WITHOUT_RIGHTS = {("sts", "GetCallerIdentity")}


@pytest.fixture
def here(stack: Stack) -> Sam:
    """Provide the deployment that stands."""
    local = local_stack.Stack(Layout(FOLDER), model_choice.of_environment(), JIRA)
    return local._sam(stack.described)


@pytest.fixture
def role(stack: Stack, here: Sam) -> Iterator[str]:
    """Provide the name of the role that docs/examples/github-role.yaml makes for this deployment."""
    iam, stacks = stack.client("iam"), stack.client("cloudformation")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    cloudformation = iam.create_role(
        RoleName="cloudformation",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
    )["Role"]["Arn"]
    given = {
        "Repository": "acme/pullwright",
        "EnvironmentName": "prod",
        "MainStackName": here.stack,
        "DeploymentRoleArn": cloudformation,
        "ProviderArn": "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com",
        **{
            name: stack.output(name)
            for name in ("ReleaseParameter", "AgentRepositoryArn", "SessionsTable", "ArtifactsBucket")
        },
    }
    text = (ROOT / "docs" / "examples" / "github-role.yaml").read_text(encoding="utf-8")
    example = yaml.load(text, _Loader)  # noqa: S506 - plain values only
    # LocalStack refuses a template with this type, also where the condition leaves it out.
    del example["Resources"]["Provider"], example["Conditions"]
    properties = example["Resources"]["DeployRole"]["Properties"]
    properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"Federated": given["ProviderArn"]}
    stacks.create_stack(
        StackName=ROLE_STACK,
        TemplateBody=json.dumps(example),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName=ROLE_STACK, WaiterConfig={"Delay": 1})
    (described,) = stacks.describe_stacks(StackName=ROLE_STACK)["Stacks"]
    yield described["Outputs"][0]["OutputValue"].rpartition("/")[2]
    stacks.delete_stack(StackName=ROLE_STACK)
    iam.delete_role(RoleName="cloudformation")


@pytest.fixture
def environment(stack: Stack, here: Sam, role: str, tmp_path: Path) -> dict[str, str]:
    """Provide variables with which commands are that role, and find a SAM CLI that builds nothing."""
    stack.client("s3").create_bucket(Bucket=UPLOADS)
    template = here.build_dir / "packaged.json"
    shim = tmp_path / "sam"
    shim.write_text(
        SHIM.format(sam=venv_bin("sam") / "sam", template=template, uploads=UPLOADS, stack=here.stack)
    )
    shim.chmod(0o755)
    arn = stack.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    keys = stack.client("sts").assume_role(RoleArn=arn, RoleSessionName="GitHubActions")["Credentials"]
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PULLWRIGHT_STACK_NAME": here.stack,
        "PULLWRIGHT_DEPLOYMENT_ROLE": stack.client("iam").get_role(RoleName="cloudformation")["Role"]["Arn"],
        "AWS_ENDPOINT_URL": stack.described["endpoint_url"],
        "AWS_DEFAULT_REGION": stack.described["region"],
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "SAM_CLI_TELEMETRY": "0",
    }


@pytest.fixture
def put_back(here: Sam) -> Iterator[None]:
    """Deploy the image by its tag again when the test is over."""
    yield
    replace(here, parameters={**here.parameters, "AgentImageDigest": '""'}).deploy()


def _run(environment: dict[str, str], *arguments: str) -> tuple[int, Any, str]:
    """Return exit code, JSON and standard error of a command."""
    done = subprocess.run(
        [sys.executable, "-m", "pullwright_cli", *arguments, "--json"],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


@pytest.mark.usefixtures("put_back")
def test_a_release_whose_image_is_broken_is_taken_back(
    stack: Stack, repository: Repository, environment: dict[str, str], role: str
) -> None:
    """The canary fails as its image cannot be pulled, the release before is live again, and works.

    All of it is within what the example's role may do, previews' machine and its alias included.
    """
    parameter = stack.outputs["ReleaseParameter"]
    (before,) = history(stack.client, parameter)[-1:]
    code, _, said = _run(
        environment,
        *("deploy", "--parameter", f"AgentImageDigest={BROKEN}", "--canary", "--repo", repository.name),
    )
    assert code == 74, said
    (broken,) = history(stack.client, parameter)[-1:]
    assert (broken.number, broken.image) == (before.number + 1, BROKEN)
    error = json.loads(said.splitlines()[-1])
    assert error["error"] == "CanaryFailed"
    assert f"Release {before.number} of {before.at} is live again." in error["sentence"]
    assert "image" in error["sentence"]
    assert live(stack.client, before) == before.parts
    code, verdict, said = _run(environment, "canary", "--repo", repository.name)
    assert code == 0, said
    assert matches("CanaryVerdict", verdict)
    assert verdict["succeeded"]
    assert verdict["image_digest"].startswith("sha256:")
    calls = _calls(stack, role)
    assert {"CreateChangeSet", "StartExecution", "UpdateAlias", "UpdateStateMachineAlias"} <= {
        call["operation"] for call in calls
    }
    machines = {":".join(version.split(":")[:7]) for version in before.machines}
    assert machines == {
        call["resources"]["stateMachineAliasArn"].rpartition(":")[0]
        for call in calls
        if call["operation"] == "UpdateStateMachineAlias"
    }
    iam = stack.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    assert {why for call in calls if (why := refusal(policies, call))} == set()


def _calls(stack: Stack, role: str) -> list[dict[str, Any]]:
    """Return what was asked of AWS as a role, as far as a policy is asked about it."""
    lines = (Path(stack.described["log_dir"]) / "aws-calls.jsonl").read_text().splitlines()
    return [
        call
        for line in lines
        if (call := json.loads(line))["role"] == role
        and (call["service"], call["operation"]) not in WITHOUT_RIGHTS
    ]

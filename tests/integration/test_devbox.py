"""A dev box beside the whole stack: made, used, changed and removed, and a deployment with its role."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from local import model_choice
from local import stack as local_stack
from local.layout import Layout, venv_bin
from pullwright import errors
from tests.integration.conftest import FOLDER, ROOT
from tests.integration.policies import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.sam import Sam
    from local.sessions import Stack

UPLOADS = "aws-sam-cli-managed-default-samclisourcebucket-x"
SOURCE = "https://github.com/acme/pullwright"
DIGEST = "sha256:" + "d" * 64
# No policy is asked about it: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
WITHOUT_RIGHTS = {("sts", "GetCallerIdentity")}
# By it LocalStack's handler of AWS::SSM::Parameter reads; AWS's reads by GetParameters (the type's schema).
NOT_OF_AWS = {("ssm", "GetParameter")}
# What is built already is deployed, from where the SAM CLI puts it on AWS.
SAM = """#!/bin/sh
[ "$1" = deploy ] || exit 0
shift
exec "{sam}" deploy --template-file "{template}" "$@" --s3-bucket {bucket} --no-resolve-s3 --s3-prefix {stack}
"""


class Operator(NamedTuple):
    """Somebody who calls commands in the checkout."""

    environment: dict[str, str]

    def run(self, *arguments: str) -> tuple[int, Any, str]:
        """Return exit code, JSON and standard error of a command."""
        done = self.shell(sys.executable, "-m", "pullwright_cli", *arguments, "--json")
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    def shell(self, *line: str) -> subprocess.CompletedProcess[str]:
        """Run a program."""
        return subprocess.run(
            line, cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True
        )


@pytest.fixture(scope="module")
def here(stack: Stack) -> Sam:
    """Provide the deployment that stands."""
    return local_stack.Stack(Layout(FOLDER), model_choice.of_environment())._sam(stack.described)


@pytest.fixture(scope="module")
def operator(stack: Stack, here: Sam, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Provide an operator with the programs that the page asks for, and a key."""
    home = tmp_path_factory.mktemp("operator")
    sam = home / "bin" / "sam"
    sam.parent.mkdir()
    sam.write_text(
        SAM.format(
            sam=venv_bin("sam") / "sam",
            template=here.build_dir / "packaged.json",
            bucket=UPLOADS,
            stack=here.stack,
        )
    )
    (home / "bin" / "session-manager-plugin").write_text("#!/bin/sh\n")
    for program in (home / "bin").iterdir():
        program.chmod(0o755)
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_ed25519.pub").write_text("ssh-ed25519 AAAA me\n")
    return Operator(
        {
            **os.environ,
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}",
            "PULLWRIGHT_STACK_NAME": here.stack,
            "AWS_ENDPOINT_URL": str(stack.described["endpoint_url"]),
            "AWS_DEFAULT_REGION": str(stack.described["region"]),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "SAM_CLI_TELEMETRY": "0",
        }
    )


@pytest.fixture(scope="module")
def box(operator: Operator) -> Iterator[dict[str, Any]]:
    """Provide what `devbox up` says of a box; whatever is left of it goes when the tests are over."""
    code, made, said = operator.run("devbox", "up", "--yes", "--minutes", "0", "--source", SOURCE)
    assert code == 0, said
    yield made
    operator.run("devbox", "down", "--yes")


def _machine(stack: Stack, instance: str) -> dict[str, Any]:
    found = stack.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    machine: dict[str, Any] = found[0]["Instances"][0]
    return machine


def _family(main: Sam) -> str:
    """Return the family of types for the main stack's processor, which is this machine's."""
    return {"arm64": "t4g", "x86_64": "t3a"}[main.parameters["Architecture"]]


def test_ec2_has_the_machine_that_the_template_promises(stack: Stack, here: Sam, box: dict[str, Any]) -> None:
    """EC2 tells of its type, disk, role, metadata, subnet and tags; there is no key, and no way in."""
    assert box["outputs"]["ConnectCommand"].startswith(f"aws ssm start-session --target {box['instance']} ")
    machine = _machine(stack, box["instance"])
    assert machine["State"]["Name"] == "running"
    assert machine["InstanceType"] == f"{_family(here)}.small"
    assert "KeyName" not in machine
    assert machine["MetadataOptions"]["HttpTokens"] == "required"
    assert "devbox" in machine["IamInstanceProfile"]["Arn"]
    assert machine["SubnetId"] in stack.outputs["EcsSubnetIdsCsv"].split(",")
    assert machine["PublicIpAddress"]
    tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
    assert (tags["service"], tags["managed-by"]) == ("pullwright", "cloudformation")
    (disk,) = machine["BlockDeviceMappings"]
    (volume,) = stack.client("ec2").describe_volumes(VolumeIds=[disk["Ebs"]["VolumeId"]])["Volumes"]
    assert (volume["VolumeType"], volume["Size"], volume["Encrypted"]) == ("gp3", 80, True)
    groups = [group["GroupId"] for group in machine["NetworkInterfaces"][0]["Groups"]]
    (group,) = stack.client("ec2").describe_security_groups(GroupIds=groups)["SecurityGroups"]
    assert group["IpPermissions"] == []
    assert stack.outputs["EcsSecurityGroupId"] not in groups


def test_the_pages_commands_run_as_they_stand(operator: Operator, box: dict[str, Any]) -> None:
    """Each line of docs/devbox.md that is marked as runnable exits with 0."""
    page = (ROOT / "docs" / "devbox.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh runnable\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    done = operator.shell("bash", "-euo", "pipefail", "-c", block)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"HostName {box['instance']}" in done.stdout
    assert "cloudformation delete-stack" in done.stdout


@pytest.fixture(scope="module")
def deployed(
    stack: Stack, here: Sam, operator: Operator, box: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Provide the calls of a deployment of the main stack from the box, and of a look at it, by role."""
    stack.client("s3").create_bucket(Bucket=UPLOADS)
    roles = [role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]]
    (name,) = (role for role in roles if role.startswith(f"{here.stack}-devbox-BoxRole"))
    arn = stack.client("iam").get_role(RoleName=name)["Role"]["Arn"]
    keys = stack.client("sts").assume_role(RoleArn=arn, RoleSessionName=box["instance"])["Credentials"]
    developer = Operator(
        {
            **operator.environment,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
            "PULLWRIGHT_DEPLOYMENT_ROLE": box["outputs"]["DeploymentRoleArn"],
        }
    )
    boundary = box["outputs"]["PermissionsBoundaryArn"]
    chosen = {"PermissionsBoundaryArn": boundary, "AgentImageDigest": DIGEST, "ModelId": "anthropic.claude-x"}
    chosen |= {"ModelPrices": "anthropic.claude-x=1/2", "LogRetentionDays": "14"}
    options = [word for key, value in chosen.items() for word in ("--parameter", f"{key}={value}")]
    code, _, said = developer.run("deploy", *options)
    assert code == 0, said
    # What else the page says of the box: each looks at the deployment, and may find something.
    for words in (["doctor"], ["sessions"], ["releases"], ["cost"]):
        assert developer.run(*words)[1], words
    names = {"BoxRole": name, "DeploymentRole": box["outputs"]["DeploymentRoleArn"].rpartition("/")[2]}
    # The file may hold calls of boxes of before.
    lines = (Path(stack.described["log_dir"]) / "aws-calls.jsonl").read_text().splitlines()
    calls = [call for line in lines if (call := json.loads(line))["role"] in names.values()]
    return {
        kind: [
            call
            for call in calls
            if call["role"] == role
            and (call["service"], call["operation"]) not in WITHOUT_RIGHTS | NOT_OF_AWS
        ]
        for kind, role in names.items()
    }


def _policies(stack: Stack, role: str) -> list[Mapping[str, Any]]:
    iam = stack.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]


def test_the_box_may_make_each_call_of_a_deployment(
    stack: Stack, deployed: dict[str, list[dict[str, Any]]]
) -> None:
    """What deploy, doctor and others asked for is within its policies, and nothing by another role."""
    calls = deployed["BoxRole"]
    assert {"CreateChangeSet", "ExecuteChangeSet"} <= {call["operation"] for call in calls}
    policies = _policies(stack, calls[0]["role"])
    assert {why for call in calls if (why := refusal(policies, call))} == set()
    (created,) = (call for call in calls if call["operation"] == "CreateChangeSet")
    own = {name: value for name, value in created["resources"].items() if name != "RoleARN"}
    assert refusal(policies, {**created, "resources": own})
    assert refusal(policies, {**created, "resources": {**created["resources"], "StackName": "other"}})
    started = {"service": "ec2", "operation": "RunInstances", "resources": {}, "context": {}}
    assert refusal(policies, started) == "ec2:RunInstances on *"


def test_the_deployment_may_make_each_of_its_calls(
    stack: Stack, deployed: dict[str, list[dict[str, Any]]]
) -> None:
    """What CloudFormation did is within its role's policies: roles with the boundary, and none without."""
    calls = deployed["DeploymentRole"]
    policies = _policies(stack, calls[0]["role"])
    assert {why for call in calls if (why := refusal(policies, call))} == set()
    on_roles = [
        call for call in calls if call["operation"] in {"PutRolePermissionsBoundary", "PutRolePolicy"}
    ]
    assert {call["operation"] for call in on_roles} == {"PutRolePermissionsBoundary", "PutRolePolicy"}
    for call in on_roles:
        assert refusal(policies, {**call, "context": {"iam:PermissionsBoundary": []}})
    assert not {call["operation"] for call in calls} & {"RunInstances", "CreateRole", "CreateVpc"}


def _held(stack: Stack, boundary: str) -> list[str]:
    iam = stack.client("iam")
    roles = [iam.get_role(RoleName=role["RoleName"])["Role"] for role in iam.list_roles()["Roles"]]
    return [
        role["RoleName"]
        for role in roles
        if role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == boundary
    ]


@pytest.mark.usefixtures("deployed")
def test_a_box_whose_boundary_is_in_use_stays(
    stack: Stack, here: Sam, operator: Operator, box: dict[str, Any]
) -> None:
    """The main stack's roles carry it since that deployment, so that `down` is refused until another one."""
    boundary = box["outputs"]["PermissionsBoundaryArn"]
    assert any("TaskRole" in role for role in _held(stack, boundary))
    code, _, said = operator.run("devbox", "down", "--yes")
    assert code == errors.DevBoxNotRemoved.exit_code
    assert "PermissionsBoundaryArn=" in json.loads(said.splitlines()[-1])["remedy"]
    of_before = {
        "PermissionsBoundaryArn": '""',
        "AgentImageDigest": '""',
        "ModelId": '""',
        "ModelPrices": '""',
    }
    replace(here, parameters={**of_before, "LogRetentionDays": "30", **here.parameters}).deploy()
    assert _held(stack, boundary) == []


def test_it_is_changed_stopped_started_and_removed(
    stack: Stack, here: Sam, operator: Operator, box: dict[str, Any]
) -> None:
    """The same machine each time, and nothing is left of it at the end."""
    larger = f"{_family(here)}.medium"
    code, changed, said = operator.run("devbox", "up", "--yes", "--minutes", "0", "--type", larger)
    assert code == 0, said
    assert (changed["instance"], changed["type"]) == (box["instance"], larger)
    assert operator.run("devbox", "stop")[1]["state"] == "stopped"
    assert operator.shell("pullwright", "devbox", "connect").returncode == errors.DevBoxStopped.exit_code
    assert operator.run("devbox", "start", "--minutes", "0")[1]["state"] == "running"
    code, removed, said = operator.run("devbox", "down", "--yes")
    assert (code, removed["removed"]) == (0, f"{here.stack}-devbox"), said
    assert "has not said yet whether it has work" in said
    assert operator.run("devbox", "status")[0] == errors.DevBoxMissing.exit_code
    assert _machine(stack, box["instance"])["State"]["Name"] == "terminated"
    assert _left(stack, here.stack) == []


def _left(stack: Stack, main: str) -> list[str]:
    """Return the names of all that a box consists of and that is still there."""
    ec2, iam = stack.client("ec2"), stack.client("iam")
    names = [group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]]
    names += [one["LaunchTemplateName"] for one in ec2.describe_launch_templates()["LaunchTemplates"]]
    names += [role["RoleName"] for role in iam.list_roles()["Roles"]]
    names += [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]]
    names += [one["InstanceProfileName"] for one in iam.list_instance_profiles()["InstanceProfiles"]]
    names += [one["logGroupName"] for one in stack.client("logs").describe_log_groups()["logGroups"]]
    names += [one["AlarmName"] for one in stack.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    return [name for name in names if f"{main}-devbox" in name or name == f"/pullwright/{main}/devbox"]

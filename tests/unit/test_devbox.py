"""`pullwright devbox` against moto's EC2, CloudFormation and logs, and an AWS CLI that notes its calls."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pullwright import errors
from pullwright_cli import devbox_commands
from pullwright_cli.aws import Stack
from pullwright_cli.devbox import making
from pullwright_cli.devbox.making import OUTPUTS, TEMPLATE
from tests.template.kit import template
from tests.unit import aws_kit
from tests.unit.cli_kit import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MAIN = "pullwright-prod"
REGION = aws_kit.REGION
GROUP = f"/pullwright/{MAIN}/devbox"
SOURCE = "https://github.com/acme/pullwright.git"
# Notes each word of a call on a line; fails if it was told to, as the CLI does.
AWS = """#!/bin/sh
folder=$(dirname "$0")
for word; do printf '%s\\n' "$word"; done >>"$folder/calls"; echo ";" >>"$folder/calls"
exit "$(cat "$folder/fails" 2>/dev/null || echo 0)"
"""


class CloudFormation:
    """Stacks by name, as the command reads and removes them. Moto's own needs packages that are not here."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def describe_stacks(self, **call: str) -> dict[str, Any]:
        """See AWS, which calls a name that it does not know a wrong parameter."""
        name = call["StackName"]
        if name not in self.stacks:
            text = f"Stack with id {name} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": text}}, "DescribeStacks")
        return {"Stacks": [self.stacks[name]]}

    def describe_stack_events(self, **_: str) -> dict[str, Any]:
        """See AWS: newest first."""
        return {"StackEvents": self.events}

    def delete_stack(self, **call: str) -> None:
        """See AWS."""
        self.deleted.append(call["StackName"])
        del self.stacks[call["StackName"]]

    def get_paginator(self, _name: str) -> Any:
        """Return what pages through all stacks."""
        return self

    def paginate(self) -> list[dict[str, Any]]:
        """Return one page."""
        return [{"Stacks": list(self.stacks.values())}]

    def get_waiter(self, _name: str) -> Any:
        """Return what waits; deletions are at once."""
        return self

    def wait(self, **_: Any) -> None:
        """Wait for nothing."""


@dataclass
class Account:
    """An account with a deployment, and perhaps a box."""

    bin: Path
    cloudformation: CloudFormation = field(default_factory=CloudFormation)
    vpc: str = ""
    subnets: list[str] = field(default_factory=list)
    instance: str = ""

    def calls(self) -> list[list[str]]:
        """Return the calls of the AWS CLI."""
        file = self.bin / "calls"
        return [call.split("\n") for call in file.read_text().split("\n;\n")[:-1]] if file.exists() else []

    def client(self, service: str) -> Any:
        """Return a client."""
        return self.cloudformation if service == "cloudformation" else aws_kit.client(service)

    def stack(self, name: str, outputs: dict[str, str], **parameters: str) -> None:
        """Have a stack with these outputs."""
        tags = {"service": "pullwright", "environment": "prod"}
        self.cloudformation.stacks[name] = {
            "StackName": name,
            "StackStatus": "UPDATE_COMPLETE",
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def make_box(self) -> None:
        """Have a box whose machine runs."""
        machine = self.client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"][0]
        self.instance = machine["InstanceId"]
        self.stack(f"{MAIN}-devbox", {"InstanceId": self.instance, "PermissionsBoundaryArn": "arn:boundary"})

    def says(self, kind: str, text: str) -> None:
        """Have the box say something."""
        logs, stream = self.client("logs"), f"{self.instance}/{kind}"
        if not logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=stream)["logStreams"]:
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000) + 2000, "message": text}
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])


@pytest.fixture(scope="module")
def network() -> Iterator[tuple[str, list[str]]]:
    """Provide a VPC with a private subnet and a public one, and what the box's log is in."""
    with mock_aws():
        ec2 = aws_kit.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
            for number in range(2)
        ]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[1])
        aws_kit.client("logs").create_log_group(logGroupName=GROUP)
        yield vpc, subnets


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a checkout whose remote is on GitHub."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "local").mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "pullwright"\n')
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    origin = ["git", "-C", str(folder), "remote", "add", "origin", "git@github.com:acme/pullwright.git"]
    subprocess.run(origin, check=True)
    return folder


@pytest.fixture
def account(
    tmp_path: Path, checkout: Path, network: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> Account:
    """Provide an account with a deployment, and the programs that the commands call."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("aws", "session-manager-plugin"):
        (folder / name).write_text(AWS)
        (folder / name).chmod(0o755)
    account = Account(folder, CloudFormation(), *network)
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(Stack, "session", aws_kit.session())
    monkeypatch.setattr(Stack, "client", lambda _, name: account.client(name))
    monkeypatch.setattr(making, "_SECONDS", 0.01)
    outputs = {name: f"the-{name}" for name in OUTPUTS}
    outputs |= {"VpcId": account.vpc, "EcsSubnetIdsCsv": ",".join(account.subnets)}
    account.stack(MAIN, outputs, Architecture="arm64", PermissionsBoundaryArn="")
    return account


def command(*words: str) -> int:
    """Run a command on the deployment."""
    return run("devbox", *words, "--stack-name", MAIN)


def _parameters(call: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in call[call.index("--parameter-overrides") + 1 :])


def test_up_passes_on_what_the_deployment_is(account: Account) -> None:
    """Every parameter without a default gets a value, in a public subnet, for the deployment's processor."""
    assert command("up", "--yes", "--minutes", "0") == errors.DevBoxMissing.exit_code
    (call,) = account.calls()
    assert call[:4] == ["cloudformation", "deploy", "--template-file", str(Path.cwd() / TEMPLATE)]
    assert call[call.index("--stack-name") + 1] == f"{MAIN}-devbox"
    assert call[call.index("--region") + 1] == REGION
    tags = call[call.index("--tags") + 1 : call.index("--parameter-overrides")]
    assert tags == ["service=pullwright", "environment=prod", "managed-by=cloudformation"]
    given = _parameters(call)
    wanted = template(ROOT / TEMPLATE)["Parameters"]
    assert {name for name, one in wanted.items() if "Default" not in one} <= set(given) <= set(wanted)
    assert (given["SubnetId"], given["AssignPublicIp"]) == (account.subnets[1], "true")
    assert (given["Architecture"], given["RepositoryUrl"]) == ("arm64", SOURCE)
    assert given["AlarmTopicArn"] == "the-AlarmTopicArn"


def test_dry_run_prints_the_plain_call(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the call that is made otherwise, and nothing is made."""
    options = ("up", "--spot", "--stop-at", "19:30", "--time-zone", "Europe/Berlin", "--idle-minutes", "30")
    assert command(*options, "--dry-run") == 0
    line = shlex.split(capsys.readouterr().out)
    assert account.calls() == []
    given = _parameters(line)
    assert (given["Spot"], given["StopAt"], given["TimeZone"]) == ("true", "19:30", "Europe/Berlin")
    assert given["IdleMinutes"] == "30"
    command(*options, "--yes", "--minutes", "0")
    assert account.calls() == [line[1:]]


def test_a_second_up_changes_the_one_box(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is asked for: another subnet, processor or source would be another machine."""
    account.make_box()
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    assert command("up", "--yes", "--idle-minutes", "5", "--json") == 0
    given = _parameters(account.calls()[0])
    assert given["IdleMinutes"] == "5"
    assert not {"SubnetId", "AssignPublicIp", "Architecture", "RepositoryUrl"} & set(given)
    assert json.loads(capsys.readouterr().out)["instance"] == account.instance


def test_without_a_terminal_it_does_not_go_ahead(account: Account) -> None:
    """A machine costs money: it is asked for, or --yes says so."""
    assert command("up") == 2
    assert account.calls() == []


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("READY 1 after 200 s: git 2.4 docker 25", 0, "is ready: git 2.4 docker 25"),
        ("FAILED docker with 1: no such package", errors.DevBoxNotReady.exit_code, "FAILED docker with 1"),
        ("step 3/14 fixes", errors.DevBoxNotReady.exit_code, "waiting for i-[0-9a-f]+: step 3/14 fixes"),
        ("", errors.DevBoxNotReady.exit_code, "waiting for i-[0-9a-f]+: the first word of its set-up"),
    ],
)
def test_up_waits_and_says_for_what(
    account: Account, capsys: pytest.CaptureFixture[str], said: str, code: int, words: str
) -> None:
    """The set-up's own last word decides; without one in time the command ends with what it waited for."""
    account.make_box()
    if said:
        account.says("bootstrap", said)
    assert command("up", "--yes", "--minutes", "0.001") == code
    assert re.search(words, capsys.readouterr().err)


def test_what_was_said_before_the_last_start_does_not_count(account: Account) -> None:
    """A box that was started again is not ready because it was once."""
    account.make_box()
    logs, stream = account.client("logs"), f"{account.instance}/bootstrap"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000) - 60_000, "message": "READY 1 after 9 s: git 2"}
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])
    assert command("connect") == errors.DevBoxNotReady.exit_code


def test_a_refused_machine_says_why(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """CloudFormation's first reason stands in the message; for spare capacity with what to do."""
    account.make_box()
    (account.bin / "fails").write_text("255")
    reason = "There is no Spot capacity available that matches your request."

    now = {"Timestamp": datetime.now(UTC) + timedelta(seconds=9), "ResourceStatus": "CREATE_FAILED"}
    cancelled = {"LogicalResourceId": "Alarm", "ResourceStatusReason": "Resource creation cancelled"}
    account.cloudformation.events = [
        {**now, **cancelled},
        {**now, "LogicalResourceId": "Instance", "ResourceStatusReason": reason},
        {"Timestamp": now["Timestamp"], "ResourceStatus": "CREATE_COMPLETE", "LogicalResourceId": "LogGroup"},
    ]
    assert command("up", "--yes", "--json") == errors.DevBoxNotMade.exit_code
    said = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert f"Instance: {reason}" in said["sentence"]
    assert "cancelled" not in said["sentence"]
    assert "--no-spot" in said["remedy"]


def test_half_of_a_box_goes_before_another_is_made(account: Account) -> None:
    """CloudFormation changes no stack whose creation failed: it is deleted first."""
    account.stack(f"{MAIN}-devbox", {})
    account.cloudformation.stacks[f"{MAIN}-devbox"]["StackStatus"] = "ROLLBACK_COMPLETE"
    command("up", "--yes", "--minutes", "0")
    assert account.cloudformation.deleted == [f"{MAIN}-devbox"]
    assert "SubnetId" in _parameters(account.calls()[0])


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--stop-at", "half past seven"], 2, "--stop-at: half past seven is no time of day"),
        (["--start-at", "25:00"], 2, "--start-at: 25:00 is no time of day"),
        (["--subnet", "subnet-0"], errors.NoWayOut.exit_code, "subnet-0 of vpc-"),
    ],
)
def test_bad_input_makes_nothing(
    account: Account, capsys: pytest.CaptureFixture[str], options: list[str], code: int, words: str
) -> None:
    """The message names the option, what is wrong and what is right."""
    assert command("up", *options, "--yes") == code
    assert words in " ".join(capsys.readouterr().err.split())
    assert account.calls() == []


def test_no_deployment_no_box(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Another name or region is said, and so is a deployment of before dev boxes."""
    assert run("devbox", "up", "--stack-name", "other", "--yes") == errors.StackMissing.exit_code
    assert f"There is no stack other in {REGION}" in capsys.readouterr().err
    account.stack("older", {"VpcId": account.vpc, "EcsSubnetIdsCsv": ",".join(account.subnets)})
    assert run("devbox", "up", "--stack-name", "older", "--yes") == errors.OutputMissing.exit_code
    assert account.calls() == []


def test_private_subnets_are_taken_without_a_public_address(account: Account) -> None:
    """Behind a NAT gateway the box needs none."""
    ec2 = account.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=account.subnets[1], AllocationId=address)["NatGateway"][
        "NatGatewayId"
    ]
    (main,) = (
        table["RouteTableId"]
        for table in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [account.vpc]}])[
            "RouteTables"
        ]
        if any(association.get("Main") for association in table["Associations"])
    )
    ec2.create_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    command("up", "--yes", "--minutes", "0", "--subnet", account.subnets[0])
    given = _parameters(account.calls()[0])
    assert (given["SubnetId"], given["AssignPublicIp"]) == (account.subnets[0], "false")


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what a command would turn into, as a process of its own."""
    monkeypatch.setattr(
        devbox_commands,
        "replace_process",
        lambda line, variables: subprocess.run(line, env=variables, check=True),
    )


@pytest.mark.usefixtures("executed")
def test_connect_is_a_session_of_the_developers(account: Account) -> None:
    """Argument by argument what Session Manager documents for an interactive command.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html
    """
    account.make_box()
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    assert command("connect") == 0
    assert account.calls() == [
        [
            *("ssm", "start-session", "--target", account.instance),
            *("--document-name", "AWS-StartInteractiveCommand"),
            *("--parameters", '{"command":["sudo -iu developer"]}', "--region", REGION),
        ]
    ]


def test_forward_brings_each_port(account: Account) -> None:
    """One session for each, with the port of the box and that of this machine."""
    account.make_box()
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    assert command("forward", "8080", "5433:5432") == 0
    parameters = {call[call.index("--parameters") + 1] for call in account.calls()}
    assert parameters <= {
        '{"portNumber":["8080"],"localPortNumber":["8080"]}',
        '{"portNumber":["5432"],"localPortNumber":["5433"]}',
    }
    assert all("AWS-StartPortForwardingSession" in call for call in account.calls())


@pytest.mark.parametrize("port", ["0", "65536", "http", "80:", "80:0", "1:2:3"])
def test_a_port_that_is_none_is_named(
    account: Account, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    """Before AWS is asked anything."""
    assert command("forward", port) == 2
    assert f"{port}: write a port as PORT or HERE:THERE" in capsys.readouterr().err
    assert account.calls() == []


def test_ssh_sends_a_key_and_comes_through_session_manager(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The section's ProxyCommand, run as ssh runs it, makes both calls with the key's public half alone."""
    account.make_box()
    key = tmp_path / "id_ed25519"
    assert command("ssh-config", "--key", str(key)) == 2
    assert f"ssh-keygen -t ed25519 -f {key}" in capsys.readouterr().err
    key.with_name("id_ed25519.pub").write_text("ssh-ed25519 AAAA me\n")
    assert command("ssh-config", "--key", str(key)) == 0
    section = capsys.readouterr().out
    assert section.splitlines()[:3] == [
        f"Host {MAIN}-devbox",
        f"  HostName {account.instance}",
        "  User developer",
    ]
    proxy = section.partition("ProxyCommand ")[2].strip()
    for sign, value in (("%h", account.instance), ("%r", "developer"), ("%p", "22")):
        proxy = proxy.replace(sign, value)
    subprocess.run(["sh", "-c", f"exec {proxy}"], check=True)
    send, session = account.calls()
    assert send[:2] == ["ec2-instance-connect", "send-ssh-public-key"]
    assert send[send.index("--ssh-public-key") + 1] == f"file://{key}.pub"
    assert send[send.index("--instance-os-user") + 1] == "developer"
    wanted = ["ssm", "start-session", "--target", account.instance, "--document-name", "AWS-StartSSHSession"]
    assert session == [*wanted, "--parameters", "portNumber=22", "--region", REGION]


@pytest.mark.usefixtures("executed")
def test_each_way_not_to_get_onto_it_has_its_own_message(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """No box, a set-up that goes on, a stopped box, no plugin: each says what to do, and opens nothing."""
    assert command("connect") == errors.DevBoxMissing.exit_code
    assert "pullwright devbox up" in capsys.readouterr().err
    account.make_box()
    account.says("bootstrap", "step 2/14 packages")
    assert command("connect") == errors.DevBoxNotReady.exit_code
    assert "step 2/14 packages" in capsys.readouterr().err
    account.client("ec2").stop_instances(InstanceIds=[account.instance])
    assert command("connect") == errors.DevBoxStopped.exit_code
    assert "pullwright devbox start" in capsys.readouterr().err
    (account.bin / "session-manager-plugin").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{account.bin}")
        assert command("connect") == errors.PluginMissing.exit_code
    assert "plugin" in capsys.readouterr().err
    assert account.calls() == []


def test_it_stops_and_starts(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The machine itself is asked for its state."""
    account.make_box()
    assert command("stop", "--dry-run") == 0
    line = capsys.readouterr().out
    assert line.startswith(f"aws ec2 stop-instances --instance-ids {account.instance} ")
    assert command("stop", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"instance": account.instance, "state": "stopped"}
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    assert command("start", "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "running"


def test_status_says_use_disk_and_work(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """What the box said last, and what EC2 says now."""
    account.make_box()
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    account.says(
        "status",
        '{"active":["session"],"idle_minutes":0,"disk_percent":41,"unpushed":["~/x: 1 changed files"]}',
    )
    assert command("status", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ready"], found["active"], found["disk_percent"]) == (True, ["session"], 41)
    assert command("status") == 0
    assert "~/x: 1 changed" in capsys.readouterr().out


def test_down_names_what_would_be_lost(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Unpushed work is named whatever is answered; --yes removes the box with it."""
    account.make_box()
    account.says(
        "status", '{"unpushed":["/home/developer/pullwright: 0 changed files, 2 commits, 0 stashes"]}'
    )
    assert command("down") == 2
    assert "not pushed: /home/developer/pullwright: 0 changed files, 2 commits" in capsys.readouterr().err
    assert command("down", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["removed"] == f"{MAIN}-devbox"
    assert command("down", "--yes") == errors.DevBoxMissing.exit_code


def test_spare_capacity_is_given_back_first(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A persistent request would start another machine when this one ends, so it is cancelled before."""
    account.make_box()
    ec2, order = account.client("ec2"), []

    def describe(**call: Any) -> dict[str, Any]:
        assert call["Filters"] == [{"Name": "instance-id", "Values": [account.instance]}]
        states = (("sir-1", "active"), ("sir-2", "cancelled"), ("sir-3", "disabled"))
        found = [{"SpotInstanceRequestId": name, "State": state} for name, state in states]
        return {"SpotInstanceRequests": found}

    def cancel(**call: Any) -> None:
        order.append(call["SpotInstanceRequestIds"])
        assert account.cloudformation.deleted == []

    monkeypatch.setattr(ec2, "describe_spot_instance_requests", describe)
    monkeypatch.setattr(ec2, "cancel_spot_instance_requests", cancel)
    clients = {"ec2": ec2, "logs": account.client("logs"), "cloudformation": account.cloudformation}
    monkeypatch.setattr(Stack, "client", lambda _, name: clients[name])
    assert command("down", "--yes") == 0
    assert order == [["sir-1", "sir-3"]]
    assert account.cloudformation.deleted == [f"{MAIN}-devbox"]


def test_a_boundary_in_use_keeps_the_box(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """IAM deletes no policy that holds a role, so nothing is begun."""
    account.make_box()
    outputs = account.cloudformation.stacks[MAIN]["Outputs"]
    account.stack(MAIN, {}, PermissionsBoundaryArn="arn:boundary")
    account.cloudformation.stacks[MAIN]["Outputs"] = outputs
    assert command("down", "--yes") == errors.DevBoxNotRemoved.exit_code
    assert "--parameter PermissionsBoundaryArn=" in capsys.readouterr().err
    assert command("stop") == 0


@pytest.mark.parametrize(
    "name", ["up", "status", "connect", "forward", "ssh-config", "start", "stop", "down"]
)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And a line for each example."""
    assert run("devbox", name, "--help") == 0
    assert re.search(rf"^    pullwright devbox {name}", capsys.readouterr().out, re.MULTILINE)

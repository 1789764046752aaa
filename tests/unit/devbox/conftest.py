"""What the tests of `pullwright devbox` share: a network, a checkout, an account."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pullwright_cli.aws import Stack
from pullwright_cli.devbox import making
from pullwright_cli.devbox.making import OUTPUTS, TEMPLATE
from tests.template.kit import ROOT
from tests.unit import aws_kit
from tests.unit.devbox_kit import AWS, GROUP, MAIN, Account, CloudFormation
from tests.unit.moto_kit import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    (folder / "devbox").mkdir()
    shutil.copy(ROOT / TEMPLATE, folder / TEMPLATE)
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
    outputs |= {"JiraSecretArn": "the-JiraSecretArn", "WebhookSecretArn": "the-WebhookSecretArn"}
    outputs |= {"VpcId": account.vpc, "EcsSubnetIdsCsv": ",".join(account.subnets)}
    account.stack(MAIN, outputs, Architecture="arm64", PermissionsBoundaryArn="")
    return account

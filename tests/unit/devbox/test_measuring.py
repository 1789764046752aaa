"""`pullwright devbox measure`, and the table that it writes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pullwright import errors
from pullwright_cli.aws import Stack
from pullwright_cli.devbox.measuring import MEASUREMENTS
from tests.template.kit import ROOT
from tests.unit.devbox_kit import MAIN, command, printed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.devbox_kit import Account

PAGE = ROOT / "docs" / "devbox.md"


class Systems:
    """Systems Manager, which knows one machine or none. Moto has no such call."""

    def __init__(self, status: str) -> None:
        self.status = status

    def describe_instance_information(self, **call: Any) -> dict[str, Any]:
        """See AWS."""
        assert [item["Key"] for item in call["Filters"]] == ["InstanceIds"]
        return {"InstanceInformationList": [{"PingStatus": self.status}] if self.status else []}


@pytest.fixture
def box(account: Account, monkeypatch: pytest.MonkeyPatch) -> Systems:
    """Provide a box that is as promised, and the Systems Manager that tells of it."""
    account.make_box()
    ec2 = account.client("ec2")
    ec2.modify_instance_metadata_options(InstanceId=account.instance, HttpTokens="required")
    account.says("bootstrap", "READY 1 after 200 s: git 2.4 docker 25")
    account.says("status", '{"active": []}')
    name, ended = f"{MAIN}-devbox", datetime.now(UTC)
    account.cloudformation.events = [
        {
            "EventId": str(number),
            "StackId": name,
            "StackName": name,
            "LogicalResourceId": name,
            "ResourceStatus": status,
            "Timestamp": at,
        }
        for number, (status, at) in enumerate(
            [("CREATE_COMPLETE", ended), ("CREATE_IN_PROGRESS", ended - timedelta(seconds=170))]
        )
    ]
    systems = Systems("Online")
    client = account.client
    monkeypatch.setattr(Stack, "client", lambda _, name: systems if name == "ssm" else client(name))
    return systems


@pytest.mark.usefixtures("box")
def test_a_box_as_promised_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each measurement has a value, and takes its place in the page's table, also the second time."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    measured = printed(capsys, "DevBoxMeasured", "measure", "--write", str(page))["measured"]
    found = {one["name"]: one["value"] for one in measured}
    assert found["set-up"] == "200 s of 300 s"
    assert found["stack"] == "170 s of 300 s"
    assert found["tools"] == "git 2.4 docker 25"
    written = page.read_text()
    assert "| measured: 170 s of 300 s (stack) |" in written
    assert "needs AWS" not in written
    assert len(written.splitlines()) == len(PAGE.read_text().splitlines())
    assert command("measure", "--write", str(page)) == 0
    assert page.read_text().count("measured: ") == len(MEASUREMENTS)


def test_what_is_not_kept_is_named(
    account: Account, box: Systems, capsys: pytest.CaptureFixture[str]
) -> None:
    """An agent that is gone, a way in, a set-up that took too long: exit code 1, and which."""
    box.status = ""
    ec2 = account.client("ec2")
    group = ec2.create_security_group(GroupName="open", Description="open", VpcId=account.vpc)["GroupId"]
    ec2.modify_instance_attribute(InstanceId=account.instance, Groups=[group])
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    account.says("bootstrap", "READY 1 after 301 s: git 2.4")
    assert command("measure") == 1
    said = capsys.readouterr()
    assert "not as promised: set-up, agent, closed" in said.err
    assert f"a way in by {group}" in said.out


def test_a_box_that_is_not_ready_is_not_measured(account: Account) -> None:
    """It says why, as `connect` does."""
    assert command("measure") == errors.DevBoxMissing.exit_code
    account.make_box()
    assert command("measure") == errors.DevBoxNotReady.exit_code


@pytest.mark.usefixtures("box")
def test_another_page_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page without the rows, or none at all, is named."""
    page = tmp_path / "page.md"
    assert command("measure", "--write", str(page)) == 2
    assert "cannot be read" in capsys.readouterr().err
    page.write_text("# Another\n")
    assert command("measure", "--write", str(page)) == 2
    assert "has no row for agent, closed" in capsys.readouterr().err
    assert page.read_text() == "# Another\n"


def _rows() -> list[list[str]]:
    table = (
        PAGE.read_text().partition("| kind | promise | held by |\n|---|---|---|\n")[2].partition("\n\n")[0]
    )
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def test_the_table_is_complete() -> None:
    """Each row is held by a test that exists, by `make devbox-test` or by a measurement; none is missing."""
    measured = []
    for _, promise, held in _rows():
        if test := re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", held):
            assert re.search(rf"^def {test[2]}\(", (ROOT / test[1]).read_text(), re.MULTILINE), promise
        elif held != "`make devbox-test`":
            found = re.fullmatch(
                r"(?:needs AWS: `pullwright devbox measure`|measured: .*) \(([a-z-]+)\)", held
            )
            assert found is not None, promise
            measured.append(found[1])
    assert sorted(measured) == sorted(MEASUREMENTS)
    kinds = {kind for kind, _, _ in _rows()}
    assert kinds == {"function", "time", "cost", "security", "what goes wrong"}

"""`pullwright devbox` with a box that is there: the calls of the AWS CLI, and what becomes of the machine."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from pullwright import errors
from pullwright_cli import devbox_commands
from pullwright_cli.aws import Stack
from tests.unit.cli_kit import run
from tests.unit.devbox_kit import MAIN, REGION, command, printed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.devbox_kit import Account


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
        patch.setenv("PATH", f"{account.bin / 'empty'}")
        assert command("connect") == errors.PluginMissing.exit_code
    assert "The AWS CLI is missing. Install it: https://aws.amazon.com/cli/" in capsys.readouterr().err
    assert account.calls() == []


def test_it_stops_and_starts(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The machine itself is asked for its state."""
    account.make_box()
    assert command("stop", "--dry-run") == 0
    line = capsys.readouterr().out
    assert line.startswith(f"aws ec2 stop-instances --instance-ids {account.instance} ")
    for name in ("start", "stop"):
        printed(capsys, "Commands", name, "--dry-run")
    stopped = printed(capsys, "DevBoxState", "stop")
    assert stopped == {"instance": account.instance, "state": "stopped"}
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    assert printed(capsys, "DevBoxState", "start")["state"] == "running"


def test_status_says_use_disk_and_work(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """What the box said last, and what EC2 says now."""
    account.make_box()
    account.says("bootstrap", "READY 1 after 9 s: git 2")
    account.says(
        "status",
        '{"active":["session"],"idle_minutes":0,"disk_percent":41,"unpushed":["~/x: 1 changed files"]}',
    )
    found = printed(capsys, "DevBoxStatus", "status")
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
    printed(capsys, "Commands", "down", "--dry-run")
    removed = printed(capsys, "DevBoxRemoved", "down", "--yes")
    assert removed["removed"] == f"{MAIN}-devbox"
    assert len(removed["unpushed"]) == 1
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
    clients = {"ec2": ec2, "logs": account.client("logs"), "cloudformation": account.cloudformation.client}
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
    "name", ["up", "status", "connect", "forward", "ssh-config", "start", "stop", "measure", "down"]
)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And a line for each example."""
    assert run("devbox", name, "--help") == 0
    assert re.search(rf"^    pullwright devbox {name}", capsys.readouterr().out, re.MULTILINE)

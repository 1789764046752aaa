"""How one gets onto the box: Session Manager, without an open port and without a key pair."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from pullwright import errors
from pullwright_cli.devbox.making import place
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pullwright_cli.devbox.box import Box

USER = "developer"
PLUGIN = "session-manager-plugin"
_PORT = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?")
_HIGHEST = 65_535


def check_programs() -> None:
    """Check for the AWS CLI and its plugin.

    Raises:
        PluginMissing: one of them is missing.
    """
    if shutil.which("aws") is None:
        raise errors.PluginMissing(
            "The AWS CLI is missing.", remedy="Install it: https://aws.amazon.com/cli/"
        )
    if shutil.which(PLUGIN) is None:
        raise errors.PluginMissing("The Session Manager plugin of the AWS CLI is missing.")


def shell(box: Box) -> list[str]:
    """Return the call that opens a shell of the developer's."""
    return _session(box, "AWS-StartInteractiveCommand", {"command": [f"sudo -iu {USER}"]})


def forward(box: Box, here: int, there: int) -> list[str]:
    """Return the call that brings a port of the box's to this machine."""
    parameters = {"portNumber": [str(there)], "localPortNumber": [str(here)]}
    return _session(box, "AWS-StartPortForwardingSession", parameters)


def ports(text: str) -> tuple[int, int]:
    """Read `PORT` or `HERE:THERE`.

    Raises:
        CliError: it is neither.
    """
    found = _PORT.fullmatch(text)
    numbers = [int(number) for number in found.groups() if number] if found else []
    if not numbers or not all(1 <= number <= _HIGHEST for number in numbers):
        raise CliError(f"{text}: write a port as PORT or HERE:THERE, each between 1 and {_HIGHEST}", 2)
    return numbers[0], numbers[-1]


def run_all(lines: Sequence[Sequence[str]]) -> int:
    """Run all until one ends or Ctrl-C, then end the others.

    Returns:
        The exit code of the one that ended first.
    """
    running = [subprocess.Popen(line) for line in lines]
    try:
        while True:
            for process in running:
                try:
                    return process.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def ssh_config(box: Box, key: Path) -> str:
    """Return a section for ~/.ssh/config.

    The public key counts on the box for one minute after each connection begins, and is stored nowhere:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-connect-methods.html

    Raises:
        CliError: there is no such key.
    """
    public = key.with_name(f"{key.name}.pub")
    if not public.exists():
        raise CliError(f"there is no key {public}: `ssh-keygen -t ed25519 -f {key}` makes one", 2)
    where = shlex.join(place(box))
    send = (
        "aws ec2-instance-connect send-ssh-public-key --instance-id %h --instance-os-user %r "
        f"--ssh-public-key file://{public} {where} >/dev/null"
    )
    session = (
        "exec aws ssm start-session --target %h --document-name AWS-StartSSHSession "
        f"--parameters portNumber=%p {where}"
    )
    return "\n".join(
        [
            f"Host {box.name}",
            f"  HostName {box.instance_id}",
            f"  User {USER}",
            f"  IdentityFile {key}",
            "  IdentitiesOnly yes",
            "  StrictHostKeyChecking accept-new",
            "  ServerAliveInterval 30",
            f"  ProxyCommand sh -c '{send} && {session}'",
        ]
    )


def _session(box: Box, document: str, parameters: dict[str, list[str]]) -> list[str]:
    return [
        *("aws", "ssm", "start-session", "--target", box.instance_id, "--document-name", document),
        *("--parameters", json.dumps(parameters, separators=(",", ":")), *place(box)),
    ]

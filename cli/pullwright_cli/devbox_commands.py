"""`pullwright devbox`: a machine in the account that builds, tests and deploys."""

from __future__ import annotations

import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pullwright_cli.checkout import Checkout
from pullwright_cli.env_commands import replace_process
from pullwright_cli.errors import CliError
from pullwright_cli.groups import Group
from pullwright_cli.options import DryRun, Json, Target, Yes, confirm

if TYPE_CHECKING:
    from pullwright_cli.devbox.box import Box

app = Group(help="A machine in the account that builds, tests and deploys: no key, no open port, no console.")

Minutes = Annotated[
    float, typer.Option("--minutes", min=0, help="How long to wait until it is ready; 0: not.")
]


class Processor(StrEnum):
    """Processors, as the template calls them."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


@app.command()
def up(
    *,
    architecture: Annotated[
        Processor | None,
        typer.Option("--architecture", show_default=False, help="The main stack's without it."),
    ] = None,
    size: Annotated[
        str,
        typer.Option("--type", show_default=False, help="t4g.small or t3a.small without it."),
    ] = "",
    spot: Annotated[bool | None, typer.Option("--spot/--no-spot", help="Spare capacity, for less.")] = None,
    idle_minutes: Annotated[
        int | None,
        typer.Option(
            min=0, max=1440, show_default=False, help="Unused, then it stops; 60 without it, 0: never."
        ),
    ] = None,
    stop_at: Annotated[
        str, typer.Option(metavar="HH:MM", show_default=False, help="It stops then, daily.")
    ] = "",
    start_at: Annotated[
        str, typer.Option(metavar="HH:MM", show_default=False, help="It starts then, Monday to Friday.")
    ] = "",
    time_zone: Annotated[str, typer.Option(show_default=False, help="Of both, such as Europe/Berlin.")] = "",
    repository: Annotated[
        str,
        typer.Option(
            "--source", show_default=False, help="https:// address of the source; origin's without it."
        ),
    ] = "",
    revision: Annotated[str, typer.Option(show_default=False, help="Branch, tag or commit of it.")] = "",
    subnet: Annotated[str, typer.Option(show_default=False, help="One of the deployment's without it.")] = "",
    minutes: Minutes = 15,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Make the box of a deployment, or change it, and wait until it is ready. Called inside a checkout.

    \b
    Examples:
      pullwright devbox up --env staging
      pullwright devbox up --spot --stop-at 19:00 --time-zone Europe/Berlin --yes --json
    """
    from pullwright_cli.devbox import making  # noqa: PLC0415 - boto3 takes half a second to import
    from pullwright_cli.devbox.box import as_json  # noqa: PLC0415 - as above
    from pullwright_cli.moments import time_of_day  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    root = Checkout.find(Path.cwd()).root
    if not (root / making.TEMPLATE).is_file():
        raise CliError(f"{root} has no {making.TEMPLATE}: it is of a release before dev boxes; update it", 2)
    box = _box(target)
    chosen = {
        "Architecture": str(architecture or ""),
        "InstanceType": size,
        "Spot": "" if spot is None else str(spot).lower(),
        "IdleMinutes": "" if idle_minutes is None else str(idle_minutes),
        "StopAt": time_of_day("--stop-at", stop_at),
        "StartAt": time_of_day("--start-at", start_at),
        "TimeZone": time_zone,
        "RepositoryUrl": repository,
        "Revision": revision,
    }
    values = making.parameters(box, root, subnet, {name: value for name, value in chosen.items() if value})
    if dry_run:
        _plan([making.deploy_line(box, root, values)], as_json=json)
        return
    what = "Change the dev box" if box.is_whole else "Make the dev box"
    confirm(f"{what} {box.name} in {box.main.place}?", yes=yes)
    making.make(box, root, values)
    box = _box(target)
    if minutes:
        making.wait(box, minutes)
    if json:
        print_json(as_json(box))
    else:
        print(f"The dev box is {box.instance_id}. A shell on it: pullwright devbox connect")


@app.command()
def status(
    *,
    target: Target,
    json: Json = False,
) -> None:
    r"""Say how the box is: its machine, its set-up, its use, its disk, and work that is not pushed.

    \b
    Example:
      pullwright devbox status --json | jq .state
    """
    from pullwright_cli.devbox.box import as_json  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_fields, print_json  # noqa: PLC0415 - as above

    found = as_json(_box(target))
    if json:
        print_json(found)
        return
    shown = ("stack", "instance", "state", "type", "started_at", "set_up", "idle_minutes", "disk_percent")
    fields = [(name.replace("_", " "), found[name]) for name in shown]
    fields += [("in use by", ", ".join(found["active"] or []))]
    print_fields([*fields, *(("not pushed", line) for line in found["unpushed"] or [])])


@app.command()
def connect(
    *,
    dry_run: DryRun = False,
    target: Target,
) -> None:
    r"""Open a shell on the box, through Session Manager.

    \b
    Example:
      pullwright devbox connect --env staging
    """
    from pullwright_cli.devbox.connecting import check_programs, shell  # noqa: PLC0415 - as above

    box = _box(target)
    line = shell(box)
    if dry_run:
        _plan([line])
        return
    check_programs()
    box.ready()
    replace_process(line, os.environ)


@app.command()
def forward(
    ports: Annotated[
        list[str], typer.Argument(metavar="PORT…", help="Of the box; HERE:THERE for another here.")
    ],
    *,
    dry_run: DryRun = False,
    target: Target,
) -> None:
    r"""Bring ports of the box's to this machine, until Ctrl-C.

    \b
    Example:
      pullwright devbox forward 8080 5433:5432
    """
    from pullwright_cli.devbox import connecting  # noqa: PLC0415 - as above

    pairs = [connecting.ports(text) for text in ports]
    box = _box(target)
    lines = [connecting.forward(box, here, there) for here, there in pairs]
    if dry_run:
        _plan(lines)
        return
    connecting.check_programs()
    box.ready()
    raise typer.Exit(connecting.run_all(lines))


@app.command("ssh-config")
def ssh_config(
    *,
    key: Annotated[
        Path, typer.Option("--key", help="A private key of yours, with its .pub beside it.")
    ] = Path("~/.ssh/id_ed25519"),
    target: Target,
) -> None:
    r"""Print a section for ~/.ssh/config, for ssh, scp and VS Code. The box keeps no key.

    \b
    Example:
      pullwright devbox ssh-config >> ~/.ssh/config
    """
    from pullwright_cli.devbox.connecting import check_programs  # noqa: PLC0415 - as above
    from pullwright_cli.devbox.connecting import ssh_config as section  # noqa: PLC0415 - as above

    check_programs()
    print(section(_box(target), key.expanduser().absolute()))


@app.command()
def start(
    *,
    minutes: Minutes = 15,
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Start the box, and wait until it is ready.

    \b
    Example:
      pullwright devbox start
    """
    from pullwright_cli.devbox.making import wait  # noqa: PLC0415 - as above

    box = _box(target)
    if dry_run:
        _plan([_line(box, "start-instances")], as_json=json)
        return
    box.instance()
    box.main.client("ec2").start_instances(InstanceIds=[box.instance_id])
    if minutes:
        wait(box, minutes)
    _show_state(box, as_json=json)


@app.command()
def stop(
    *,
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Stop the box. Its disk stays, and costs what it costs.

    \b
    Example:
      pullwright devbox stop
    """
    box = _box(target)
    if dry_run:
        _plan([_line(box, "stop-instances")], as_json=json)
        return
    box.instance()
    box.main.client("ec2").stop_instances(InstanceIds=[box.instance_id])
    _show_state(box, as_json=json)


@app.command()
def measure(
    *,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FILE",
            show_default=False,
            help="Put the table into this page, docs/devbox.md.",
        ),
    ] = None,
    target: Target,
    json: Json = False,
) -> None:
    r"""Measure what only a box in AWS can tell. Exits with 1 if a promise is not kept.

    \b
    Example:
      pullwright devbox measure --write docs/devbox.md
    """
    from pullwright_cli.devbox import measured, measuring  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_fields, print_json  # noqa: PLC0415 - as above

    found = measuring.measure(_box(target))
    if write is not None:
        measured.write(write, {one.name: one.value for one in found})
    if json:
        print_json({"measured": [one._asdict() for one in found]})
    else:
        print_fields([(one.name, one.value if one.holds else f"{one.value}  NOT KEPT") for one in found])
    if broken := [one.name for one in found if not one.holds]:
        raise CliError(f"not as promised: {', '.join(broken)}", 1)


@app.command()
def down(
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Remove the box and its disk. Work on it that is not pushed is named first.

    \b
    Example:
      pullwright devbox down --yes
    """
    from pullwright import errors  # noqa: PLC0415 - as above
    from pullwright_cli.devbox import removing  # noqa: PLC0415 - as above
    from pullwright_cli.devbox.making import place  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    box = _box(target)
    if not box.status:
        raise errors.DevBoxMissing(f"There is no dev box {box.name} in {box.main.place}.")
    removing.check_boundary(box)
    lost = removing.unpushed(box)
    requests = removing.spot_requests(box)
    if dry_run:
        lines = [["aws", "cloudformation", "delete-stack", "--stack-name", box.name, *place(box)]]
        if requests:
            cancel = ["aws", "ec2", "cancel-spot-instance-requests", "--spot-instance-request-ids", *requests]
            lines.insert(0, [*cancel, *place(box)])
        _plan(lines, as_json=json)
    for line in lost:
        print(f"not pushed: {line}", file=sys.stderr)
    if dry_run:
        return
    confirm(f"Remove {box.name} with its disk?", yes=yes)
    removing.take_down(box)
    if json:
        print_json({"removed": box.name, "unpushed": lost})
    else:
        print(f"{box.name} is removed.")


def _box(target: Target) -> Box:
    from pullwright_cli.devbox.box import Box  # noqa: PLC0415 - as above

    return Box(target.stack())


def _plan(lines: list[list[str]], *, as_json: bool = False) -> None:
    from pullwright_cli.terminal import print_commands  # noqa: PLC0415 - as above

    print_commands([shlex.join(line) for line in lines], as_json=as_json)


def _line(box: Box, call: str) -> list[str]:
    from pullwright_cli.devbox.making import place  # noqa: PLC0415 - as above

    return ["aws", "ec2", call, "--instance-ids", box.instance_id, *place(box)]


def _show_state(box: Box, *, as_json: bool) -> None:
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    found: dict[str, Any] = {"instance": box.instance_id, "state": box.instance()["State"]["Name"]}
    if as_json:
        print_json(found)
    else:
        print(f"The dev box {found['instance']} is {found['state']}.")

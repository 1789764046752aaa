"""`pullwright destroy` and `sessions purge`: a deployment goes, or what old sessions left."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.options import (
    DryRun,
    Json,
    OfRepository,
    Target,
    Yes,
    confirm,
    confirm_by_name,
)

if TYPE_CHECKING:
    from pullwright_cli.aws import Stack
    from pullwright_cli.removing.inventory import Inventory, Left
    from pullwright_cli.removing.removal import Wanted

_SHOWN = 10


def destroy(
    *,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Keep the table and the artifacts' bucket.")
    ] = False,
    keep_secrets: Annotated[
        bool, typer.Option("--keep-secrets", help="Keep the secrets, for another deployment with this App.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop what runs; each session pushes what it has.")
    ] = False,
    timeout_minutes: Annotated[
        float, typer.Option("--timeout-minutes", min=0, help="How long to wait for what runs.")
    ] = 60,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Remove a deployment: list what there is, ask, let what runs come to its end, remove, say what is left.

    New sessions are refused from then on, and people are told so. Ctrl-C before the stack is deleted changes
    nothing; afterwards, and after any failure, the same command goes on where the first one ended, up to 90
    days later.

    Exit codes: 75 something could not be removed; others as in docs/contracts.md.

    \b
    Examples:
      pullwright destroy --env staging --dry-run
      pullwright destroy --env staging --stop --keep-data
    """
    from pullwright_cli.removing import inventory, removal  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    stack = target.stack()
    wanted = removal.Wanted(keep_data, keep_secrets, stop, timeout_minutes)
    found = inventory.take(stack)
    if dry_run:
        commands = removal.plan(stack, wanted, found)
        if json:
            print_json(_as_json(stack, wanted, found, commands=commands))
        else:
            print("\n".join(commands) or f"Nothing of {stack.name} is left.")
        return
    removal.check(found, stack)
    if not yes:
        _describe(stack, wanted, found)
        confirm_by_name(f"Remove {stack.name} in {stack.place}?", stack.name)
    done = removal.carry_out(stack, wanted, found, _say)
    if json:
        print_json(
            {
                **_as_json(stack, wanted, found),
                "status": "removed",
                "removed": [part._asdict() for part in done.parts],
                "left": [it._asdict() for it in done.left],
                "untold": list(done.untold),
            }
        )
        return
    print(f"{stack.name} is removed.")
    if done.untold:
        print(f"GitHub had not taken how these sessions ended: {', '.join(done.untold[:_SHOWN])}")
    _print_left(done.left)


def purge(
    *,
    before: Annotated[
        str, typer.Option("--before", show_default=False, help="Begun before: 2026-11-01, or 90d ago.")
    ],
    repo: OfRepository = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Remove the records and artifacts of sessions that have ended, before their retention is up.

    What still runs is left alone, and so is what GitHub has yet to be told. With --repo it queries the index
    by_repository, else by_status. Step Functions keeps executions for 90 days after their end, and CloudWatch
    keeps logs as long as LogRetentionDays says; the totals of months stay.

    \b
    Examples:
      pullwright sessions purge --before 2026-11-01 --dry-run
      pullwright sessions purge --before 30d --repo acme/secret --yes
    """
    from pullwright_cli.moments import since as moment  # noqa: PLC0415 - as above
    from pullwright_cli.removing import purging  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    limit = moment(before, option="--before")
    if limit is None or limit > datetime.now(UTC):
        raise CliError(f"--before: {before!r} is no time in the past: write 2026-11-01 or 90d", 2)
    stack = target.stack()
    found = purging.find(stack, limit, repo)
    commands = purging.lines(stack, found.ended) if dry_run else []
    artifacts = 0
    if not dry_run and found.ended:
        question = f"Remove records and artifacts of {len(found.ended)} sessions of {stack.name}?"
        confirm(question, yes=yes)
        artifacts = purging.purge(stack, found.ended, _say)
    if json:
        document: dict[str, Any] = {
            "stack": stack.name,
            "before": limit.isoformat(),
            "repository": repo or None,
            "purged": [] if dry_run else list(found.ended),
            "artifacts": artifacts,
            "kept": list(found.due),
            "commands": commands,
        }
        print_json(document)
        return
    if dry_run:
        print("\n".join(commands) or "No session fits.")
    else:
        print(f"{len(found.ended)} sessions and {artifacts} artifacts are purged.")
    if found.due:
        _say(f"Kept, because GitHub has yet to be told how they ended: {', '.join(found.due[:_SHOWN])}")


def _as_json(
    stack: Stack, wanted: Wanted, found: Inventory, commands: list[str] | None = None
) -> dict[str, Any]:
    from pullwright_cli.removing.removal import staying  # noqa: PLC0415 - as above

    return {
        "stack": stack.name,
        "status": "planned",
        "resources": found.resources,
        "images": found.images,
        "removed": [part._asdict() for part in found.parts if not wanted.keeps(part)],
        "left": [it._asdict() for it in staying(stack, wanted, found)],
        "untold": [],
        "commands": commands or [],
    }


def _describe(stack: Stack, wanted: Wanted, found: Inventory) -> None:
    """Print what is about to be removed, to standard error."""
    from pullwright_cli.removing.removal import staying  # noqa: PLC0415 - as above

    _say(f"{stack.name} in {stack.place} is {found.status}. To be removed:")
    if found.resources:
        images = "all" if found.images is None else found.images
        _say(f"  {found.resources} resources of the stack, with {images} images")
    for part in found.parts:
        if not wanted.keeps(part):
            _say(f"  {part.kind} {part.name}")
    _say("What stays:")
    for it in staying(stack, wanted, found):
        _say(f"  {it.kind} {it.name}: {it.why}")


def _print_left(left: tuple[Left, ...]) -> None:
    for it in left:
        print(f"Left: {it.kind} {it.name}. {it.why}")
        if it.command:
            print(f"      {it.command}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

"""`pullwright workers`: what a repository's workers are and what starts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pullwright_cli.groups import Group
from pullwright_cli.options import DryRun, Json, Repository, Target

if TYPE_CHECKING:
    from pullwright.workers.routing import Routing

app = Group(
    help="The workers of a repository: .pullwright/workers/*.yaml.",
)

Folder = Annotated[Path, typer.Option("--dir", help="The checkout.", file_okay=False, exists=True)]


@app.command()
def schema() -> None:
    r"""Print the JSON Schema of a worker's file.

    \b
    Example:
      pullwright workers schema > worker.schema.json
    """
    from pullwright.workers.schema import worker_schema  # noqa: PLC0415 - pydantic takes a tenth of a second

    print(json.dumps(worker_schema(), indent=2))


@app.command()
def sync(
    *,
    folder: Folder = Path(),
    repo: Repository = "",
    dry_run: DryRun = False,
    strict: Annotated[bool, typer.Option("--strict", help="Take a warning for an error.")] = False,
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Store the workers of a checkout, as a push to the default branch does by itself.

    Nothing but the repository's entry under REPO# in the stack's table is written.

    Exit codes: 1 the files are wrong, or a warning with --strict; others as in docs/contracts.md.

    \b
    Examples:
      pullwright workers sync --dry-run --strict
      pullwright workers sync --dir ~/src/app --repo acme/app --stack-name pullwright-prod
    """
    from pullwright_cli import syncing  # noqa: PLC0415 - as above

    plan, stack = syncing.read_plan(folder, repo), target.stack()
    is_refused = strict and bool(plan.warnings)
    result = "Nothing was changed." if dry_run or is_refused else syncing.store(plan, stack)
    value = {**plan.as_value(stack), "result": result}
    print(syncing.as_json(value) if as_json else f"{syncing.as_text(value)}\n{result}")
    raise typer.Exit(1 if is_refused else 0)


@app.command("list")
def list_stored(
    *,
    folder: Folder = Path(),
    repo: Repository = "",
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Show which workers a deployment holds of a repository, verified, and what is wrong with newer files.

    Exit codes: 1 what is stored is damaged; others as in docs/contracts.md.

    \b
    Examples:
      pullwright workers list
      pullwright workers list --repo acme/app --json | jq .workers
    """
    from pullwright_cli import syncing  # noqa: PLC0415 - as above
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as above

    value = syncing.stored(repo or repository_of(folder), target.stack())
    print(syncing.as_json(value) if as_json else syncing.as_text(value))


@app.command("test")
def route_payload(
    payload: Annotated[Path, typer.Argument(help="A webhook's JSON body.", dir_okay=False, exists=True)],
    *,
    event: Annotated[
        str | None, typer.Option(help="GitHub's name of the event; found out from the body without it.")
    ] = None,
    folder: Folder = Path(),
    label: Annotated[str, typer.Option(help="The deployment's TriggerLabel.")] = "claude-dev",
    as_json: Json = False,
) -> None:
    r"""Say which workers of a checkout a delivery starts, and why the others do not.

    The exit code is 0 if one starts, 1 if none does.

    \b
    Examples:
      pullwright workers test delivery.json
      pullwright workers test --event pull_request --dir ~/src/app delivery.json
    """
    from pullwright_cli.routing import read_payload, routed  # noqa: PLC0415 - as above

    routing = routed(read_payload(payload), event, folder, label)
    print(_as_json(routing) if as_json else _as_text(routing))
    raise typer.Exit(0 if routing.matches else 1)


def _as_json(routing: Routing) -> str:
    matched: list[dict[str, Any]] = [
        {"worker": match.worker.id, "asks": sorted(match.asks)} for match in routing.matches
    ]
    return json.dumps({"matched": matched, "unmatched": dict(routing.reasons)}, indent=2)


def _as_text(routing: Routing) -> str:
    lines = []
    for match in routing.matches:
        asks = f" if GitHub says so about its {' and '.join(sorted(match.asks))}" if match.asks else ""
        lines.append(f"✓ {match.worker.id} starts{asks}")
    lines += [f"✗ {worker} {reason}" for worker, reason in routing.reasons.items()]
    return "\n".join(lines)

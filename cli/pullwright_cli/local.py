"""`pullwright local`: the local stack of a checkout."""

import subprocess
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from pullwright_cli.checkout import Checkout
from pullwright_cli.groups import Group

app = Group(
    help="The local stack: everything on this machine, without AWS or Docker. Called inside a checkout.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def _launcher(*, set_up: bool = False) -> ModuleType:
    return Checkout.find(Path.cwd()).launcher(set_up=set_up)


def _is_refusal(value: int | None) -> int | None:
    if value not in {None, 401, 403, 404}:
        raise typer.BadParameter(f"{value}: GitHub answers unknown tokens with 401, 403 or 404")
    return value


def _is_assignment(values: list[str]) -> list[str]:
    for value in values:
        if "=" not in value:
            raise typer.BadParameter(f"{value}: write it as NAME=VALUE")
    return values


@app.command()
def up(
    *,
    model: Annotated[
        str | None,
        typer.Option(help="What plays the model: scripted (default), anthropic, bedrock or auto."),
    ] = None,
    parameter: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUE",
            callback=_is_assignment,
            help="A parameter of the template; may be given several times.",
        ),
    ] = [],  # noqa: B006 - Typer's way to say "none"
    json: Json = False,
) -> None:
    r"""Start everything and deploy; do only what is missing.

    \b
    Examples:
      pullwright local up
      pullwright local up --model auto --parameter MaxConcurrentSessions=1
    """
    parameters = dict(value.split("=", 1) for value in parameter)
    raise typer.Exit(_launcher(set_up=True).up(model, parameters, as_json=json))


@app.command()
def watch(
    *,
    model: Annotated[
        str | None,
        typer.Option(help="What plays the model: scripted (default), anthropic, bedrock or auto."),
    ] = None,
) -> None:
    r"""Start everything, and make what is edited in the checkout live within seconds, until Ctrl-C.

    Functions and state machine are published as new versions, and tasks run the runner as it stands there; a
    change of the template or of the local stack itself is deployed, which takes as long as `up`.

    \b
    Examples:
      pullwright local watch
    """
    raise typer.Exit(_launcher(set_up=True).watch(model))


@app.command()
def down(
    *, discard: Annotated[bool, typer.Option("--discard", help="Keep nothing.")] = False, json: Json = False
) -> None:
    r"""End everything; records and artifacts come back with the next up.

    \b
    Examples:
      pullwright local down
      pullwright local down --discard
    """
    raise typer.Exit(_launcher().down(discard=discard, as_json=json))


@app.command()
def status(*, json: Json = False) -> None:
    r"""Show what runs, and where; exit code 3 if the stack is down.

    \b
    Examples:
      pullwright local status
      pullwright local status --json | jq .processes
    """
    raise typer.Exit(_launcher().status(as_json=json))


@app.command()
def env(*, json: Json = False) -> None:
    r"""Print shell variables for the running stack; exit code 3 if it is down.

    \b
    Examples:
      eval "$(pullwright local env)"
      aws stepfunctions list-executions --state-machine-arn "$StateMachineArn"
    """
    raise typer.Exit(_launcher().env(as_json=json))


@app.command()
def clean(*, json: Json = False) -> None:
    r"""End everything and remove the stack's data.

    \b
    Examples:
      pullwright local clean
    """
    raise typer.Exit(_launcher().clean(as_json=json))


@app.command()
def demo(
    *,
    repo: Annotated[
        Path | None, typer.Option(help="A git repository on this machine to work on; it is only read.")
    ] = None,
    issue: Annotated[
        str | None, typer.Option(help="The issue's text, for --repo; its first line is the title.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="How long to wait for the end.")] = 65,
    lag: Annotated[
        int | None,
        typer.Option(
            metavar="401|403|404",
            callback=_is_refusal,
            help="GitHub does not know new tokens (answered so) and new objects for a moment.",
        ),
    ] = None,
) -> None:
    r"""Turn a labelled issue into a finished pull request, on the local stack.

    Exit codes: 1 the session failed, 3 the local stack did not come up or did not answer.

    \b
    Examples:
      pullwright local demo
      pullwright local demo --repo ../service --issue "Totals are rounded wrongly"
    """
    if (repo is None) != (not issue):
        raise typer.BadParameter(
            'they go together: --repo path/to/repository --issue "what is wrong"',
            param_hint="--repo and --issue",
        )
    if repo is not None and not _is_repository(repo):
        raise typer.BadParameter(
            f"{repo} is no git repository; name a folder that holds one", param_hint="--repo"
        )
    raise typer.Exit(_launcher(set_up=True).demo(repo, issue, minutes, lag))


def _is_repository(path: Path) -> bool:
    command = ["git", "-C", str(path), "rev-parse", "--git-dir"]  # Git is what decides.
    return subprocess.run(command, capture_output=True, check=False).returncode == 0

"""Options that several commands share, and what they mean everywhere."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright_cli.aws import Stack

REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


def _is_repository(value: str) -> str:
    if value and not REPOSITORY.fullmatch(value):
        raise typer.BadParameter(f"{value}: write it as OWNER/NAME")
    return value


Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; print what would be done.")]
StackName = Annotated[
    str,
    typer.Option(
        "--stack-name",
        envvar="PULLWRIGHT_STACK_NAME",
        show_envvar=True,
        show_default=False,
        help="The stack in CloudFormation; that of samconfig.toml without it, else pullwright-default.",
    ),
]
Environment = Annotated[
    str,
    typer.Option(
        "--env", show_default=False, help="A section of samconfig.toml, else the stack pullwright-ENV."
    ),
]
Region = Annotated[str, typer.Option("--region", help="Of AWS.", show_default=False)]
Profile = Annotated[str, typer.Option("--profile", help="In AWS's own settings.", show_default=False)]


class Target(NamedTuple):
    """The stack that a command works on: a parameter `target` of a command is these four options."""

    stack_name: StackName = ""
    env: Environment = ""
    region: Region = ""
    profile: Profile = ""

    def stack(self, *, service: str = "", folder: Path | None = None) -> Stack:
        """Return the stack that they name; see `Stack.resolve`."""
        from pullwright_cli.aws import Stack  # noqa: PLC0415 - boto3 takes a quarter of a second to import

        return Stack.resolve(
            self.stack_name,
            service=service,
            environment=self.env,
            region=self.region,
            profile=self.profile,
            folder=folder,
        )


Repository = Annotated[
    str,
    typer.Option(
        "--repo",
        metavar="OWNER/NAME",
        callback=_is_repository,
        show_default=False,
        help="On GitHub; that of the remote origin without it.",
    ),
]
OfRepository = Annotated[
    str,
    typer.Option(
        "--repo",
        metavar="OWNER/NAME",
        callback=_is_repository,
        show_default=False,
        help="Of this repository on GitHub.",
    ),
]

CanaryIssue = Annotated[
    int | None,
    typer.Option(
        "--issue", min=1, show_default=False, help="One kept for canaries, with one pull request for all."
    ),
]
CanaryMinutes = Annotated[float, typer.Option("--minutes", min=0.1, help="How long the session may take.")]


def confirm_by_name(question: str, name: str) -> None:
    """Ask for a name before something is lost for good.

    Raises:
        CliError: nobody is there to answer, or another name is typed.
    """
    if not sys.stdin.isatty():
        raise CliError(f"{question} There is no terminal to answer from: say --yes", 2)
    print(f"{question} Type its name, {name}: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != name:
        raise CliError("nothing was changed", 1)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone.

    Raises:
        CliError: nobody is there to answer, or the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CliError(f"{question} There is no terminal to answer from: say --yes", 2)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CliError("nothing was changed", 1)

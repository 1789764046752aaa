"""The command `pullwright`: its groups of commands, and how it ends.

Exit codes: 0 done, 2 wrong usage; each command says what else it returns.
"""

import sys
from typing import Annotated

import typer

from pullwright_cli import local, workers
from pullwright_cli.errors import CliError

app = typer.Typer(
    name="pullwright",
    help="Label a GitHub issue, get a pull request: Claude Code in your own AWS account.",
    no_args_is_help=True,
    # Plain help: Rich's takes a quarter of a second to import.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(local.app, name="local")
app.add_typer(workers.app, name="workers")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        # It takes as long to import as Typer, and only this option needs it.
        from importlib.metadata import version  # noqa: PLC0415 - no other command needs it

        print(f"pullwright {version('pullwright')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        app(arguments, prog_name="pullwright")
    except CliError as error:
        print(f"pullwright: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)

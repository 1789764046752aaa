"""The command `pullwright`: its groups of commands, and how it ends.

Exit codes: 0 done, 1 a defect of the command's own, 2 wrong usage, 130 interrupted; all others are those of
the errors in docs/contracts.md. Each command says what else it returns.
"""

import json
import os
import sys
from typing import Annotated

import typer

from pullwright_cli import (
    deploy_commands,
    devbox_commands,
    env_commands,
    github_commands,
    image_commands,
    jira_commands,
    local,
    preview_commands,
    reading,
    release_commands,
    removal_commands,
    running,
    secret_commands,
    sessions,
    workers,
)
from pullwright_cli.dashboard_command import dashboard
from pullwright_cli.doctor import doctor
from pullwright_cli.errors import CliError
from pullwright_cli.evaluate import evaluate
from pullwright_cli.groups import Group

app = Group(
    name="pullwright",
    help="Label a GitHub issue, get a pull request: Claude Code in your own AWS account.",
    pretty_exceptions_enable=False,
)
for command in (
    running.run,
    sessions.show,
    reading.logs,
    reading.artifacts,
    running.stop,
    running.retry,
    sessions.cost,
    reading.events,
    deploy_commands.deploy,
    deploy_commands.canary,
    release_commands.releases,
    release_commands.rollback,
    removal_commands.destroy,
):
    app.command()(command)
app.command()(dashboard)
app.command()(doctor)
sessions.app.command("purge")(removal_commands.purge)
app.add_typer(sessions.app, name="sessions")
app.command()(evaluate)
app.add_typer(image_commands.app, name="image")
app.add_typer(preview_commands.app, name="preview")
app.add_typer(local.app, name="local")
app.add_typer(workers.app, name="workers")
app.add_typer(github_commands.app, name="github")
app.add_typer(jira_commands.app, name="jira")
app.add_typer(secret_commands.app, name="secrets")
app.add_typer(env_commands.app, name="env")
app.add_typer(devbox_commands.app, name="devbox")

_INTERRUPTED = 130
_TRACE = "PULLWRIGHT_TRACEBACK"


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
    given = sys.argv[1:] if arguments is None else arguments
    try:
        try:
            app(arguments, prog_name="pullwright")
        finally:
            sys.stdout.flush()
    except CliError as error:
        _end(given, type(error).__name__, str(error), "", error.exit_code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has enough of it.
        _drop_output()
        sys.exit(_INTERRUPTED)
    except Exception as error:
        from pullwright_cli.failures import explained  # noqa: PLC0415 - it needs botocore

        found = explained(error, _profile(given))
        if found is not None:
            if isinstance(error, OSError) and not error.filename:
                _drop_output()
            _end(given, type(found).__name__, found.sentence, found.remedy, found.exit_code)
        if os.environ.get(_TRACE):
            raise
        text = f"a defect of this command: {type(error).__name__}: {error}"
        _end(given, "InternalError", text, f"Set {_TRACE}=1 and run it again to see where, and report it.", 1)


def _drop_output() -> None:
    """Let what is still to be printed go nowhere: it must not fail again at the end of the interpreter."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(arguments: list[str], error: str, sentence: str, remedy: str, exit_code: int) -> None:
    """Say on standard error why the command ends, as JSON where that is asked for."""
    if "--json" in arguments:
        print(json.dumps({"error": error, "sentence": sentence, "remedy": remedy}), file=sys.stderr)
    else:
        print(f"pullwright: {sentence} {remedy}".rstrip(), file=sys.stderr)
    sys.exit(exit_code)


def _profile(arguments: list[str]) -> str:
    """Return the profile that was named; it stands in what to run next."""
    for place, argument in enumerate(arguments):
        if argument.startswith("--profile="):
            return argument.partition("=")[2]
        if argument == "--profile" and place + 1 < len(arguments):
            return arguments[place + 1]
    return ""

"""`pullwright env`: a deployment's outputs and secrets as the environment of one process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.github_commands import deployment_of
from pullwright_cli.groups import Group
from pullwright_cli.options import Target
from pullwright_cli.secret_commands import OUTPUTS, Name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright_cli.registering.deployment import Deployment

app = Group(help="A deployment's values for other programs.")

_NOT_FOUND = 127
_NOT_EXECUTABLE = 126


@app.command("exec", context_settings={"ignore_unknown_options": True})
def execute(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND…", show_default=False)],
    *,
    secret: Annotated[
        list[Name], typer.Option(help="A secret that the command needs; may be given several times.")
    ] = [],  # noqa: B006 - Typer's way to say "none"
    target: Target,
) -> None:
    r"""Run a command that has the stack's outputs in its environment, and the secrets that are named.

    No file and no other process has them. Secrets: GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY,
    GITHUB_WEBHOOK_SECRET, ANTHROPIC_API_KEY.

    Exit codes: those of the command; 127 there is no such command.

    \b
    Examples:
      pullwright env exec -- sh -c 'aws stepfunctions list-executions --state-machine-arn "$StateMachineArn"'
      pullwright env exec --secret webhook -- ./send-test-delivery
    """
    deployment = deployment_of(target)
    variables = {**os.environ, **deployment.stack.outputs, **_secrets(deployment, secret)}
    replace_process(command, variables)


def replace_process(command: list[str], variables: Mapping[str, str]) -> None:
    """Turn this process into the command.

    Raises:
        CliError: there is none of that name, or it cannot be run.
    """
    try:
        os.execvpe(command[0], command, dict(variables))
    except FileNotFoundError:
        raise CliError(f"there is no command {command[0]}", _NOT_FOUND) from None
    except OSError as error:
        raise CliError(f"{command[0]} cannot be run: {error.strerror}", _NOT_EXECUTABLE) from None


def _secrets(deployment: Deployment, names: list[Name]) -> dict[str, str]:
    from pullwright.secret_values import read_app_secret, read_text  # noqa: PLC0415 - boto3 is slow to import

    values: dict[str, str] = {}
    for name in names:
        arn = deployment.arn(OUTPUTS[name])
        if name is Name.GITHUB_APP:
            app_secret = read_app_secret(deployment.secrets, arn)
            values |= {"GITHUB_APP_ID": app_secret.app_id, "GITHUB_APP_PRIVATE_KEY": app_secret.private_key}
        else:
            variable = "GITHUB_WEBHOOK_SECRET" if name is Name.WEBHOOK else "ANTHROPIC_API_KEY"
            values[variable] = read_text(deployment.secrets, arn)
    return values

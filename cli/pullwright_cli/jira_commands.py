"""`pullwright jira`: connects a deployment with Jira, and says whether all is in order there."""

from __future__ import annotations

import json
import os
import sys
from getpass import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.github_commands import deployment_of
from pullwright_cli.groups import Group
from pullwright_cli.options import DryRun, Json, Target

if TYPE_CHECKING:
    from pullwright_cli.jira.site import Site
    from pullwright_cli.registering.deployment import Deployment

app = Group(help="Jira of a deployment: connect it, check it.")

TOKEN = "JIRA_API_TOKEN"  # noqa: S105 - the name of a variable
ADMIN_TOKEN = "JIRA_ADMIN_TOKEN"  # noqa: S105 - as above

Admin = Annotated[
    str,
    typer.Option(
        help=f"Of an administrator of Jira, who alone sees webhooks; their token is read from {ADMIN_TOKEN} "
        "or asked for, and stored nowhere.",
        show_default=False,
    ),
]


@app.command()
def setup(
    *,
    email: Annotated[
        str,
        typer.Option(
            help=f"Of the account that reads and comments; its API token is read from {TOKEN} or asked for.",
            show_default=False,
        ),
    ] = "",
    admin_email: Admin = "",
    dry_run: DryRun = False,
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Store the account's token, make the webhook, and check groups, projects and permissions.

    Site, projects and groups are those that the stack was deployed with. Tokens are no arguments, and
    nothing is stored unless Jira takes the account's. Run it again for another token, and when the projects
    have changed.

    Exit codes: 64 something is not in order; others as in docs/contracts.md.

    \b
    Examples:
      pullwright jira setup --email bot@acme.example --admin-email ada@acme.example
      pullwright jira setup --dry-run
    """
    from pullwright_cli.jira.facts import collect  # noqa: PLC0415 - boto3 takes a quarter of a second
    from pullwright_cli.jira.setup import plan, set_up, wanted_of  # noqa: PLC0415 - as above
    from pullwright_cli.jira.site import Site  # noqa: PLC0415 - as above

    deployment = deployment_of(target)
    if dry_run:
        print(json.dumps(plan(deployment), indent=2))
        return
    wanted = wanted_of(deployment)
    if not email:
        raise typer.BadParameter("name the account that reads and comments", param_hint="--email")
    token = _token(TOKEN, email)
    account = Site(wanted.site, email, token)
    administrator = _administrator(wanted.site, admin_email)
    if administrator is None and collect(account, wanted).administers:
        administrator = account
    made = set_up(deployment, account, token, administrator)
    print(f"The account {made.account} is stored.", file=sys.stderr)
    if made.webhook:
        print(f"The webhook {made.webhook} is {'made' if made.is_new else 'renewed'}.", file=sys.stderr)
    _show(deployment, account, administrator, as_json=as_json)


@app.command("test")
def check_all(
    *,
    admin_email: Admin = "",
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Check account, projects, groups and webhook. It changes nothing.

    Exit codes: 64 something is not in order; others as in docs/contracts.md.

    \b
    Examples:
      pullwright jira test --env prod
      JIRA_ADMIN_TOKEN=… pullwright jira test --admin-email ada@acme.example --json
    """
    from pullwright_cli.jira.setup import stored_account, wanted_of  # noqa: PLC0415 - as above
    from pullwright_cli.jira.site import Site  # noqa: PLC0415 - as above

    deployment = deployment_of(target)
    wanted = wanted_of(deployment)
    account = Site(wanted.site, *stored_account(deployment))
    administrator = _administrator(wanted.site, admin_email)
    _show(deployment, account, administrator, as_json=as_json)


def _show(deployment: Deployment, account: Site, administrator: Site | None, *, as_json: bool) -> None:
    """Print what Jira says, and end with 64 if something fails."""
    from pullwright.errors import NotInOrder  # noqa: PLC0415 - as above
    from pullwright_cli.checkup.findings import Status  # noqa: PLC0415 - as above
    from pullwright_cli.checkup.report import as_text, summed  # noqa: PLC0415 - as above
    from pullwright_cli.jira.checks import check  # noqa: PLC0415 - as above
    from pullwright_cli.jira.facts import collect  # noqa: PLC0415 - as above
    from pullwright_cli.jira.setup import wanted_of  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import is_coloured  # noqa: PLC0415 - as above

    facts = collect(account, wanted_of(deployment), administrator)
    checkup = summed(deployment.stack.name, tuple(check(facts)))
    if as_json:
        print(checkup.model_dump_json())
    else:
        print(as_text(checkup, colours=is_coloured()))
    if checkup.status is Status.FAIL:
        raise typer.Exit(NotInOrder.exit_code)


def _administrator(url: str, email: str) -> Site | None:
    from pullwright_cli.jira.site import Site  # noqa: PLC0415 - as above

    return Site(url, email, _token(ADMIN_TOKEN, email)) if email else None


def _token(variable: str, email: str) -> str:
    """Return a token from the environment, or ask for it."""
    token = os.environ.get(variable, "").strip()
    if not token and sys.stdin.isatty():
        token = getpass(f"API token of {email} (it is not shown): ").strip()
    if not token:
        raise CliError(f"the API token of {email} is missing: set {variable}", 2)
    return token

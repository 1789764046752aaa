"""`pullwright github`: the App of a deployment, from its registration to new secrets."""

from __future__ import annotations

import json
import sys
from pathlib import Path  # noqa: TC003 - Typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.groups import Group
from pullwright_cli.options import DryRun, Json, Target

if TYPE_CHECKING:
    from pullwright_cli.registering.deployment import Deployment

app = Group(
    help="The GitHub App of a deployment: register it, replace its secrets.",
)


def deployment_of(target: Target) -> Deployment:
    """Return the deployment that the options name."""
    from pullwright_cli.registering.deployment import Deployment  # noqa: PLC0415 - as above

    return Deployment(target.stack())


@app.command()
def setup(
    *,
    org: Annotated[
        str, typer.Option(help="Who shall own the App; you yourself without it.", show_default=False)
    ] = "",
    name: Annotated[
        str, typer.Option(help="The App's; it can be changed on GitHub's page.", show_default=False)
    ] = "",
    public: Annotated[bool, typer.Option("--public", help="Let other accounts install it too.")] = False,
    no_browser: Annotated[
        bool,
        typer.Option("--no-browser", help="Print an address for a browser anywhere; paste what comes back."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Register another App in place of the stored one.")
    ] = False,
    minutes: Annotated[float, typer.Option(min=0.01, max=60, help="How long to wait for the browser.")] = 15,
    dry_run: DryRun = False,
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Register the GitHub App, with exactly the permissions and events needed, and store its secrets.

    A page of GitHub's asks for confirmation. Id, key and webhook secret go to Secrets Manager, nowhere else.

    Exit codes: 60 there is an App already, 61 not finished; others as in docs/contracts.md.

    \b
    Examples:
      pullwright github setup --org acme --env prod
      pullwright github setup --no-browser --name acme-pullwright
      pullwright github setup --dry-run
    """
    from pullwright_cli.registering.setup import Choice, plan, set_up  # noqa: PLC0415 - as above

    deployment = deployment_of(target)
    choice = Choice(name, org, public=public, browser=not no_browser, minutes=minutes)
    if dry_run:
        print(json.dumps(plan(deployment, choice), indent=2))
        return
    result = set_up(deployment, choice, replace=replace)
    if as_json:
        print(json.dumps(result))
        return
    slug = result["slug"]
    print(f"The App {slug} ({result['page']}) is registered; its first webhook is {result['webhook']}.")
    if result["mention"] != f"@{slug}":
        print(f"Comments mention {result['mention']}; deploy with MentionName={slug} to have its own name.")
    print(f"Install it where it shall work: {result['install']}")


@app.command("rotate-secret")
def rotate_secret(
    *,
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Replace the secret that webhooks are signed with. No delivery is refused meanwhile.

    An attempt that did not come to its end is taken up.

    Exit codes: 62 stored, but GitHub did not confirm it; others as in docs/contracts.md.

    \b
    Example:
      pullwright github rotate-secret --env prod
    """
    from pullwright_cli.registering.deployment import WEBHOOK_SECRET  # noqa: PLC0415 - as above
    from pullwright_cli.registering.rotation import rotate_webhook_secret  # noqa: PLC0415 - as above

    deployment = deployment_of(target)
    resumed = rotate_webhook_secret(deployment.secrets, deployment.arn(WEBHOOK_SECRET), deployment.app)
    if as_json:
        print(json.dumps({"rotated": "webhook", "resumed": resumed}))
    else:
        print("GitHub signs with the new secret. The one before it is accepted for a day.")


@app.command("rotate-key")
def rotate_key(
    *,
    key_file: Annotated[
        Path | None, typer.Option(help="What the browser saved when GitHub made the key.", show_default=False)
    ] = None,
    app_id: Annotated[str, typer.Option(help="Of the App, if none is stored yet.", show_default=False)] = "",
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Replace the App's private key by one that you had GitHub make on the App's settings page.

    Nothing is stored unless GitHub takes the key. Afterwards delete the old key on that page, and the file.

    Exit codes: 63 GitHub does not take the key; others as in docs/contracts.md.

    \b
    Example:
      pullwright github rotate-key --key-file ~/Downloads/acme-pullwright.private-key.pem
    """
    from pullwright_cli.registering.key import rotate_key as rotate  # noqa: PLC0415 - as above

    deployment = deployment_of(target)
    if key_file is None:
        page = (
            f"{deployment.urls.web}/apps/{deployment.app.app().slug}" if not app_id else deployment.urls.web
        )
        raise typer.BadParameter(
            f"have GitHub make a key on the App's settings page (from {page}), then name the file",
            param_hint="--key-file",
        )
    page = rotate(deployment, key_file, app_id)
    if as_json:
        print(json.dumps({"rotated": "key", "page": page}))
    else:
        print(f"The new key is stored. Delete the old one on the App's settings page, from {page}.")
        print(f"Delete {key_file} too.", file=sys.stderr)

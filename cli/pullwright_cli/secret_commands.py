"""`pullwright secrets`: the values that a deployment keeps in Secrets Manager. None is ever shown."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from getpass import getpass
from typing import TYPE_CHECKING, Any

from pullwright_cli.errors import CliError
from pullwright_cli.github_commands import deployment_of, rotate_secret
from pullwright_cli.groups import Group
from pullwright_cli.options import Json, Target

if TYPE_CHECKING:
    from pullwright_cli.registering.deployment import Deployment

app = Group(help="The secrets of a deployment.")

_LEAST = 16


class Name(StrEnum):
    """The secrets, as the command calls them."""

    GITHUB_APP = "github-app"
    WEBHOOK = "webhook"
    MODEL_KEY = "model-key"


OUTPUTS = {
    Name.GITHUB_APP: "GitHubAppSecretArn",
    Name.WEBHOOK: "WebhookSecretArn",
    Name.MODEL_KEY: "ModelKeySecretArn",
}
# `pullwright jira setup` stores these, which Jira has to take or to know.
_LISTED = {
    **{str(name): output for name, output in OUTPUTS.items()},
    "jira": "JiraSecretArn",
    "jira-webhook": "JiraWebhookSecretArn",
}


@app.command("set")
def set_secret(
    name: Name,
    *,
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Store a value, read from standard input; in a terminal it is asked for and not shown.

    \b
    Examples:
      pullwright secrets set model-key
      pullwright secrets set github-app < app.json
    """
    deployment = deployment_of(target)
    arn = deployment.arn(OUTPUTS[name])
    value = getpass(f"{name} (it is not shown): ") if sys.stdin.isatty() else sys.stdin.read()
    checked = check(name, value.strip())
    deployment.secrets.put_secret_value(SecretId=arn, SecretString=checked)
    print(json.dumps({"stored": name}) if as_json else f"{name} is stored in {arn}.")
    if name is Name.WEBHOOK:
        print(
            "GitHub has to sign with the same: `pullwright github rotate-secret` does both.", file=sys.stderr
        )


@app.command()
def rotate(
    name: Name,
    *,
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Replace a secret by a new one. Only the webhook's can be made here.

    \b
    Example:
      pullwright secrets rotate webhook
    """
    if name is Name.GITHUB_APP:
        raise CliError("GitHub makes keys on the App's page alone: use `pullwright github rotate-key`", 2)
    if name is Name.MODEL_KEY:
        raise CliError(
            "make a key in Anthropic's console, store it with `pullwright secrets set model-key`, then "
            "delete the old one there",
            2,
        )
    rotate_secret(target=target, as_json=as_json)


@app.command("list")
def list_secrets(
    *,
    target: Target,
    as_json: Json = False,
) -> None:
    r"""Show which secrets have a value and since when; never the value.

    \b
    Example:
      pullwright secrets list --env prod
    """
    deployment = deployment_of(target)
    outputs = deployment.stack.outputs
    found = [_row(deployment, name, output) for name, output in _LISTED.items() if outputs.get(output)]
    if as_json:
        print(json.dumps(found))
        return
    for row in found:
        print(f"{row['name']:<12} {row['changed'] or 'has no value':<26} {row['arn']}")


def _row(deployment: Deployment, name: str, output: str) -> dict[str, Any]:
    arn = deployment.arn(output)
    described = deployment.secrets.describe_secret(SecretId=arn)
    has_value = any("AWSCURRENT" in stages for stages in described.get("VersionIdsToStages", {}).values())
    changed = described.get("LastChangedDate") or described.get("CreatedDate")
    return {"name": name, "arn": arn, "changed": changed.isoformat() if has_value and changed else None}


def check(name: Name, value: str) -> str:
    """Return the value if it has the form that the functions read.

    Raises:
        CliError: it has not; the value is not repeated.
    """
    if not value:
        raise CliError(f"{name}: nothing came; type it, or redirect a file to standard input", 2)
    if name is Name.GITHUB_APP:
        _check_app(value)
    elif any(character.isspace() for character in value):
        raise CliError(f"{name}: the value has spaces or several lines", 2)
    elif len(value) < _LEAST:
        raise CliError(f"{name}: the value needs {_LEAST} characters or more", 2)
    return value


def _check_app(value: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above
    from pydantic import ValidationError  # noqa: PLC0415 - as above

    from pullwright.github.app import AppSecret  # noqa: PLC0415 - as above

    problem = "github-app: the value is not JSON with app_id and private_key"
    try:
        secret = AppSecret.model_validate_json(value)
        key = load_pem_private_key(secret.private_key.encode(), None)
    except ValidationError:
        raise CliError(problem, 2) from None
    except (TypeError, ValueError):
        raise CliError("github-app: private_key is no key in PEM form without a password", 2) from None
    if not isinstance(key, RSAPrivateKey):
        raise CliError("github-app: private_key is no RSA key", 2)

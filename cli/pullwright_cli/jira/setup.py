"""Connects a deployment with Jira: stores the account's token, makes the webhook."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pullwright.log import hide
from pullwright_cli.errors import CliError
from pullwright_cli.jira.facts import EVENTS, HOOKS, NEEDED, SECTION, Wanted, find_hook
from pullwright_cli.jira.site import API, Site

if TYPE_CHECKING:
    from pullwright_cli.registering.deployment import Deployment

ACCOUNT_SECRET = "JiraSecretArn"  # noqa: S105 - the name of an output
WEBHOOK_SECRET = "JiraWebhookSecretArn"  # noqa: S105 - as above
_ABSENT = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


@dataclass(frozen=True)
class Made:
    """What a set-up did.

    Attributes:
        webhook: its address in Jira; empty if nobody was there who may make it.
        is_new: whether it was not there before.
    """

    account: str
    webhook: str = ""
    is_new: bool = False


def wanted_of(deployment: Deployment) -> Wanted:
    """Return what the deployment's parameters say about Jira.

    Raises:
        CliError: nothing.
    """
    wanted = Wanted.of(deployment.parameters, deployment.stack.outputs)
    if wanted is None:
        raise CliError(
            "the deployment has no Jira: deploy with JiraBaseUrl=https://SITE.atlassian.net, "
            "JiraProjects=KEY=OWNER/NAME and JiraGroups=NAME first",
            2,
        )
    return wanted


def plan(deployment: Deployment) -> dict[str, Any]:
    """Return what a set-up would do, without asking Jira."""
    wanted = wanted_of(deployment)
    return {
        "site": wanted.site,
        "projects": dict(wanted.projects),
        "groups": list(wanted.groups),
        "permissions": NEEDED,
        "webhook": {"url": wanted.webhook_url, "events": list(EVENTS), "filter": wanted.filter},
        "stores": [deployment.arn(ACCOUNT_SECRET)],
    }


def stored_account(deployment: Deployment) -> tuple[str, str]:
    """Return address and token of the stored account.

    Raises:
        CliError: there are none.
    """
    text = _value(deployment, ACCOUNT_SECRET)
    try:
        decoded = json.loads(text)
        return str(decoded["email"]), str(decoded["api_token"])
    except (ValueError, KeyError, TypeError):
        # The cause would quote what is stored.
        raise CliError("no account of Jira is stored: run `pullwright jira setup`", 64) from None


def set_up(deployment: Deployment, account: Site, token: str, administrator: Site | None) -> Made:
    """Store the account that Jira knows, and make or renew the webhook.

    Args:
        token: the account's API token, which Jira has taken.
        administrator: who makes the webhook; None if nobody can.

    Raises:
        JiraError: Jira does not know the account, and then nothing was stored; or it refused the webhook.
    """
    name = str(account.get(f"{API}/myself").get("displayName") or account.email)
    deployment.secrets.put_secret_value(
        SecretId=deployment.arn(ACCOUNT_SECRET),
        SecretString=json.dumps({"email": account.email, "api_token": token}),
    )
    if administrator is None:
        return Made(name)
    wanted = wanted_of(deployment)
    body = {
        "name": f"Pullwright ({deployment.stack.name})",
        "url": wanted.webhook_url,
        "events": list(EVENTS),
        "filters": {SECTION: wanted.filter},
        "excludeBody": False,
        "enabled": True,
        "secret": _webhook_secret(deployment),
    }
    found = find_hook(administrator, wanted.webhook_url)
    path = HOOKS if found is None else str(found["self"]).removeprefix(account.url)
    made = administrator.send("POST" if found is None else "PUT", path, body)
    return Made(name, str(made["self"]), found is None)


def _webhook_secret(deployment: Deployment) -> str:
    """Return what the function verifies signatures with; made and stored if there is nothing."""
    value = _value(deployment, WEBHOOK_SECRET)
    if not value:
        value = secrets.token_urlsafe(48)
        deployment.secrets.put_secret_value(SecretId=deployment.arn(WEBHOOK_SECRET), SecretString=value)
    hide(value)
    return value


def _value(deployment: Deployment, output: str) -> str:
    try:
        answer = deployment.secrets.get_secret_value(SecretId=deployment.arn(output))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _ABSENT:
            raise
        return ""
    return answer.get("SecretString", "")

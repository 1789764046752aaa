"""What GitHub gives for the code of a manifest, and where a deployment keeps it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import Field, ValidationError

from pullwright.errors import GitHubRefused, PullwrightError, SetupUnfinished
from pullwright.github.app import AppSecret
from pullwright.github.payloads import Owner, Payload
from pullwright.github.transport import Request, Transport, Urllib3Transport
from pullwright.log import hide

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from pullwright.github.urls import GitHubUrls

_CREATED = 201
_NOT_FOUND = 404
_ABSENT = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class Registered(Payload):
    """The App that was made; its secrets never show in a repr."""

    id: int
    slug: str
    html_url: str
    owner: Owner | None = None
    webhook_secret: str = Field(repr=False, min_length=1)
    pem: str = Field(repr=False, min_length=1)


def exchange(urls: GitHubUrls, code: str, transport: Transport | None = None) -> Registered:
    """Exchange a code; GitHub does so once.

    https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest

    Raises:
        SetupUnfinished: GitHub made the App, but its key cannot be had this way any more.
    """
    headers = {
        "accept": "application/vnd.github+json",
        "user-agent": "pullwright",
        "x-github-api-version": "2022-11-28",
    }
    request = Request("POST", f"{urls.rest}/app-manifests/{code}/conversions", headers)
    try:
        response = (transport or Urllib3Transport()).send(request)
    except PullwrightError as error:
        raise SetupUnfinished(f"GitHub did not give the new App's key: {error.sentence}") from None
    if response.status == _NOT_FOUND:
        raise SetupUnfinished("GitHub does not know the code: it was used before, or is older than an hour.")
    if response.status != _CREATED:
        raise SetupUnfinished(f"GitHub answered {response.status} when asked for the new App's key.")
    try:
        registered = Registered.model_validate(response.decoded)
    except ValidationError:
        # The cause would quote the answer, which holds the key.
        raise GitHubRefused("GitHub's answer lacks the new App's key or its webhook's secret.") from None
    hide(registered.pem)
    hide(registered.webhook_secret)
    return registered


def stored_app(client: SecretsManagerClient, arn: str) -> AppSecret | None:
    """Return the App whose id and key are stored; None if there are none, or what is there is neither."""
    try:
        text = client.get_secret_value(SecretId=arn).get("SecretString", "")
        return AppSecret.model_validate_json(text)
    except ValidationError:
        return None
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _ABSENT:
            raise
        return None


def store_app(client: SecretsManagerClient, arn: str, app_id: str, private_key: str) -> None:
    """Store the App's id and key as the functions read them."""
    client.put_secret_value(
        SecretId=arn, SecretString=json.dumps({"app_id": app_id, "private_key": private_key})
    )

"""Replaces the webhook's secret and the App's key without a delivery being refused."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from pullwright.errors import PullwrightError, RotationUnfinished
from pullwright.log import hide
from pullwright.webhook.secret import LOOK_AGAIN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from pullwright.github.app import GitHubApp

UNCONFIRMED = "PULLWRIGHT_UNCONFIRMED"
"""The stage of a version that GitHub may not sign with yet."""
_BYTES = 32


def unconfirmed_version(client: SecretsManagerClient, arn: str) -> str | None:
    """Return the current version if GitHub was not told of it; None if all is well."""
    versions = client.describe_secret(SecretId=arn).get("VersionIdsToStages", {})
    stages = ((version, set(names)) for version, names in versions.items())
    return next((version for version, names in stages if {UNCONFIRMED, "AWSCURRENT"} <= names), None)


def rotate_webhook_secret(
    client: SecretsManagerClient, arn: str, app: GitHubApp, *, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """Store a new secret, then have GitHub sign with it.

    The webhook takes the secret before it too, for a day (`pullwright.webhook.secret`). A second new secret
    would push that one out while GitHub still signs with it, so an attempt that did not come to its end is
    taken up with the secret that it stored.

    Returns:
        Whether an earlier attempt was taken up.

    Raises:
        RotationUnfinished: the secret is stored, but GitHub did not confirm it.
    """
    version = unconfirmed_version(client, arn)
    resumed = version is not None
    if version is None:
        value = secrets.token_hex(_BYTES)
        stages = ["AWSCURRENT", UNCONFIRMED]
        version = client.put_secret_value(SecretId=arn, SecretString=value, VersionStages=stages)["VersionId"]
    else:
        value = client.get_secret_value(SecretId=arn, VersionId=version)["SecretString"]
    hide(value)
    # A function that has just met a forgery does not look for new secrets sooner.
    sleep(LOOK_AGAIN_SECONDS)
    what = "sign with the new secret"
    try:
        # https://docs.github.com/en/rest/apps/webhooks#update-a-webhook-configuration-for-an-app
        app.as_app.call("PATCH", "/app/hook/config", what, body={"secret": value})
    except PullwrightError as error:
        raise RotationUnfinished(
            f"The new secret is stored, but GitHub did not confirm it: {error.sentence}"
        ) from None
    client.update_secret_version_stage(SecretId=arn, VersionStage=UNCONFIRMED, RemoveFromVersionId=version)
    return resumed

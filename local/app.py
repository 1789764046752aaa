"""The GitHub App of a local stack: its key, its secrets, and its registration with the stand-in."""

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sam import REGION, client

APP_ID = "1"
SLUG = "pullwright"


def make_key() -> tuple[str, str]:
    """Return a key pair for the App.

    Returns:
        Private and public key, both PEM.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def webhook_host(webhook_url: str) -> str:
    """Return what to send as `Host`: the name under which AWS would serve the URL.

    Args:
        webhook_url: a Function URL of the engine, `http://127.0.0.1:<port>/_function_url/<id>/`.
    """
    split = urlsplit(webhook_url)
    url_id = split.path.strip("/").rpartition("/")[2]
    return f"{url_id}.lambda-url.{REGION}.localhost.localstack.cloud:{split.port}"


def install(endpoint: str, outputs: dict[str, str], github_url: str, model_key: str | None) -> dict[str, str]:
    """Fill the stack's secrets as an operator does, and register the App with the stand-in.

    Args:
        model_key: for the model key's secret, if the stack has one.

    Returns:
        `webhook_url`, `webhook_host` and `webhook_secret` for `stack.json`.
    """
    secrets = client("secretsmanager", endpoint)
    private, public = make_key()
    secrets.put_secret_value(
        SecretId=outputs["GitHubAppSecretArn"],
        SecretString=json.dumps({"app_id": APP_ID, "private_key": private}),
    )
    if model_key is not None:
        secrets.put_secret_value(SecretId=outputs["ModelKeySecretArn"], SecretString=model_key)
    webhook = {
        "webhook_url": outputs["WebhookUrl"],
        "webhook_host": webhook_host(outputs["WebhookUrl"]),
        "webhook_secret": secrets.get_secret_value(SecretId=outputs["WebhookSecretArn"])["SecretString"],
    }
    put(f"{github_url}/_standin/app", {"app_id": APP_ID, "slug": SLUG, "public_key_pem": public, **webhook})
    return webhook


def put(url: str, body: Any) -> None:
    """PUT JSON to a stand-in.

    Raises:
        urllib.error.HTTPError: it was refused.
    """
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - loopback

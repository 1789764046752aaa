"""Reads secrets from Secrets Manager; what was read once is scrubbed from every log line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import ValidationError

from pullwright.aws import calling, code_of
from pullwright.errors import InternalError
from pullwright.github.app import AppSecret
from pullwright.json_object import decode_object
from pullwright.log import hide

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_REMEDY = "Ask the operator to store the secret's value."
# A placeholder or an empty secret has one of these codes, or no text.
_ABSENT = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


def read_text(client: SecretsManagerClient, arn: str) -> str:
    """Read a secret that is plain text.

    Raises:
        InternalError: the secret has no value.
        AwsUnavailable: it cannot be read.
    """
    with calling("read a secret"):
        try:
            text = client.get_secret_value(SecretId=arn).get("SecretString", "").strip()
        except ClientError as error:
            if code_of(error) not in _ABSENT:
                raise
            text = ""
    if not text:
        raise InternalError("A secret of this Pullwright has no value.", remedy=_REMEDY)
    hide(text)
    return text


def read_app_secret(client: SecretsManagerClient, arn: str) -> AppSecret:
    """Read the GitHub App's id and private key.

    Raises:
        InternalError: the secret is not the JSON that it should be.
    """
    text = read_text(client, arn)
    try:
        secret = AppSecret.model_validate_json(text)
    except ValidationError:
        # The cause would quote the secret, so it is not chained.
        raise InternalError(
            "The GitHub App's secret is not JSON with app_id and private_key.", remedy=_REMEDY
        ) from None
    hide(secret.private_key)
    return secret


def read_jira_secret(client: SecretsManagerClient, arn: str) -> tuple[str, str]:
    """Read e-mail address and API token of our account in Jira.

    Raises:
        InternalError: the secret is not the JSON that it should be.
    """
    secret = decode_object(read_text(client, arn))
    email, token = secret.get("email"), secret.get("api_token")
    if not isinstance(email, str) or not isinstance(token, str) or not email or not token:
        raise InternalError("Jira's secret is not JSON with email and api_token.", remedy=_REMEDY)
    hide(token)
    return email, token

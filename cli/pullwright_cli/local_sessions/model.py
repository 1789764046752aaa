"""Who answers the agent of a local session, and with whose credentials."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Literal, NamedTuple

from pullwright.prices import list_price
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODELS = {"anthropic": "claude-sonnet-5-5", "bedrock": "global.anthropic.claude-sonnet-5-5"}
_LOGIN = ("CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN")


class Choice(NamedTuple):
    """A model.

    Attributes:
        credentials: one line of JSON for the runner's standard input (`runner.folder.settings.Credentials`).
    """

    provider: Literal["anthropic", "bedrock"]
    model: str
    credentials: str


def choose(model: str, environ: Mapping[str, str], *, region: str, profile: str, stub: bool) -> Choice:
    """Choose by what the environment has: an Anthropic key, else AWS credentials.

    Args:
        model: as its provider calls it; empty for the usual one.

    Raises:
        CliError: there is neither, or nobody knows what the model costs.
    """
    if stub:
        return Choice("anthropic", model or _MODELS["anthropic"], "{}")
    key = "" if profile else environ.get("ANTHROPIC_API_KEY", "")
    provider: Literal["anthropic", "bedrock"] = "anthropic" if key else "bedrock"
    model = model or _MODELS[provider]
    if list_price(model) is None:
        raise CliError(f"--model {model}: its price is not known, so --usd could not hold", 2)
    held = {"api_key": key} if key else {"variables": _of_aws(environ, region, profile)}
    return Choice(provider, model, json.dumps(held))


def _of_aws(environ: Mapping[str, str], region: str, profile: str) -> dict[str, str]:
    import boto3  # noqa: PLC0415 - a session with a key needs none of it

    session = boto3.Session(profile_name=profile or None, region_name=region or None)
    found = session.get_credentials()
    if found is None or not session.region_name:
        login = next((name for name in _LOGIN if environ.get(name)), None)
        hint = (
            f" ({login} is not used: the runner counts and limits the cost by a key's calls)" if login else ""
        )
        raise CliError(
            "no model can be asked: set ANTHROPIC_API_KEY, or AWS credentials and a region for Bedrock, or "
            f"say --stub{hint}",
            2,
        )
    frozen = found.get_frozen_credentials()
    variables = {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token,
        "AWS_REGION": session.region_name,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
    }
    return {name: value for name, value in variables.items() if value}


def variables(model_url: str) -> dict[str, str]:
    """Return what tells the runner where the model's service is; nothing secret."""
    url = model_url or os.environ.get("ANTHROPIC_BASE_URL", "")
    return {"ANTHROPIC_BASE_URL": url} if url else {}

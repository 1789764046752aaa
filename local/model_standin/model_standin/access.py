"""Checks of headers and model ids, for each API; no value is kept."""

import re
from collections.abc import Mapping

from model_standin.faults import Refused

_MODEL = re.compile(r"claude-[a-z0-9.@-]+")
_BEDROCK_MODEL = re.compile(
    r"(arn:aws[a-z-]*:bedrock:[a-z0-9-]+:\d*:(inference-profile|foundation-model)/)?"
    r"([a-z]+\.)?anthropic\.claude-[a-z0-9.:-]+"
    r"|arn:aws[a-z-]*:bedrock:[a-z0-9-]+:\d{12}:application-inference-profile/[a-z0-9]+"
)
_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/(?P<service>[a-z0-9-]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=[0-9a-f]{64}"
)


def check_anthropic(headers: Mapping[str, str]) -> None:
    """Check the headers of https://docs.claude.com/en/api/overview.

    Raises:
        Refused: 401 without a key, 400 without a version.
    """
    if not headers.get("x-api-key"):
        raise Refused(401, "x-api-key header is required")
    if not headers.get("anthropic-version"):
        raise Refused(400, "anthropic-version: header is required")


def check_anthropic_model(model: object) -> str:
    """Return the model's id.

    Raises:
        Refused: 400 when it is missing, 404 when there is no such model.
    """
    if not isinstance(model, str):
        raise Refused(400, "model: Field required")
    if not _MODEL.fullmatch(model):
        raise Refused(404, f"model: {model}")
    return model


def check_bedrock(headers: Mapping[str, str]) -> None:
    """Check that the request is signed for Bedrock; the signature itself cannot be verified here.

    Raises:
        Refused: 403, as AWS answers unsigned and wrongly scoped requests.
    """
    authorization = headers.get("authorization")
    if not authorization:
        raise Refused(403, "Missing Authentication Token", "MissingAuthenticationTokenException")
    found = _SIGNATURE.fullmatch(authorization)
    if not found or not headers.get("x-amz-date") or "host" not in found["signed"].split(";"):
        raise Refused(403, "The request signature is incomplete.", "IncompleteSignatureException")
    if found["service"] != "bedrock":
        message = "Credential should be scoped to correct service: 'bedrock'."
        raise Refused(403, message, "InvalidSignatureException")


def check_bedrock_model(model: str) -> str:
    """Return the model's id.

    Raises:
        Refused: 400 when Bedrock would not know it.
    """
    if not _BEDROCK_MODEL.fullmatch(model):
        raise Refused(400, "The provided model identifier is invalid.")
    return model

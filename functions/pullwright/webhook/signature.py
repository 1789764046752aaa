"""Checks that GitHub signed a delivery: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries."""

import hmac
from collections.abc import Mapping

from pullwright.webhook.answers import Refused, WrongSignature

_HEADER = "x-hub-signature-256"
_PREFIX = "sha256="


def claimed_signature(headers: Mapping[str, str]) -> bytes:
    """Read the signature that a request claims, so that an unsigned one costs us no secret.

    Args:
        headers: by lower-case name.

    Raises:
        Refused: there is none that could be right.
    """
    claimed = headers.get(_HEADER, "").strip()
    if claimed.startswith(_PREFIX):
        return claimed.removeprefix(_PREFIX).encode("utf-8", "surrogatepass")
    if claimed:
        raise Refused(401, "The signature is not of the form sha256=<hexadecimal>.", field=_HEADER)
    if "x-hub-signature" in headers:
        raise Refused(401, "A SHA-1 signature alone is not accepted.", field=_HEADER)
    raise Refused(401, "The request is not signed.", field=_HEADER)


def check_signature(headers: Mapping[str, str], body: bytes, secret: bytes) -> None:
    """Compare, in constant time, the HMAC-SHA256 of the raw body with the one claimed.

    Args:
        headers: by lower-case name.

    Raises:
        Refused: no usable signature.
        WrongSignature: it does not fit this secret.
        ValueError: the secret is empty, and so everybody's.
    """
    if not secret.strip():
        raise ValueError("an empty secret signs nothing")
    claimed = claimed_signature(headers)
    if not hmac.compare_digest(hmac.digest(secret, body, "sha256").hex().encode(), claimed):
        raise WrongSignature(401, "The signature does not fit.", field=_HEADER)

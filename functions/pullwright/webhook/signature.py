"""Checks that GitHub, or Jira, signed a delivery.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries,
https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks.
"""

import hmac
from collections.abc import Mapping

from pullwright.webhook.answers import Refused, WrongSignature

HEADER = "x-hub-signature-256"
PREFIX = "sha256="
_SHA1_HEADER = "x-hub-signature"


def claimed_signature(headers: Mapping[str, str], *, header: str = HEADER, prefix: str = PREFIX) -> bytes:
    """Read the signature that a request claims, so that an unsigned one costs us no secret.

    Args:
        headers: by lower-case name.
        header: the one that the signature is in.
        prefix: what stands before the hexadecimal digits.

    Raises:
        Refused: there is none that could be right.
    """
    claimed = headers.get(header, "").strip()
    if claimed.startswith(prefix):
        return claimed.removeprefix(prefix).encode("utf-8", "surrogatepass")
    if claimed:
        raise Refused(401, f"The signature is not of the form {prefix}<hexadecimal>.", field=header)
    if _SHA1_HEADER in headers:
        raise Refused(401, "A SHA-1 signature alone is not accepted.", field=header)
    raise Refused(401, "The request is not signed.", field=header)


def check_signature(
    headers: Mapping[str, str], body: bytes, secret: bytes, *, header: str = HEADER, prefix: str = PREFIX
) -> None:
    """Compare, in constant time, the HMAC-SHA256 of the raw body with the one claimed.

    Args:
        headers: by lower-case name.
        header: as for `claimed_signature`, as is `prefix`.

    Raises:
        Refused: no usable signature.
        WrongSignature: it does not fit this secret.
        ValueError: the secret is empty, and so everybody's.
    """
    if not secret.strip():
        raise ValueError("an empty secret signs nothing")
    claimed = claimed_signature(headers, header=header, prefix=prefix)
    if not hmac.compare_digest(hmac.digest(secret, body, "sha256").hex().encode(), claimed):
        raise WrongSignature(401, "The signature does not fit.", field=header)

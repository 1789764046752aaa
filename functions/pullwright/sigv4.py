"""AWS Signature Version 4 for POST requests, without botocore.

The webhook starts cold more often than not, and botocore is most of what a Python function spends there.
What is signed and how: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
A test holds the result equal to botocore's.
"""

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """The keys that sign a request; the session token is empty for long-lived keys."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Show the key's id only, so that no trace or log can hold the secrets."""
        return f"Credentials({self.access_key_id!r})"


def sign(
    *,
    credentials: Credentials,
    region: str,
    service: str,
    host: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    at: float,
) -> dict[str, str]:
    """Sign one POST request without query.

    Args:
        service: the name that the service is signed under, for example `states`.
        host: the `Host` header, with the port unless it is the scheme's own.
        path: as it stands in the request line, percent-encoded already.
        headers: further headers, all of which are signed.
        at: Unix seconds; AWS accepts five minutes of difference.

    Returns:
        All headers to send, by lower-case name.
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    day = moment[:8]
    signed = {name.lower(): value for name, value in headers.items()}
    signed["host"] = host
    signed["x-amz-date"] = moment
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token

    names = sorted(signed)
    signed_names = ";".join(names)
    # Services other than S3 sign the path encoded once more than it is sent.
    canonical = "\n".join(
        (
            "POST",
            _encoded(path),
            "",
            *(f"{name}:{' '.join(signed[name].split())}" for name in names),
            "",
            signed_names,
            sha256(body).hexdigest(),
        )
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, moment, scope, sha256(canonical.encode()).hexdigest()))

    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope}, "
        f"SignedHeaders={signed_names}, Signature={signature}"
    )
    return signed


def _encoded(path: str) -> str:
    if path in {"", "/"}:
        return "/"
    # Only for addresses that are set by hand: on AWS none has a path.
    from urllib.parse import quote  # noqa: PLC0415 - seldom needed

    return quote(path, safe="/~")

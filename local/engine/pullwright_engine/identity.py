"""Who made a request: the role behind an access key, and whether the signature is that key's."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signature:
    """The Authorization header of a signed request, taken apart."""

    key: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str


@dataclass(frozen=True)
class Caller:
    """An assumed role.

    Attributes:
        key: access key id.
        arn: `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
        user_id: `<role id>:<session>`.
    """

    key: str
    secret: str
    token: str
    account: str
    arn: str
    user_id: str
    role: str


_TEMPORARY = ("ASIA", "LSIA")
_KNOWN: dict[str, Caller] = {}
"""STS searches a list that grows by several roles a session, and each request asks."""


def signature_of(authorization: str | None) -> Signature | None:
    """Return the parts of an Authorization header.

    Returns:
        `None` if it is not a Signature Version 4.
    """
    found = _AUTHORIZATION.fullmatch((authorization or "").strip())
    if found is None:
        return None
    return Signature(
        key=found["key"],
        region=found["region"],
        service=found["service"],
        headers=tuple(found["headers"].split(";")),
        signature=found["signature"],
    )


def caller_of(key: str) -> Caller | None:
    """Return the role that was assumed under an access key.

    Args:
        key: access key id.

    Returns:
        `None` for keys that STS never gave out.
    """
    caller = _KNOWN.get(key)
    if caller is not None or not key.startswith(_TEMPORARY):
        return caller
    # Imported here: moto's models take a second, and only requests that carry such a key need them.
    from moto.sts.models import sts_backends  # noqa: PLC0415

    for partitions in list(sts_backends.values()):
        for backend in list(partitions.values()):
            role = backend.get_assumed_role_from_access_key(key)
            if role is not None:
                _KNOWN[key] = Caller(
                    key=key,
                    secret=role.secret_access_key,
                    token=role.session_token,
                    account=role.account_id,
                    arn=role.arn,
                    user_id=role.user_id,
                    role=role.role_arn.rpartition("/")[2],
                )
                return _KNOWN[key]
    return None


def is_signed_by(
    caller: Caller, signature: Signature, *, method: str, url: str, headers: Mapping[str, Any], body: bytes
) -> bool:
    """Return whether a request carries the signature that its caller's secret makes."""
    sent = {name.lower(): str(value) for name, value in headers.items()}
    if sent.get("x-amz-security-token") != caller.token or "host" not in signature.headers:
        return False
    request = AWSRequest(
        method=method,
        url=url,
        data=body,
        headers={name: sent[name] for name in signature.headers if name in sent},
    )
    request.context["timestamp"] = sent.get("x-amz-date", "")
    signer = SigV4Auth(
        Credentials(caller.key, caller.secret, caller.token), signature.service, signature.region
    )
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return hmac.compare_digest(expected, signature.signature)

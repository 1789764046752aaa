"""The proof of who the App is: a JSON Web Token with the algorithm RS256.

https://www.rfc-editor.org/rfc/rfc7515#section-3.1 and https://www.rfc-editor.org/rfc/rfc7518#section-3.3.
PyJWT would import all that it could sign with and read, a tenth of a function's cold start.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class KeyUnusableError(ValueError):
    """The text is no RSA key in PEM form; it says nothing of the key."""


def sign(claims: Mapping[str, Any], pem: str) -> str:
    """Return a token.

    Args:
        pem: the App's private key.

    Raises:
        KeyUnusableError: it cannot sign.
    """
    signed = b".".join(_part(json.dumps(it).encode()) for it in ({"typ": "JWT", "alg": "RS256"}, claims))
    try:
        signature = _signing_key(pem).sign(signed, PKCS1v15(), SHA256())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause may quote the key, so it is not chained.
        raise KeyUnusableError("not an RSA key in PEM form") from None
    return (signed + b"." + _part(signature)).decode()


def _part(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


@lru_cache(maxsize=1)
def _signing_key(pem: str) -> RSAPrivateKey:
    """Read the App's key once: its numbers are checked, which takes a hundred times as long as a signature.

    Raises:
        ValueError, TypeError, UnsupportedAlgorithm: it is none that can be read.
    """
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key

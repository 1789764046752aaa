"""Reads the headers and raw bytes that were sent from a Function URL's event."""

import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

from pullwright.webhook.answers import Refused

# A Function URL takes 6 MB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html); GitHub
# sends up to 25.
LARGEST_BODY = 6 * 1024 * 1024


class Request(NamedTuple):
    """One HTTP request.

    Attributes:
        headers: by lower-case name.
        body: raw bytes, which is what the signature covers.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes


def read_request(event: Mapping[str, Any]) -> Request:
    """Read a Function URL's event, payload format 2.0.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads

    Raises:
        Refused: not a POST, too large, or not decodable.
    """
    method = str(event.get("requestContext", {}).get("http", {}).get("method", "")).upper()
    if method != "POST":
        raise Refused(405, "Only webhooks are taken here, by POST.")
    text = event.get("body") or ""
    # Each character of base64 carries six bits: judged before anything of that size is made.
    size = len(text) * 3 // 4 if event.get("isBase64Encoded") else len(text)
    if size > LARGEST_BODY:
        raise Refused(413, f"The body is larger than {LARGEST_BODY} bytes.")
    if event.get("isBase64Encoded"):
        try:
            body = binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            raise Refused(400, "The body is not valid base64.") from None
    else:
        # Lone surrogates cannot come from HTTP; passed through, they fail the signature instead of us.
        body = text.encode("utf-8", "surrogatepass")
    if len(body) > LARGEST_BODY:
        raise Refused(413, f"The body is larger than {LARGEST_BODY} bytes.")
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    return Request(method, headers, body)

"""Webhooks: their bytes, their signature, and one attempt to deliver them."""

from __future__ import annotations

import contextlib
import hmac
import http.client
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from standin.faults import Fault

_LONGEST_BODY = 64 * 1024
_OK = range(200, 300)


@dataclass(frozen=True)
class Answer:
    """The answer to a webhook.

    Attributes:
        status_code: 0 if the connection failed, 504 if no answer came in time.
    """

    status: str
    status_code: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Parcel:
    """One attempt.

    Attributes:
        host: sent as `Host` instead of the address's own, if given.
        timeout: seconds to wait for the connection, and for the answer.
    """

    url: str
    host: str
    headers: dict[str, str]
    body: bytes
    timeout: float


def signature(secret: str, body: bytes, algorithm: str = "sha256") -> str:
    """Return a signature header's value."""
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def encode(payload: dict[str, Any]) -> bytes:
    """Return a payload's bytes, which are what is signed."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def send(parcel: Parcel, fault: Fault | None = None) -> Answer:
    """Deliver once.

    Args:
        fault: the failure that was ordered for this attempt.
    """
    if fault is None:
        return _post(parcel)
    if fault.delay:
        time.sleep(min(fault.delay, parcel.timeout))
        if fault.delay >= parcel.timeout:
            return Answer("timed out", 504, {}, "")
    if (fault.drop or fault.status) and not fault.after:
        return _lost(fault)
    answer = _post(parcel)
    return _lost(fault) if fault.drop or fault.status else answer


def _lost(fault: Fault) -> Answer:
    if fault.status:
        return Answer(f"Invalid HTTP Response: {fault.status}", fault.status, {}, "")
    return Answer("failed to connect to host", 0, {}, "")


def _post(parcel: Parcel) -> Answer:
    url = urlsplit(parcel.url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    host = parcel.host or url.netloc
    with contextlib.closing(kind(url.hostname or "", url.port, timeout=parcel.timeout)) as connection:
        try:
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request("POST", target, parcel.body, {**parcel.headers, "Host": host})
            response = connection.getresponse()
            text = response.read(_LONGEST_BODY).decode(errors="replace")
        except TimeoutError:
            return Answer("timed out", 504, {}, "")
        except (OSError, http.client.HTTPException):
            return Answer("failed to connect to host", 0, {}, "")
    ok = response.status in _OK
    status = "OK" if ok else f"Invalid HTTP Response: {response.status}"
    return Answer(status, response.status, dict(response.getheaders()), text)

"""Encoding of events: server-sent events and the AWS event stream.

The event stream's layout: https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html.
"""

import base64
import json
import struct
import zlib
from typing import Any

_STRING = 7


def server_sent(event: dict[str, Any]) -> bytes:
    """Return an event as the Anthropic API sends it."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def bedrock_chunk(event: dict[str, Any]) -> bytes:
    """Return an event as `InvokeModelWithResponseStream` sends it: base64 inside JSON inside a frame."""
    inner = base64.b64encode(json.dumps(event).encode()).decode()
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps({"bytes": inner}).encode())


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """Return one message of the AWS event stream: lengths, their CRC, headers, payload, CRC of it all."""
    packed = b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", _STRING, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack("!I", zlib.crc32(message))

"""Read the token counts out of an answer while it passes by.

Events of a stream: https://docs.claude.com/en/api/messages-streaming. Bedrock wraps the same events into
base64 inside JSON inside the AWS event stream.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from botocore.eventstream import EventStreamBuffer, ParserError

from runner.prices import Tokens

_BYTES_PER_TOKEN = 3


class Meter(ABC):
    """Counts of one answer.

    Attributes:
        complete: the answer came to its end, so the counts are the provider's own.
        error: type and message of an error inside the stream.
    """

    def __init__(self) -> None:
        self.complete = False
        self.error: tuple[str, str] | None = None
        self._counts: dict[str, int] = {}
        self._seen_output = 0

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the answer."""

    def finish(self) -> None:  # noqa: B027 - only an answer that is one JSON object needs its end
        """Learn that no more bytes will come."""

    def tokens(self, expected: Tokens) -> Tokens:
        """Return what the call used.

        Args:
            expected: the estimate for the call. It stands in for a prompt that was never counted because the
                answer broke off; then the output is estimated from what arrived.
        """
        count = self._counts.get
        if not self._counts:
            prompt = expected.prompt
            return Tokens(input=prompt, output=self._seen_output // _BYTES_PER_TOKEN)
        output = count("output_tokens", 0)
        if not self.complete:
            output = max(output, self._seen_output // _BYTES_PER_TOKEN)
        return Tokens(
            input=count("input_tokens", 0),
            output=output,
            cache_read=count("cache_read_input_tokens", 0),
            cache_write=count("cache_creation_input_tokens", 0),
            cache_write_1h=count("ephemeral_1h_input_tokens", 0),
        )

    def _event(self, event: dict[str, Any]) -> None:
        match event.get("type"):
            case "message_start":
                self._usage(event["message"].get("usage"))
            case "message_delta":
                self._usage(event.get("usage"))
            case "content_block_delta":
                self._seen_output += sum(len(v) for v in event["delta"].values() if isinstance(v, str))
            case "message_stop":
                self.complete = True
            case "error":
                error = event.get("error") or {}
                self.error = (str(error.get("type", "api_error")), str(error.get("message", "")))

    def _usage(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        # A compaction on the provider's side is billed as a pass of its own, which only `iterations` shows.
        passes = [part for part in usage.get("iterations") or () if isinstance(part, dict)]
        for counts in (_flat(usage), _summed([_flat(part) for part in passes])):
            for name, value in counts.items():
                self._counts[name] = max(self._counts.get(name, 0), value)


def _flat(usage: dict[str, Any]) -> dict[str, int]:
    merged = {**usage, **(usage.get("cache_creation") or {})}
    return {name: value for name, value in merged.items() if isinstance(value, int)}


def _summed(parts: list[dict[str, int]]) -> dict[str, int]:
    names = {name for part in parts for name in part}
    return {name: sum(part.get(name, 0) for part in parts) for name in names}


class ServerSentMeter(Meter):
    """For `text/event-stream`."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Look at the lines that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(json.loads(line[len(b"data:") :]))


class EventStreamMeter(Meter):
    """For `application/vnd.amazon.eventstream`."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = EventStreamBuffer()

    def feed(self, data: bytes) -> None:
        """Look at the frames that are complete now."""
        self._buffer.add_data(data)
        for message in self._buffer:
            payload = json.loads(message.payload or b"{}")
            headers: Any = message.headers  # a dictionary, whatever the published types say
            if headers.get(":message-type") != "event":
                name = headers.get(":exception-type") or headers.get(":error-code")
                self.error = (str(name), str(payload.get("message", "")))
            elif "bytes" in payload:
                self._event(json.loads(base64.b64decode(payload["bytes"])))


class WholeMeter(Meter):
    """For an answer that is one JSON object."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Keep the bytes: they mean something together only."""
        self._parts.append(data)

    def finish(self) -> None:
        """Read the object's usage."""
        self._usage(json.loads(b"".join(self._parts)).get("usage"))
        self.complete = True


_KINDS: dict[str, type[Meter]] = {
    "text/event-stream": ServerSentMeter,
    "application/vnd.amazon.eventstream": EventStreamMeter,
}


class SafeMeter:
    """A meter whose trouble never disturbs the answer: the call is then booked with what was reserved for it.

    Args:
        content_type: of the answer.
    """

    def __init__(self, content_type: str) -> None:
        kind, _, _ = content_type.partition(";")
        self._meter = _KINDS.get(kind.strip().lower(), WholeMeter)()
        self._broken = False

    @property
    def error(self) -> tuple[str, str] | None:
        """Type and message of an error inside the stream."""
        return self._meter.error

    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the answer."""
        self._safely(lambda: self._meter.feed(data))

    def finish(self) -> None:
        """Learn that no more bytes will come."""
        self._safely(self._meter.finish)

    def tokens(self, expected: Tokens) -> Tokens:
        """Return what the call used, see `Meter.tokens`."""
        return expected if self._broken else self._meter.tokens(expected)

    def _safely(self, action: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            action()
        except (ValueError, LookupError, TypeError, AttributeError, ParserError):
            self._broken = True

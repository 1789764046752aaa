"""Read the token counts out of an answer while it passes by.

Events of a stream: https://docs.claude.com/en/api/messages-streaming. Bedrock wraps the same events into
base64 inside JSON inside the AWS event stream.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.eventstream import EventStreamBuffer, ParserError

from pullwright.prices import Tokens

# An event, or an answer that is not a stream, that is longer than this is not kept to be read.
_MAX_KEPT = 512 * 1024
_COUNTS = {
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
}


class Meter(ABC):
    """Counts of one answer.

    Attributes:
        complete: the answer came to its end, so the counts are the provider's last.
        error: type and message of an error inside the stream.
    """

    def __init__(self) -> None:
        self.complete = False
        self.error: tuple[str, str] | None = None
        self._counts: dict[str, int] = {}
        self._final = False
        self._us_only = False

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the answer."""

    def finish(self) -> None:  # noqa: B027 - only an answer that is one JSON object needs its end
        """Learn that no more bytes will come."""

    @property
    def prompt_tokens(self) -> int | None:
        """How many tokens the prompt was counted as, if that was said."""
        if "input_tokens" not in self._counts:
            return None
        count = self._counts.get
        return sum(
            count(name, 0)
            for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        )

    def tokens(self, expected: Tokens) -> Tokens:
        """Return what the call used: at most what was expected, until the answer says less."""
        count = self._counts.get
        is_final = self.complete and self._final
        output = count("output_tokens", 0) if is_final else max(expected.output, count("output_tokens", 0))
        if "input_tokens" not in self._counts:
            return replace(expected, output=output)
        written = count("cache_creation_input_tokens", 0)
        for_an_hour = count("ephemeral_1h_input_tokens", 0)
        if expected.cache_write_1h:
            for_an_hour = max(for_an_hour, written - count("ephemeral_5m_input_tokens", 0))
        return Tokens(
            input=count("input_tokens", 0),
            output=output,
            cache_read=count("cache_read_input_tokens", 0),
            cache_write=max(written, for_an_hour),
            cache_write_1h=for_an_hour,
            us_only=self._us_only,
        )

    def _event(self, event: dict[str, Any]) -> None:
        match event.get("type"):
            case "message_start":
                self._usage(event["message"].get("usage"))
            case "message_delta":
                usage = event.get("usage")
                self._usage(usage)
                self._final = isinstance(usage, dict) and usage.get("output_tokens") is not None
            case "message_stop":
                self.complete = True
            case "error":
                error = event.get("error") or {}
                self.error = (str(error.get("type", "api_error")), str(error.get("message", "")))

    def _usage(self, usage: Any) -> None:
        if usage is None:
            return
        # A compaction on the provider's side is billed as a pass of its own, which only `iterations` shows.
        passes = [_flat(part) for part in usage.get("iterations") or ()]
        for counts in (_flat(usage), _summed(passes)):
            for name, value in counts.items():
                self._counts[name] = max(self._counts.get(name, 0), value)
        self._us_only = self._us_only or usage.get("inference_geo") == "us"


def _flat(usage: dict[str, Any]) -> dict[str, int]:
    merged = {**usage, **(usage.get("cache_creation") or {})}
    counts = {name: value for name, value in merged.items() if name in _COUNTS and value is not None}
    for name, value in counts.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(name)
    return counts


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
        if len(self._rest) > _MAX_KEPT:
            raise ValueError("an event without an end")
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
        self._kept = bytearray()

    def feed(self, data: bytes) -> None:
        """Keep the bytes: they mean something together only."""
        self._kept += data
        if len(self._kept) > _MAX_KEPT:
            self._kept.clear()
            raise ValueError("an answer that is too long")

    def finish(self) -> None:
        """Read the object's usage."""
        usage = json.loads(self._kept)["usage"]
        self._usage(usage)
        self._final = usage.get("output_tokens") is not None
        self.complete = True


_KINDS: dict[str, type[Meter]] = {
    "text/event-stream": ServerSentMeter,
    "application/vnd.amazon.eventstream": EventStreamMeter,
}


class SafeMeter:
    """A meter whose trouble never disturbs the answer: the call then costs what was reserved for it."""

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

    @property
    def prompt_tokens(self) -> int | None:
        """How many tokens the prompt was counted as, if that was said and can be believed."""
        return None if self._broken or not self._meter.complete else self._meter.prompt_tokens

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

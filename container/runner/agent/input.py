"""What the CLI is told: the prompt first, and notices while it works.

With `--input-format=stream-json` standard input stays open and each line is a message of the user's; one that
comes while the agent works is put before the model with the next result of a tool. The CLI ends when its
input ends and nothing is left to do. https://code.claude.com/docs/en/headless#streaming-json-input
"""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from typing import IO


class AgentInput:
    """Messages on their way to the CLI; a thread writes them, so that nobody waits for a full pipe."""

    def __init__(self, prompt: str) -> None:
        self._messages: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.send(prompt)

    def send(self, text: str) -> None:
        """Add a message."""
        self._messages.put(text)

    def end(self) -> None:
        """Say that nothing more will come."""
        self._messages.put(None)

    def write_to(self, stream: IO[bytes]) -> None:
        """Write what is said to a stream until the end, and close it."""
        threading.Thread(target=self._write, args=(stream,), name="agent-stdin", daemon=True).start()

    def _write(self, stream: IO[bytes]) -> None:
        # A program that has ended, or has closed its input, is told nothing more.
        with suppress(OSError), stream:
            while (text := self._messages.get()) is not None:
                message = {"type": "user", "message": {"role": "user", "content": text}}
                stream.write(json.dumps(message).encode() + b"\n")
                stream.flush()

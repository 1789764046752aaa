"""The log of requests, without anything secret or private."""

import json
import re
import time
from pathlib import Path
from typing import Any

from model_standin.conversation import Conversation


class Journal:
    """Requests in the order in which they were answered.

    Args:
        path: file that gets one JSON line for each request, if given.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._entries: list[dict[str, Any]] = []
        self._marks: re.Pattern[str] | None = None

    @property
    def entries(self) -> list[dict[str, Any]]:
        """All entries since the start, or since they were cleared."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget the entries; the file stays as it is."""
        self._entries.clear()

    def look_for(self, pattern: str) -> None:
        """Set the expression whose matches are noted in each entry.

        Raises:
            re.error: it is no regular expression.
        """
        self._marks = re.compile(pattern)

    def marks(self, body: dict[str, Any]) -> dict[str, list[str]]:
        """Return the matches in a request's body, as a field of its entry."""
        if self._marks is None:
            return {}
        found = self._marks.finditer(json.dumps(body, ensure_ascii=False))
        return {"marks": sorted({match[0] for match in found})}

    def note(
        self,
        *,
        method: str,
        path: str,
        status: int,
        header_names: list[str],
        conversation: Conversation | None = None,
        **more: Any,
    ) -> None:
        """Add one request: header names without values, and counts instead of texts."""
        entry: dict[str, Any] = {
            "at": time.time(),
            "method": method,
            "path": path,
            "status": status,
            "headers": sorted(set(header_names)),
        }
        if conversation is not None:
            entry |= {
                "model": conversation.model,
                "stream": conversation.stream,
                "turn": conversation.turn,
                "tools": sorted(conversation.tools),
                "max_tokens": conversation.max_tokens,
            }
        entry |= more
        self._entries.append(entry)
        if self._path is not None:
            with self._path.open("a") as log:
                log.write(json.dumps(entry) + "\n")

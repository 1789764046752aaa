"""Whole requests and answers in a file, so that tests can compare them with the service's own description."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from standin.answers import Reply

_SECRET = ("token", "secret", "pem", "webhook_secret", "client_secret")
_REQUEST_HEADERS = ("accept", "content-type", "user-agent", "x-github-api-version")


class Asked(Protocol):
    """What is written down of a request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes


class Exchanges:
    """A file with one JSON line per exchange.

    Bodies are written too, texts of people among them, but no credential: tokens and keys in answers are
    replaced, and a new webhook's secret.

    Args:
        folder: gets one file for this process; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / f"{os.getpid()}.jsonl"
        self._lock = threading.Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def answered(self, kind: str, actor: str, call: Asked, reply: Reply) -> None:
        """Write down a request and its answer.

        Args:
            kind: which description is for it, such as `rest` or `graphql`.
            actor: what sort of account asked.
        """
        if self._file is None:
            return
        body = _hidden(reply.body)
        self._write(
            {
                "kind": kind,
                "method": call.method,
                "path": call.path,
                "query": call.query,
                "headers": {name: call.headers[name] for name in _REQUEST_HEADERS if name in call.headers},
                "actor": actor,
                "body": _hidden(decoded(call.content)),
                "status": reply.status,
                "media_type": reply.media_type,
                "answer": body if not isinstance(body, bytes) else None,
            }
        )

    def delivered(self, headers: dict[str, str], payload: dict[str, Any], kind: str = "webhook") -> None:
        """Write down a webhook that is sent."""
        if self._file is not None:
            shown = {name: value for name, value in headers.items() if "Signature" not in name}
            self._write({"kind": kind, "headers": shown, "body": payload})

    def _write(self, exchange: dict[str, Any]) -> None:
        line = json.dumps(exchange) + "\n"
        with self._lock, self._file.open("a", encoding="utf-8") as file:  # type: ignore[union-attr] # as checked by the callers
            file.write(line)


def _hidden(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    # GitHub itself shows a webhook's secret as stars.
    return {name: "***" if name in _SECRET and value else value for name, value in body.items()}


def decoded(content: bytes) -> object:
    """Return a request's body as JSON, or as text where it is none."""
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")

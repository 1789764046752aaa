"""The pages of one session: how it went, what it left, and what was logged."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pullwright.models import SessionStatus
from pullwright.record import SessionRecord
from pullwright.results import AgentResult
from pullwright_cli.dashboard import charts, windows
from pullwright_cli.dashboard.rendering import Renderer, View
from pullwright_cli.dashboard.transcript import entries
from pullwright_cli.details import details, missing
from pullwright_cli.errors import CliError
from pullwright_cli.logbook import SOURCES, Logbook
from pullwright_cli.session import Session

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pullwright_cli.dashboard.windows import Window
    from pullwright_cli.session import Deployed

_SESSION = re.compile(r"[0-9A-Za-z_-]{1,80}")
_ARTIFACT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_DIGITS = re.compile(r"\d{1,12}")
_MOST_LINES = 400
_TRANSCRIPT = "transcript.jsonl"


class SessionPages:
    """Answers requests for them."""

    def __init__(self, stack: Deployed, renderer: Renderer) -> None:
        self._stack = stack
        self._renderer = renderer

    def overview(self, request: Request) -> Response:
        """Show how a session goes or went; live while it is under way."""
        session_id = _id(request)

        def look() -> View:
            found = details(self._stack, session_id)
            record = {**dict.fromkeys(SessionRecord.model_fields), **(found["record"] or {})}
            execution = found["execution"] or dict.fromkeys(("arn", "status", "error", "cause"))
            status = record["status"] or execution["status"] or ""
            is_open = status in {SessionStatus.QUEUED, SessionStatus.RUNNING}
            values = {
                **found,
                "record": record,
                "execution": execution,
                "status": status,
                "is_open": is_open,
                "timeline": charts.timeline(found["states"], datetime.now(UTC)),
                "result": self._result(session_id) if "result.json" in found["artifacts"] else None,
            }
            state = found["states"][-1]["name"] if found["states"] else ""
            said = f"{status.lower()}{f', {state}' if is_open and state else ''}"
            return View("overview.html", values, said, every=4 if is_open else 0)

        return self._respond(request, session_id, look, "overview")

    def file(self, request: Request) -> Response:
        """Show a part of what a session left."""
        session_id, name = _id(request), request.path_params["name"]
        if not _ARTIFACT.fullmatch(name):
            raise CliError(f"{name} is no artifact's name", 2)
        session = Session.named(self._stack, session_id)

        def look() -> View:
            window = _window(request, session, name)
            values: dict[str, Any] = {"session": session_id, "name": name, "window": window}
            if window is None:
                return View("nothing.html", values)
            if name == _TRANSCRIPT:
                return View("transcript.html", {**values, "entries": list(entries(window.lines))})
            lines = [line.decode(errors="replace").rstrip("\r") for line in window.lines]
            kinds = map(_kind, lines) if name.endswith(".patch") else [""] * len(lines)
            return View("text.html", {**values, "lines": list(zip(kinds, lines, strict=True))})

        return self._respond(request, session_id, look, name)

    def log(self, request: Request) -> Response:
        """Show what all parts logged of a session, the newest lines first; live while it is under way."""
        session_id = _id(request)
        source = request.query_params.get("source", "")
        if source and source not in SOURCES:
            raise CliError(f"source: {source} is none of {', '.join(SOURCES)}", 2)

        def look() -> View:
            session = Session.named(self._stack, session_id)
            book = Logbook(self._stack, (source,) if source else SOURCES, session)
            lines = book.lines(*book.span())[::-1]
            values = {
                "lines": lines[:_MOST_LINES],
                "left_out": len(lines[_MOST_LINES:]),
                "session": session_id,
            }
            is_open = session.record().is_open
            return View("log.html", values, f"{len(lines)} lines", every=10 if is_open else 0)

        return self._respond(request, session_id, look, "log", is_slow=True, source=source, sources=SOURCES)

    def _respond(self, request: Request, session_id: str, look: Any, tab: str, **values: Any) -> Response:
        return self._renderer.respond(
            request, session_id, look, frame="session.html", here="", session=session_id, tab=tab, **values
        )

    def _result(self, session_id: str) -> AgentResult | None:
        """Return the runner's own report; None where it has not the form of one."""
        window = windows.after(Session.named(self._stack, session_id), "result.json", 0)
        try:
            return AgentResult.model_validate_json(window.content) if window is not None else None
        except ValidationError:
            return None


def _id(request: Request) -> str:
    """Return the session that an address names.

    Raises:
        SessionMissing: none can have that name.
    """
    name: str = request.path_params["session"]
    if not _SESSION.fullmatch(name):
        raise missing(name)
    return name


def _window(request: Request, session: Session, name: str) -> Window | None:
    """Return the part of an artifact that an address names: after a place, before one, or the last."""
    query = request.query_params
    for place in ("after", "before"):
        if not _DIGITS.fullmatch(query.get(place, "0")) and query[place] != "end":
            raise CliError(f"{place}: {query[place]} is no number of bytes", 2)
    if "before" in query:
        return windows.before(session, name, None if query["before"] == "end" else int(query["before"]))
    return windows.after(session, name, int(query.get("after", "0").replace("end", "0")))


def _kind(line: str) -> str:
    """Return what a line of a diff is, as a class of the style sheet."""
    if line.startswith(
        ("diff ", "index ", "--- ", "+++ ", "new file", "deleted file", "rename ", "similarity")
    ):
        return "head"
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "")

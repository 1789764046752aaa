"""Waits for a session's end, shows it, and ends as it did."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console

from pullwright import errors
from pullwright_cli.details import details
from pullwright_cli.download import save
from pullwright_cli.views import print_details
from pullwright_cli.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright_cli.session import Session

_INTERRUPTED = 130
_NO_LIMIT = 7 * 24 * 60.0
"""Minutes: longer than any execution may take."""


def follow(session: Session, minutes: float, folder: Path | None, *, as_json: bool) -> int:
    """Show a session's progress on standard error until it ends, then what came of it.

    Ctrl-C leaves it running.

    Args:
        minutes: how long to wait at most; 0 for as long as it takes.
        folder: where its artifacts are saved; None if they are not.

    Returns:
        The exit code: 0, that of the session's error, or 130 after Ctrl-C.

    Raises:
        StillRunning: it has not ended in time.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        status = Watch(console, session).until_end(minutes or _NO_LIMIT)
    except TimeoutError as error:
        raise errors.StillRunning(
            f"{str(error)[:1].upper()}{str(error)[1:]}.", remedy=f"It goes on. {_what_next(session)}"
        ) from None
    except KeyboardInterrupt:
        print(f"\nThe session goes on. {_what_next(session)}", file=sys.stderr)
        return _INTERRUPTED
    found = details(session.stack, session.id)
    print(file=sys.stderr)
    print_details(found, as_json=as_json)
    if folder is not None and (artifacts := session.artifact_list()):
        save(session, artifacts, folder)
        print(f"\nThe artifacts are in {folder}.", file=sys.stderr)
    return exit_code(found, status)


def exit_code(found: dict[str, Any], status: str) -> int:
    """Return the code of a session's end: 0, or that of the error's class, as docs/contracts.md lists them.

    Args:
        found: the session as `pullwright show --json` prints it.
        status: of its execution, for a session that nobody recorded.
    """
    record = found["record"] or {}
    if (record.get("status") or status) == "SUCCEEDED":
        return 0
    name = record.get("error") or (found["execution"] or {}).get("error") or ""
    error = errors.error_class(name) or errors.PullwrightError
    return error.exit_code


def _what_next(session: Session) -> str:
    return (
        f"Follow it with `pullwright show --watch {session.id}`, end it with `pullwright stop {session.id}`."
    )

"""Stops sessions, as `/stop` does: the execution ends, and the sweep reports and cleans up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright_cli.listing import Filter, sessions
from pullwright_cli.session import ENDED, Session
from pullwright_cli.starting import aws_line
from pullwright_cli.terminal import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright_cli.aws import Stack
    from pullwright_cli.session import Deployed

_OPEN = ("QUEUED", "RUNNING")
_MOST = 10_000
_ERROR = errors.SessionStopped.__name__
_CAUSE = "The session was stopped by the operator."


def all_open(stack: Stack) -> list[Session]:
    """Return the sessions that wait or run: two queries of the index `by_status`."""
    rows = [row for status in _OPEN for row in sessions(stack, Filter(status=status, limit=_MOST))]
    return [Session.named(stack, row["session"]) for row in rows]


def named(stack: Stack, ids: Sequence[str]) -> list[Session]:
    """Return sessions that can be stopped.

    Raises:
        SessionMissing: nobody knows one of them.
        NothingToDo: one has ended.
    """
    found = [Session.named(stack, session_id) for session_id in ids]
    for session in found:
        try:
            status = session.status()
        except errors.ExecutionForgotten:
            if session.record().is_missing:
                raise errors.SessionMissing(f"There is no session {session.id} in this stack.") from None
            status = "forgotten"
        if status in (*ENDED, "forgotten"):
            raise errors.NothingToDo(f"The session {session.id} has ended: its execution is {status}.")
    return found


def stop(stack: Stack, found: Sequence[Session], *, dry_run: bool, as_json: bool) -> None:
    """Stop sessions, or print what would stop them."""
    lines = [
        aws_line(
            stack,
            *("stepfunctions", "stop-execution", "--execution-arn", session.arn),
            *("--error", _ERROR, "--cause", _CAUSE),
        )
        for session in found
    ]
    if not dry_run:
        for session in found:
            stop_one(session)
    if as_json:
        print_json({"stopped": [] if dry_run else [session.id for session in found], "commands": lines})
    elif dry_run:
        print("\n".join(lines) or "Nothing waits or runs.")
    else:
        for session in found:
            print(f"{session.id} is stopped; its pull request says so in a moment.")
        if not found:
            print("Nothing waits or runs.")


def stop_one(session: Session) -> None:
    """Stop a session; one that has ended meanwhile stays as it is."""
    end_execution(session.stack, session.arn, _CAUSE)


def end_execution(stack: Deployed, arn: str, cause: str) -> None:
    """Stop an execution; one that has ended meanwhile stays as it is."""
    try:
        stack.client("stepfunctions").stop_execution(executionArn=arn, error=_ERROR, cause=cause)
    except ClientError as error:
        # It has ended meanwhile, and is forgotten at once by some engines.
        if error.response.get("Error", {}).get("Code") != "ExecutionDoesNotExist":
            raise

"""What is answered to a command: one comment for each issue or pull request, rewritten by the next answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.figures import duration, money
from pullwright.markdown import code, inline, sentence
from pullwright.models import SessionStatus
from pullwright.webhook.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pullwright.record import SessionRecord

ANSWER_MARKER = "<!-- pullwright:answer -->"
_MOST_SESSIONS = 5
_ENDED = {SessionStatus.SUCCEEDED: "✅", SessionStatus.FAILED: "✋"}


def render_answer(name: str, login: str, text: str) -> str:
    """Return the answer to a command.

    Args:
        name: the command, without the slash.
        login: of who gave it.
        text: Markdown of ours.
    """
    return f"{ANSWER_MARKER}\n\n{code(f'/{name}')} by {inline(login)}: {text}"


def help_text() -> str:
    """Return one line that says what there is."""
    known = "; ".join(f"`/{name}` {what}" for name, what in COMMANDS.items())
    return f"there is no such command. {known}."


def status_text(sessions: Sequence[SessionRecord], now: datetime) -> str:
    """Say what runs, what waits, and how the last session ended.

    Args:
        sessions: newest first.
    """
    lines = [_open(record, now) for record in sessions if record.is_open][:_MOST_SESSIONS]
    ended = next((record for record in sessions if not record.is_open), None)
    if ended is not None:
        lines.append(_ended(ended, now))
    return "\n\n" + "\n".join(f"- {line}" for line in lines)


def cost_text(sessions: Sequence[SessionRecord]) -> str:
    """Say what the sessions have cost, all together and the last of them.

    Args:
        sessions: newest first.
    """
    ended = [record for record in sessions if record.cost_usd is not None]
    total = sum(float(record.cost_usd or 0) for record in ended)
    many = "1 session has" if len(ended) == 1 else f"{len(ended)} sessions have"
    text = f"{many} cost {money(total)} here"
    if ended:
        last = ended[0]
        text += f"; the last of them {money(float(last.cost_usd or 0))} in {last.turns or 0} turns"
    unknown = sum(record.is_open for record in sessions)
    if unknown:
        text += ". The one at work" if unknown == 1 else f". The {unknown} at work"
        text += " will be counted at the end, and the tracking comment says how far it is"
    return text + "."


def _open(record: SessionRecord, now: datetime) -> str:
    since = record.admitted_at or record.created_at or now
    age = duration((now - since).total_seconds())
    where = f": {_link(record)}" if record.pull_request_url else ""
    if record.status is SessionStatus.RUNNING:
        return f"🔧 Session {code(record.session_id)} has run for {age}{where}"
    what = "a free slot" if record.comment_id is not None else "its turn"
    return f"⏳ Session {code(record.session_id)} has waited for {what} for {age}{where}"


def _ended(record: SessionRecord, now: datetime) -> str:
    ago = "" if record.closed_at is None else f" {duration((now - record.closed_at).total_seconds())} ago"
    sign = _ENDED.get(record.status or SessionStatus.FAILED, "✋")
    return f"{sign} Session {code(record.session_id)} ended{ago}: {sentence(record.sentence or 'no word')}"


def _link(record: SessionRecord) -> str:
    comment = f"#issuecomment-{record.comment_id}" if record.comment_id is not None else ""
    return f"{record.pull_request_url}{comment}"

"""Reads the agent's last words: one JSON object, wherever in them it stands."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pullwright.reviewing.identity import identified
from pullwright.reviewing.models import MOST_FINDINGS, SEVERITIES, Answer, Findings

if TYPE_CHECKING:
    from pullwright.reviewing.identity import Lines

_OBJECT = re.compile(r'\{\s*"')
_MOST_TRIES = 50
_SHOWN = 5


class AnswerError(Exception):
    """The words hold no answer of the agreed form; the message says what is wrong, for the agent."""


def read_answer(text: str) -> Answer:
    """Return the answer that a text holds.

    Raises:
        AnswerError: it holds none, or a wrong one.
    """
    problem = 'there is no JSON object with the field "findings" in it'
    decoder = json.JSONDecoder()
    for number, match in enumerate(_OBJECT.finditer(text)):
        if number == _MOST_TRIES:
            break
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError) as error:
            if number == 0:
                problem = f"it is no JSON ({error})"
            continue
        if isinstance(value, dict) and "findings" in value:
            try:
                return Answer.model_validate(value)
            except ValidationError as error:
                problems = error.errors(include_url=False, include_input=False)[:_SHOWN]
                lines = [f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in problems]
                raise AnswerError("; ".join(lines)) from None
    raise AnswerError(problem)


def findings_of(answer: Answer, lines_of: Lines, *, session_id: str, head_commit: str) -> Findings:
    """Return what is kept of an answer: the gravest findings with their ids, in the order of their places."""
    found = identified(answer.findings, lines_of)
    # Sorting is stable: of equally grave ones the first stay first.
    kept = sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))[:MOST_FINDINGS]
    places = {finding.id for finding in kept}
    return Findings(
        session_id=session_id,
        head_commit=head_commit,
        findings=tuple(finding for finding in found if finding.id in places),
        left_out=len(found) - len(kept),
        resolved=tuple(dict.fromkeys(name for name in answer.resolved if _is_id(name))),
    )


def _is_id(name: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{16}", name) is not None

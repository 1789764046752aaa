"""Reads the agent's last words: one JSON object, wherever in them it stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pullwright.reviewing.identity import identified
from pullwright.reviewing.models import LONGEST_SUMMARY, MOST_FINDINGS, SEVERITIES, Answer, Findings
from runner.log import logger
from runner.review.prompt import AGAIN

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


@dataclass
class Asking:
    """How the agent is asked for its answer: once more, if it cannot be read.

    Attributes:
        in_words: any text will do, as about an issue, which has no lines.
    """

    in_words: bool
    _was_repeated: bool = False

    def reply(self, words: str) -> str | None:
        """Return what is said to the agent about its answer; None if there is nothing more to say."""
        if self.in_words or self._was_repeated:
            return None
        try:
            read_answer(words)
        except AnswerError as error:
            self._was_repeated = True
            logger.warning("the answer is asked for again", problem=str(error))
            return AGAIN.format(problem=error)
        return None

    def read(self, words: str) -> tuple[Answer, str | None]:
        """Return the answer, and a sentence for people where it has not the form that it should have."""
        if self.in_words:
            return _in_words(words), None
        try:
            return read_answer(words), None
        except AnswerError as error:
            notice = f"The agent's answer does not have the agreed form and stands here as it is: {error}."
            return _in_words(words), notice


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


def _in_words(text: str) -> Answer:
    """Return an answer of words alone; half a character of UTF-16 is none, though JSON can hold it."""
    return Answer(summary=text.encode(errors="replace").decode()[:LONGEST_SUMMARY], findings=())


def _is_id(name: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{16}", name) is not None

"""The threads of reviews that the agent answers, and its answers, which stand at the end of its report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pullwright.results import ThreadAnswer
from pullwright.text import plain_line
from runner.agent.prompt import block, person

if TYPE_CHECKING:
    from pullwright.models import AgentRequest, ReviewThread

_LONGEST_NAME = 255
_LONGEST_ANSWER = 2_000
_ANSWER = re.compile(r"^\s*(?:[-*]\s+)?\**\[thread (\d{1,3}): (done|open)\]\**:?\s*(.*?)\s*$", re.IGNORECASE)

_ASKED = """\
The threads above are open. End your report with one line for each of them, which is posted there as your \
answer:

[thread 1: done] what you changed because of it
[thread 2: open] why you changed nothing, or what is left

Write `done` only where nothing is left to be decided: that thread is then resolved.
"""


def threads_prompt(request: AgentRequest, nonce: str) -> str:
    """Return the open threads with what was said in them, and how to answer; empty without any.

    Args:
        nonce: a random word, new for each session.
    """
    if not request.threads:
        return ""
    threads = [_shown(number, thread, nonce) for number, thread in enumerate(request.threads, start=1)]
    return "\n\n".join([*threads, _ASKED])


def take_answers(summary: str, request: AgentRequest) -> tuple[str, tuple[ThreadAnswer, ...]]:
    """Return the report without the lines that answer threads, and those answers."""
    answers: dict[str, ThreadAnswer] = {}
    rest = []
    for line in summary.splitlines():
        found = _ANSWER.match(line) if request.threads else None
        number = int(found[1]) if found else 0
        if found is None or not 1 <= number <= len(request.threads):
            rest.append(line)
        elif found[3]:
            thread = request.threads[number - 1].id
            text = found[3][:_LONGEST_ANSWER]
            answers[thread] = ThreadAnswer(thread=thread, text=text, is_done=found[2].lower() == "done")
    return "\n".join(rest).strip(), tuple(answers.values())


def _shown(number: int, thread: ReviewThread, nonce: str) -> str:
    where = plain_line(thread.path, _LONGEST_NAME)
    where += ", lines that were changed since" if thread.line is None else f", line {thread.line}"
    said = [
        f"By {person(comment.author, comment.author_role)}:\n{block('thread', nonce, comment.body)}"
        for comment in thread.comments
    ]
    return "\n".join([f"Thread {number}, about {where}:", *said])

"""What all failures have in common: a class, a sentence, a remedy and an exit code."""

import json
from enum import StrEnum
from typing import ClassVar, Self

from pullwright.json_object import decode_object

_LONGEST = 1_000


class FailureClass(StrEnum):
    """Whose turn it is after a failure."""

    USER = "user"
    TRANSIENT = "transient"
    SERVICE = "service"
    AGENT = "agent"
    LIMIT = "limit"


class PullwrightError(Exception):
    """Base of all failures.

    Args:
        sentence: what happened, one plain sentence for the person on GitHub.
        remedy: what they can do; the class has a default.
    """

    failure_class: ClassVar[FailureClass] = FailureClass.SERVICE
    exit_code: ClassVar[int] = 3
    default_remedy: ClassVar[str] = "Try again; if it happens again, ask the operator."

    def __init__(self, sentence: str, *, remedy: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy if remedy is not None else self.default_remedy

    @classmethod
    def unpacked(cls, text: str) -> Self:
        """Return the error that was packed into a text; any other text is the sentence alone."""
        packed = decode_object(text)
        if set(packed) != {"sentence", "remedy"}:
            return cls(text[:_LONGEST])
        return cls(str(packed["sentence"])[:_LONGEST], remedy=str(packed["remedy"])[:_LONGEST])

    def pack(self) -> None:
        """Put a remedy that is not the class's own into the text: of an exception, Lambda passes on no more.

        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
        """
        if self.remedy != self.default_remedy:
            packed = {"sentence": self.sentence, "remedy": self.remedy}
            self.args = (json.dumps(packed, ensure_ascii=False),)


class _UserError(PullwrightError):
    failure_class = FailureClass.USER


class _TransientError(PullwrightError):
    failure_class = FailureClass.TRANSIENT
    default_remedy = "Start it again in a few minutes."


class _AgentError(PullwrightError):
    failure_class = FailureClass.AGENT
    default_remedy = "Say more in the issue about what is wanted, then start it again."


class _LimitError(PullwrightError):
    failure_class = FailureClass.LIMIT
    default_remedy = "Raise the limit for this session or make the task smaller, then start it again."

"""What goes to the queue, because more than the payload is needed to carry it out."""

from collections.abc import Mapping
from typing import NamedTuple


class Message(NamedTuple):
    """One message.

    Attributes:
        message: of the queue, JSON.
        reason: what is done, for whoever reads the delivery on GitHub.
        repository: full name; empty if it is about several.
        number: of the issue or pull request, or 0.
        unmatched: by worker, why it does not start.
        matched: workers that may start.
    """

    message: str
    reason: str
    repository: str = ""
    number: int = 0
    unmatched: Mapping[str, str] | None = None
    matched: tuple[str, ...] = ()

"""Ids of findings: the same for the same lines of a file, wherever these stand and whoever reads them."""

from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256

from pullwright.reviewing.models import Finding, Remark, Side

_LENGTH = 16

Lines = Callable[[str, Side], list[str]]
"""The lines of a file on one side of the difference; none if there is no such file."""


def identified(remarks: Iterable[Remark], lines_of: Lines) -> list[Finding]:
    """Return remarks with their ids.

    The words do not count: an agent that finds the same again says it in others. Of several remarks about
    the same lines each has an id of its own, in the order of their places.
    """
    places = sorted(remarks, key=lambda remark: (remark.path, remark.side, remark.line))
    counted: Counter[str] = Counter()
    found = []
    for remark in places:
        key = "\0".join((remark.path, remark.side, *_content(remark, lines_of)))
        number = counted[key]
        counted[key] += 1
        digest = sha256(f"{key}\0{number}".encode(errors="surrogatepass")).hexdigest()[:_LENGTH]
        found.append(Finding(id=digest, **remark.model_dump()))
    return found


def _content(remark: Remark, lines_of: Lines) -> list[str]:
    """Return the lines that a remark is about, without their indentation."""
    lines = lines_of(remark.path, remark.side)[remark.first_line - 1 : remark.line]
    # Where there are none, it can be known by its words at most.
    return [line.strip() for line in lines] or [remark.text]

"""What a cell of the matrix is: something goes wrong between GitHub's delivery and a session's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pullwright.github.transport import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.unit.delivery_kit import Delivered

DOWN = Response(502, {})
FOR_GOOD = 500
"""More often than anybody asks."""
TWICE, LOST = "delivered three times", "its delivery is lost, and the sweep asks for it"


@dataclass(frozen=True)
class Cell:
    """One thing that goes wrong.

    Attributes:
        run: makes it happen, and returns the session that counts, or in a word what came of it.
    """

    what: str
    fault: str
    run: Callable[[Delivered], str]

    @property
    def name(self) -> str:
        """For the test's report."""
        return f"{self.what}: {self.fault}"


CELLS: list[Cell] = []
Run = Callable[["Delivered"], str]
RunOf = Callable[["Delivered", str], str]


def cell(what: str, fault: str) -> Callable[[Run], None]:
    """Add a function to the cells."""

    def add(run: Run) -> None:
        CELLS.append(Cell(what, fault, run))

    return add


def _run_of(run: RunOf, kind: str, world: Delivered) -> str:
    return run(world, kind)


def each(kinds: Iterable[str], fault: str) -> Callable[[RunOf], None]:
    """Add a function, which is told the kind, to the cells for each of several kinds."""

    def add(run: RunOf) -> None:
        CELLS.extend(Cell(kind, fault, partial(_run_of, run, kind)) for kind in kinds)

    return add

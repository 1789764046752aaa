"""Collects what came of each cell of the fault matrix and writes it to `docs/fault-matrix.md`."""

from __future__ import annotations

import fcntl
import re
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).parents[1] / "docs" / "fault-matrix.md"


@dataclass(frozen=True)
class Row:
    """What came of one cell.

    Attributes:
        failure_class: of that error, empty without one.
        pulls: how many pull requests there were; None where the layer has no GitHub.
    """

    state: str
    fault: str
    ending: str
    failure_class: str
    pulls: int | None = None

    @property
    def line(self) -> str:
        """As a line of a table."""
        ending = f"`{self.ending}`" + (f" ({self.failure_class})" if self.failure_class else "")
        cells = [self.state, self.fault, ending] + ([] if self.pulls is None else [str(self.pulls)])
        return f"| {' | '.join(cells)} |"


@dataclass
class Matrix:
    """One part of the table.

    Args:
        name: of the part, as the file's markers have it.
    """

    name: str
    expected: set[str]
    _rows: dict[str, Row] = field(default_factory=dict)

    def passed(self, cell: str, row: Row) -> None:
        """Note that a cell has ended as it must."""
        self._rows[cell] = row

    def write(self) -> None:
        """Put the part into the file, if each of its cells has passed in this run."""
        if self._rows.keys() != self.expected:
            return
        # The two layers that write may run at the same time.
        with FILE.open(encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self._put()

    def _put(self) -> None:
        lines = list(dict.fromkeys(row.line for row in self._rows.values()))
        begin, end = f"<!-- {self.name}: begin -->", f"<!-- {self.name}: end -->"
        text = FILE.read_text(encoding="utf-8")
        heading = re.compile(
            rf"({re.escape(begin)}\n\n(?:\|[^\n]*\n){{2}}).*?(\n{re.escape(end)})", re.DOTALL
        )
        written, count = heading.subn(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text)
        if not count:
            raise LookupError(f"{FILE.name} has no part {self.name}")
        if written != text:
            FILE.write_text(written, encoding="utf-8")

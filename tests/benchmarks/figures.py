"""Figures, their marks, and the table that shows both."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Mark:
    """What a figure must not exceed.

    Args:
        meaning: where the limit comes from, when the number alone does not say it.
    """

    limit: float
    meaning: str = ""


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Args:
        value: the median, or the only value.
        unit: for example `ms`.
        spread: lowest and highest, when there were several.
        mark: what it must not exceed.
    """

    name: str
    value: float
    unit: str
    spread: tuple[float, float] | None = None
    mark: Mark | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the mark is met; None without one."""
        return None if self.mark is None else self.value <= self.mark.limit


@dataclass(frozen=True)
class Section:
    """Figures that were measured in the same way.

    Args:
        how: says how they were measured, or why they were not.
    """

    title: str
    how: str
    figures: tuple[Figure, ...] = ()


def median(
    name: str, values: Sequence[float], unit: str, *, mark: Mark | None = None, note: str = ""
) -> Figure:
    """Make a figure of several values."""
    return Figure(name, statistics.median(values), unit, (min(values), max(values)), mark, note)


def table(sections: Sequence[Section]) -> Table:
    """Draw all sections as one table."""
    drawn = Table(title="Pullwright, measured", title_justify="left", show_lines=False)
    drawn.add_column("what", overflow="fold")
    drawn.add_column("median", justify="right", no_wrap=True)
    drawn.add_column("min to max", justify="right", no_wrap=True)
    drawn.add_column("mark", justify="right", overflow="fold")
    drawn.add_column("", no_wrap=True)
    for section in sections:
        drawn.add_section()
        drawn.add_row(f"[bold]{section.title}[/bold]")
        for figure in section.figures:
            drawn.add_row(
                figure.name + (f" [dim]({figure.note})[/dim]" if figure.note else ""),
                f"{_number(figure.value)} {figure.unit}",
                f"{_number(figure.spread[0])} to {_number(figure.spread[1])}" if figure.spread else "",
                f"≤ {_number(figure.mark.limit)} {figure.mark.meaning}".strip() if figure.mark else "",
                {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[figure.met],
            )
        if not section.figures:
            drawn.add_row("[dim]not measured[/dim]")
    return drawn


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1_000 else f"{value:.2f}"

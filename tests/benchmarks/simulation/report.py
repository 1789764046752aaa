"""The study as tables, as a sentence and as a picture."""

from __future__ import annotations

import io
import itertools
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.benchmarks.simulation import slots
from tests.benchmarks.simulation.study import (
    PATIENCE_SECONDS,
    Load,
    Step,
    burst,
    capacity,
    ladder,
    measure,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.benchmarks.simulation.parameters import Parameters

TARGET = 500
FRACTIONS = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1)
"""Loads that tables and picture show, as parts of what a deployment carries."""


@dataclass(frozen=True)
class Study:
    """All that was found out.

    Attributes:
        curves: how it goes by load, for some of the steps by their number.
        asked: the steps that the tables show by load.
    """

    steps: list[Step]
    curves: dict[int, list[Load]]
    single: int
    asked: list[int]

    @classmethod
    def run(cls, parameters: Parameters, seed: int) -> Study:
        """Climbs the ladder, then measures beside and beyond the rungs that people ask about."""
        steps = list(ladder(parameters, TARGET, seed))
        single = max(
            i for i, step in enumerate(steps) if step.parameters.installations == parameters.installations
        )
        asked = sorted({0, min(1, single), single})
        curves = {
            i: [measure(steps[i].parameters, steps[i].carries.per_hour * part, seed) for part in FRACTIONS]
            for i in sorted({*asked, len(steps) - 1})
        }
        return cls(steps, curves, single, asked)

    def sentence(self) -> str:
        """Return what the picture shows."""
        first, single, last = self.steps[0], self.steps[self.single], self.steps[-1]
        return (
            f"Deployed into a new account, Pullwright carries {first.carries.per_hour:.0f} sessions an hour, "
            f"then {first.beyond.binding} binds; with slots and the vCPU quota raised, one installation "
            f"carries {single.carries.per_hour:.0f}, then {single.beyond.binding} binds; spread over "
            f"{last.parameters.installations:.0f} installations, "
            f"one account carries {last.carries.per_hour:.0f}."
        )

    def tables(self, seed: int) -> Iterator[str]:
        """Yield the tables of docs/scaling.md."""
        yield "### What binds, and what to raise\n"
        yield table(
            ("", "change", "sessions/h carried", "p99 lost", "what binds beyond"),
            (
                (
                    i,
                    step.change,
                    f"**{step.carries.per_hour:.1f}**",
                    _time(step.carries.p99),
                    step.beyond.binding,
                )
                for i, step in enumerate(self.steps)
            ),
        )
        for i in self.asked:
            yield f"### Step {i} by load\n"
            yield loads(self.curves[i])
        yield "### Many labels at once\n"
        tried = [self.steps[i].parameters for i in self.asked]
        bursts = [(number, [burst(each, number, seed) for each in tried]) for number in (5, 20, 50, 100)]
        yield table(
            ("labels", *(f"step {i}: failed, all done after" for i in self.asked)),
            ((n, *(f"{load.failed:.0%}, {hours:.1f} h" for load, hours in row)) for n, row in bursts),
        )
        yield f"### What if (from step {self.single})\n"
        parameters = self.steps[self.single].parameters
        what_if = {
            "GitHub counts new pull requests and comments, no edits": replace(
                parameters, report_writes=0, edits_count=0
            ),
            "GitHub counts git objects, reactions and check runs too": replace(
                parameters, open_writes=5, report_writes=3
            ),
            "the model's quota is 200,000 tokens a minute": replace(
                parameters, model_tokens_per_minute=200_000
            ),
            "the model's quota is 1,000,000 tokens a minute": replace(
                parameters, model_tokens_per_minute=1e6
            ),
            "a session works for 24 minutes on average": replace(parameters, work_seconds=1_440),
        }
        found = {text: capacity(other, seed) for text, other in what_if.items()}
        yield table(
            ("if", "sessions/h carried", "what binds beyond"),
            ((text, f"{low.per_hour:.1f}", high.binding) for text, (low, high) in found.items()),
        )
        yield "### Each limit alone, by arithmetic, as deployed\n"
        ceilings = sorted(self.steps[0].parameters.ceilings().items(), key=lambda item: item[1])
        yield table(
            ("limit", "sessions/h"), ((name, f"{most:,.0f}") for name, most in ceilings if most < math.inf)
        )
        yield "### 500 slots taken for half an hour, and many sessions waiting\n"
        head = (
            "waiting",
            "write units/s",
            "read units/s",
            "sessions closed",
            "given up closing",
            "closing, p99",
        )
        runs = [
            (waiting, look, slots.Simulation(slots.Hot(waiting=waiting, look_first=look), seed).run())
            for look in (True, False)
            for waiting in (50, 200, 500, 1_000)
        ]
        yield table(
            head,
            (
                (
                    f"{waiting:,}" if look else f"{waiting:,}, each writing",
                    f"{heat.write_units / heat.seconds:,.0f}",
                    f"{heat.read_units / heat.seconds:,.0f}",
                    f"{heat.closed:,}",
                    f"{heat.leaked:,}",
                    _time(heat.closing_p99),
                )
                for waiting, look, heat in runs
            ),
        )

    def plot(self, path: Path) -> None:
        """Draw the waiting by load, and the cost by load."""
        # Only here: it takes a second to import, and the unit tests do not draw.
        import matplotlib as mpl  # noqa: PLC0415 - see above
        from matplotlib.figure import Figure  # noqa: PLC0415 - see above

        mpl.rcParams["svg.hashsalt"] = "pullwright"
        # Letters as text: as outlines they are most of the file.
        mpl.rcParams["svg.fonttype"] = "none"
        figure = Figure(figsize=(11, 5.5), layout="constrained")
        waits, costs = figure.subplots(1, 2, width_ratios=(3, 2))
        top = 2 * PATIENCE_SECONDS / 60
        for number, (i, curve) in enumerate(self.curves.items()):
            step, color = self.steps[i], f"C{number}"
            label = f"step {i}: {step.carries.per_hour:.0f}/h, then {step.beyond.binding}"
            minutes = [min(load.p99 / 60, top) for load in curve]
            hours = [load.per_hour for load in curve]
            waits.plot(hours, minutes, marker="o", markersize=4, color=color, label=label)
            fails = [load.per_hour for load in curve if math.isinf(load.p99)]
            waits.plot(fails, [top] * len(fails), "X", markersize=10, color=color)
        waits.plot([], [], "X", color="black", label="1 session in 100 or more fails")
        waits.axhline(top / 2, color="grey", linestyle=":", label=f"carried: at most {top / 2:.0f} minutes")
        waits.set(xscale="log", ylim=(-0.5, top + 1), xlabel="sessions an hour (log scale)")
        waits.set(ylabel=f"minutes lost to limits, 99th percentile (cut at {top:.0f})")
        waits.set_title("How long sessions wait, by load and deployment")
        curve = sorted(itertools.chain(*self.curves.values()), key=lambda load: load.per_hour)
        curve = [load for load in curve if load.p99 == 0]
        for name in curve[0].usd:
            money = [load.usd[name] * load.per_hour for load in curve]
            costs.plot([load.per_hour for load in curve], money, label=name)
        costs.set(xscale="log", yscale="log", xlabel="sessions an hour (log scale)")
        costs.set(ylabel="US dollars an hour (log scale)", title="What sessions cost that need not wait")
        for axes in (waits, costs):
            axes.grid(visible=True, alpha=0.3)
            axes.minorticks_off()
            axes.xaxis.set_major_formatter("{x:g}")
            axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.13), ncols=2, fontsize=8.5, frameon=False)
        costs.yaxis.set_major_formatter("${x:g}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".svg":
            drawn = io.StringIO()
            figure.savefig(drawn, format="svg", metadata={"Date": None})
            # One line for each path, and the browser's own font.
            text = re.sub(r"\s*\n(?=[LMCQz\"])", " ", drawn.getvalue())
            path.write_text(re.sub(r"font-family: [^;]*;", "font-family: sans-serif;", text))
        else:
            figure.savefig(path, dpi=110)


def loads(measured: Iterable[Load]) -> str:
    """One line for each load."""
    head = (
        "sessions/h",
        "p50 lost",
        "p99 lost",
        "failed",
        "reported late",
        "AWS $/session",
        "$/h with model",
    )
    return table(
        head,
        (
            (
                f"{load.per_hour:.1f}",
                _time(load.p50),
                _time(load.p99),
                f"{load.failed:.1%}",
                f"{load.late:.1%}",
                f"{sum(load.usd.values()) - load.usd['model']:.4f}",
                f"{sum(load.usd.values()) * load.per_hour:.2f}",
            )
            for load in measured
        ),
    )


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """Write a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def _time(seconds: float) -> str:
    if math.isinf(seconds):
        return "failed"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

"""Shows what came of an evaluation: as a table in the terminal, and as a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pullwright import errors
from pullwright_cli.evaluating.summary import summarize
from pullwright_cli.terminal import duration, plain, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pullwright_cli.evaluating.statistics import Spread
    from pullwright_cli.evaluating.summary import Run, Summary

HEADERS = (
    "variant",
    "solved",
    "95 % interval",
    "repeats",
    "invalid",
    "errors",
    "not run",
    "$ a run",
    "$ in all",
    "turns",
    "time",
)
RUN_HEADERS = ("task", "variant", "repeat", "state", "cost", "turns", "time", "session", "reason")
_COLOURS = {"solved": "green", "unsolved": "red", "error": "yellow", "invalid": "yellow"}
# Nothing is loaded from elsewhere, and nothing in the page runs.
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 75rem; padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0; width: 100%; font-variant-numeric: tabular-nums }}
th, td {{ border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top }}
.solved {{ color: #1a7f37 }} .unsolved {{ color: #cf222e }} .error, .invalid {{ color: #9a6700 }}
</style></head><body>
<h1>{title}</h1><p>{lead}</p>
<h2>Variants</h2>{variants}
<h2>Runs</h2>{runs}
</body></html>
"""


def variant_row(summary: Summary) -> list[str]:
    """Return a variant as one line of a table."""
    low, high = summary.interval
    judged = f"{summary.solved:.0%} of {summary.tasks}" if summary.tasks else "nothing judged"
    states = summary.states
    return [
        summary.variant,
        judged,
        f"{low:.0%} to {high:.0%}" if summary.tasks else "",
        _noise(summary),
        str(states.get("invalid", 0)),
        str(states.get("error", 0)),
        str(states.get("not_run", 0) + states.get("open", 0)),
        _money(summary.cost),
        f"{summary.cost_usd:.2f}",
        "" if summary.turns is None else f"{summary.turns.mean:.0f}",
        "" if summary.seconds is None else duration(summary.seconds.mean),
    ]


def run_row(run: Run) -> list[str]:
    """Return a run as one line of a table."""
    caged = " (the agent could reach the network)" if run.uncaged else ""
    return [
        run.task,
        run.variant,
        str(run.repeat),
        run.state.replace("_", " "),
        "" if run.cost_usd is None else f"{run.cost_usd:.4f}",
        "" if run.turns is None else str(run.turns),
        duration(run.seconds),
        run.session,
        f"{run.reason}{caged}".strip(),
    ]


def print_report(runs: Sequence[Run]) -> None:
    """Print both tables; of the runs, those that were not solved."""
    print_table(HEADERS, [variant_row(summary) for summary in summarize(runs)])
    other = [run for run in runs if run.state != "solved"]
    if other:
        print("\nNot solved:")
        styles = {place: _COLOURS.get(run.state, "") for place, run in enumerate(other)}
        print_table(RUN_HEADERS, [run_row(run) for run in other], styles)


def page(evaluation: str, budget_usd: float, runs: Sequence[Run]) -> str:
    """Return the report as one HTML file that needs no other."""
    cost = sum(run.cost_usd or 0.0 for run in runs)
    lead = f"{len(runs)} runs, ${cost:.2f} of ${budget_usd:.2f}."
    return _PAGE.format(
        title=escape(f"Evaluation {evaluation}"),
        lead=escape(lead),
        variants=_table(HEADERS, [(variant_row(summary), "") for summary in summarize(runs)]),
        runs=_table(RUN_HEADERS, [(run_row(run), run.state) for run in runs]),
    )


def write_page(path: Path, text: str) -> None:
    """Write the page.

    Raises:
        NotSaved: it could not be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise errors.NotSaved(f"{path} could not be written: {error.strerror or error}.") from None


def _table(headers: Sequence[str], rows: Sequence[tuple[list[str], str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in headers)
    body = "".join(
        f'<tr class="{escape(style)}">'
        + "".join(f"<td>{escape(plain(cell))}</td>" for cell in cells)
        + "</tr>"
        for cells, style in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _noise(summary: Summary) -> str:
    """Return how much the repeats differ; empty where nothing was repeated."""
    repeats = summary.repeats
    if repeats is None or repeats.deviation is None:
        return ""
    unsteady = f", {len(summary.unsteady)} unsteady" if summary.unsteady else ""
    return f"± {repeats.deviation:.0%}{unsteady}"


def _money(cost: Spread | None) -> str:
    if cost is None:
        return ""
    return f"{cost.mean:.2f}" + (f" ± {cost.deviation:.2f}" if cost.deviation is not None else "")

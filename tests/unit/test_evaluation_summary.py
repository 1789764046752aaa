"""What came of an evaluation: shares, intervals, noise, and how they are shown."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import NotSaved
from pullwright_cli.evaluating.report import page, print_report, write_page
from pullwright_cli.evaluating.statistics import spread, wilson
from pullwright_cli.evaluating.summary import Run, as_document, summarize
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright_cli.evaluating.summary import State

RUN = Run("ev-1-001", "1", "implement", 1, "solved", cost_usd=0.5, turns=10, seconds=60.0)


def runs(*states: State, repeat: int = 1, variant: str = "implement") -> list[Run]:
    """Return one run for each state, of tasks of their own."""
    return [
        replace(RUN, task=str(number), state=state, repeat=repeat, variant=variant)
        for number, state in enumerate(states, start=1)
    ]


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_published_tables(
    successes: int, count: int, low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3."""
    assert wilson(successes / count, count) == pytest.approx((low, high), abs=0.00005)


@given(count=st.integers(1, 5_000), data=st.data())
def test_the_interval_ends_where_the_score_test_just_rejects(count: int, data: st.DataObject) -> None:
    """Each bound that is not 0 or 1 lies 1.96 standard errors of its own from the share, and holds it."""
    share = data.draw(st.integers(0, count)) / count
    low, high = wilson(share, count)
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):
        if 1e-9 < bound < 1 - 1e-9:
            error = math.sqrt(bound * (1 - bound) / count)
            assert abs(share - bound) / error == pytest.approx(1.959964, rel=1e-4)


def test_without_a_task_every_share_is_possible() -> None:
    """Nothing was judged."""
    assert wilson(0.0, 0) == (0.0, 1.0)
    assert spread([]) is None


def test_half_of_twenty_tasks_solved_is_reported_so() -> None:
    """Ten of twenty: 50 %, with the interval of twenty."""
    halves: list[State] = ["solved", "unsolved"] * 10
    [summary] = summarize(runs(*halves))
    assert (summary.tasks, summary.solved) == (20, 0.5)
    assert summary.interval == pytest.approx((0.2993, 0.7007), abs=0.0001)
    assert summary.cost_usd == 10.0


def test_what_was_not_judged_counts_neither_way() -> None:
    """Invalid tasks, errors and runs that were not begun are told, and are no failures of the agent."""
    [summary] = summarize(runs("solved", "invalid", "error", "not_run", "open", "unsolved"))
    assert (summary.tasks, summary.solved, summary.runs) == (2, 0.5, 6)
    assert summary.states == {
        "solved": 1,
        "invalid": 1,
        "error": 1,
        "not_run": 1,
        "open": 1,
        "unsolved": 1,
    }


def test_repeats_show_how_steady_a_result_is() -> None:
    """Two repeats that solve different tasks: their spread, and the tasks that changed."""
    [summary] = summarize(
        [*runs("solved", "solved", "solved"), *runs("solved", "unsolved", "unsolved", repeat=2)]
    )
    assert summary.tasks == 3
    assert summary.solved == pytest.approx(2 / 3)
    assert summary.repeats is not None
    assert summary.repeats.mean == pytest.approx(2 / 3)
    # Of 1 and 1/3, as a sample of two.
    assert summary.repeats.deviation == pytest.approx(math.sqrt(2) / 3)
    assert summary.unsteady == ("2", "3")


@given(
    st.lists(
        st.builds(
            Run,
            session=st.just("s"),
            task=st.sampled_from("abc"),
            variant=st.sampled_from(["one", "two"]),
            repeat=st.integers(1, 3),
            state=st.sampled_from(["solved", "unsolved", "invalid", "error", "not_run", "open"]),
            cost_usd=st.none() | st.floats(0, 100),
        )
    )
)
def test_no_run_is_lost_in_the_summary(found: list[Run]) -> None:
    """Every run is in one variant and one state, and its money in the sum."""
    summaries = summarize(found)
    assert sum(summary.runs for summary in summaries) == len(found)
    assert sum(sum(summary.states.values()) for summary in summaries) == len(found)
    cost = sum(run.cost_usd or 0.0 for run in found)
    assert sum(summary.cost_usd for summary in summaries) == pytest.approx(cost, abs=1e-5)


def test_the_table_shows_variants_and_what_was_not_solved(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each variant; runs that were not solved with their reasons."""
    found = [*runs("solved", "unsolved"), *runs("error", variant="opus", repeat=1)]
    found[1] = replace(found[1], reason="tests failed.", uncaged=True)
    print_report(found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("implement  50% of 2")
    assert lines[2].startswith("opus       nothing judged")
    [unsolved] = [line for line in lines if line.startswith("2 ")]
    assert "unsolved" in unsolved
    assert "tests failed. (the agent could reach the network)" in unsolved


def test_repeats_stand_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """The deviation of the repeats, and how many tasks changed."""
    print_report([*runs("solved", "solved"), *runs("solved", "unsolved", repeat=2)])
    assert "± 35%, 1 unsteady" in capsys.readouterr().out


def test_the_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    """Whatever a repository's own text says, it stays text; the page allows itself no source."""
    hostile = replace(RUN, state="unsolved", reason="<script>alert(1)</script>")
    text = page("ev-1", 5.0, [hostile])
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert "&lt;script&gt;" in text
    write_page(tmp_path / "report.html", text)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    with pytest.raises(NotSaved):
        write_page(tmp_path / "missing" / "report.html", text)


def test_the_document_has_its_published_form() -> None:
    """What `--json` prints, docs/commands.schema.json describes."""
    found = [*runs("solved", "unsolved"), *runs("solved", "open", repeat=2)]
    document = json.loads(json.dumps(as_document("ev-1", 5.0, found)))
    assert matches("EvaluationReport", document)
    assert document["cost_usd"] == 2.0

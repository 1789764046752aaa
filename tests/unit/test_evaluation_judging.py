"""Tasks of an evaluation, and how work on them is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pullwright.evaluation import EvaluationTask, judge

SHA = "a" * 40
TASK = {
    "id": "7",
    "repository": "octo/widgets",
    "base_commit": SHA,
    "solution_commit": "b" * 40,
    "title": "Totals are wrong",
    "tests": ["tests/test_totals.py"],
}
STATUS = st.sampled_from(["passed", "failed", "timed_out", "not_run"])
NAMES = ("first", "second", "third")
RUN = st.fixed_dictionaries(dict.fromkeys(NAMES, STATUS))


def test_work_is_solved_that_passes_what_the_change_made_pass() -> None:
    """One command failed before, one passed all along, and both pass on the agent's work."""
    judged = judge(
        {"new": "passed", "old": "passed"},
        {"new": "failed", "old": "passed"},
        {"new": "passed", "old": "passed"},
    )
    assert (judged.verdict, judged.fail_to_pass, judged.pass_to_pass) == ("solved", ("new",), ("old",))


def test_work_that_breaks_what_passed_is_not_solved() -> None:
    """The new test passes, but one that passed before fails."""
    judged = judge(
        {"new": "passed", "old": "failed"},
        {"new": "failed", "old": "passed"},
        {"new": "passed", "old": "passed"},
    )
    assert (judged.verdict, judged.failed) == ("unsolved", ("old",))


@pytest.mark.parametrize(
    ("base", "solution", "words"),
    [("passed", "passed", "pass without it"), ("failed", "failed", "fail with it")],
)
def test_a_task_whose_tests_tell_nothing_is_invalid(base: str, solution: str, words: str) -> None:
    """Tests that pass before the change, or fail with it, judge nobody."""
    judged = judge({"new": "passed"}, {"new": base}, {"new": solution})
    assert judged.verdict == "invalid"
    assert words in judged.reason


@given(work=RUN, base=RUN, solution=RUN)
def test_solved_is_what_swe_bench_calls_resolved(
    work: dict[str, str], base: dict[str, str], solution: dict[str, str]
) -> None:
    """FAIL_TO_PASS and PASS_TO_PASS all pass, as in `get_resolution_status` of SWE-bench's grading.

    https://github.com/SWE-bench/SWE-bench/blob/main/swebench/harness/grading.py: FULL if both shares are 1.
    """
    judged = judge(work, base, solution)
    statuses = [run[name] for run in (work, base, solution) for name in NAMES]
    if "not_run" in statuses:
        assert judged.verdict == "not_judged"
        return
    to_pass = [name for name in NAMES if base[name] != "passed" and solution[name] == "passed"]
    stays = [name for name in NAMES if base[name] == "passed" and solution[name] == "passed"]
    if not to_pass:
        assert judged.verdict == "invalid"
        return
    resolution = sum(work[name] == "passed" for name in to_pass) / len(to_pass)
    maintenance = sum(work[name] == "passed" for name in stays) / len(stays) if stays else 1
    assert (judged.verdict == "solved") == (resolution == maintenance == 1)


def test_commands_that_were_not_run_judge_nothing() -> None:
    """Neither the agent nor the task is to blame where time was short."""
    assert judge({"new": "not_run"}, {"new": "failed"}, {"new": "passed"}).verdict == "not_judged"
    assert judge({}, {}, {}).verdict == "not_judged"


@pytest.mark.parametrize("path", ["/etc/passwd", "../tests/x.py", "a/../b.py", ".git/hooks/x", "", "a\nb.py"])
def test_a_test_lies_in_the_repository(path: str) -> None:
    """What leads out of the repository, or into git's own folder, is refused."""
    with pytest.raises(ValidationError):
        EvaluationTask.model_validate({**TASK, "tests": (path,)})


def test_two_commands_of_a_task_have_two_names() -> None:
    """Their results could not be told apart."""
    command = {"name": "tests", "command": "make test"}
    with pytest.raises(ValidationError, match="same name"):
        EvaluationTask.model_validate({**TASK, "tests": ("t.py",), "commands": (command, command)})

"""Begins an evaluation, waits for its end, and shows what came of it."""

from __future__ import annotations

import secrets
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from pullwright import errors
from pullwright.evaluation import EvaluationId
from pullwright_cli.errors import CliError
from pullwright_cli.evaluating import deployed
from pullwright_cli.evaluating.deployed import Evaluation
from pullwright_cli.evaluating.plan import make_plan
from pullwright_cli.evaluating.report import page, print_report, write_page
from pullwright_cli.evaluating.summary import JUDGED, as_document
from pullwright_cli.options import confirm
from pullwright_cli.starting import aws_line
from pullwright_cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pullwright.evaluation import EvaluationTask
    from pullwright_cli.aws import Stack
    from pullwright_cli.evaluating.summary import Run

_INTERRUPTED = 130
_PAUSE_SECONDS = 5.0


def named(stack: Stack, evaluation: str) -> Evaluation:
    """Return an evaluation that was begun.

    Raises:
        SessionMissing: there is none of that name.
    """
    plan = deployed.read_plan(stack, evaluation)
    if plan is None:
        raise errors.SessionMissing(
            f"There is no evaluation {evaluation} in this stack.", remedy="Begin one with --tasks FILE."
        )
    return Evaluation(stack, plan)


def planned(stack: Stack, tasks: Sequence[EvaluationTask], *, name: str, **options: Any) -> Evaluation:
    """Return an evaluation that is to be begun.

    Args:
        name: made up if it is empty.
        options: of `make_plan`.

    Raises:
        CliError: it cannot be named or run so.
    """
    name = name or f"ev-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}"
    try:
        TypeAdapter(EvaluationId).validate_python(name)
    except ValidationError:
        raise CliError(
            f"--id: {name}: a small letter, then letters, digits and dashes, 40 at most", 2
        ) from None
    limit, budget = options["limits"].get("usd"), options["budget_usd"]
    if limit is None and (text := stack.parameter("LimitUsd")):
        limit = float(text)
    if not options["stub"] and limit is not None and limit > budget:
        raise CliError(
            f"--budget: one session may cost {limit:g} dollars, and all together {budget:g}: none could "
            "begin. Raise --budget, or lower --usd",
            2,
        )
    return Evaluation(stack, make_plan(name, tasks, **options))


def begin(evaluation: Evaluation, tasks: Sequence[EvaluationTask], *, yes: bool) -> None:
    """Begin it, after asking; under a name that was used before, what did not run then runs now.

    Raises:
        CliError: an evaluation of that name is another one.
    """
    plan, stack = evaluation.plan, evaluation.stack
    earlier = deployed.read_plan(stack, plan.id)
    if earlier is not None and not earlier.is_the_same_as(plan):
        raise CliError(
            f"--id: there is another evaluation {plan.id}: take another name, or go on with it alone", 2
        )
    if earlier is not None:
        evaluation.plan = earlier
        if not evaluation.is_running():
            evaluation.go_on(tasks)
    else:
        confirm(
            f"Run {len(plan.runs)} sessions for up to ${plan.budget_usd:.2f}?",
            yes=yes or not sys.stdin.isatty(),
        )
        deployed.begin(stack, plan, tasks)
    print(f"evaluation {plan.id}: {len(plan.runs)} runs. {_what_next(plan.id)}", file=sys.stderr)


def follow(evaluation: Evaluation, minutes: float | None, target: Path | None, *, as_json: bool) -> int:
    """Wait for its end, and show what came of it. Ctrl-C leaves it running.

    Args:
        minutes: how long to wait; 0 until it ends, None not at all.
        target: of the page, if one is wanted.

    Returns:
        The exit code.

    Raises:
        StillRunning: it has not ended in time.
    """
    plan = evaluation.plan
    try:
        runs = _wait(evaluation, minutes)
    except KeyboardInterrupt:
        print(f"\nThe evaluation goes on. {_what_next(plan.id)}", file=sys.stderr)
        return _INTERRUPTED
    if as_json:
        print_json(as_document(plan.id, plan.budget_usd, runs))
    else:
        print_report(runs)
    if target is not None:
        write_page(target, page(plan.id, plan.budget_usd, runs))
        print(f"The report is in {target}.", file=sys.stderr)
    if minutes is not None and any(run.state == "open" for run in runs):
        raise errors.StillRunning(
            "The evaluation has not ended in time.", remedy=f"It goes on. {_what_next(plan.id)}"
        )
    missing = [run for run in runs if run.state not in (*JUDGED, "invalid", "open")]
    if missing:
        raise errors.EvaluationIncomplete(f"{len(missing)} of {len(runs)} runs were not judged.")
    return 0


def stop(evaluation: Evaluation, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Stop it and its sessions, after asking."""
    name = evaluation.plan.id
    stopped = None
    if not dry_run:
        confirm(f"Stop the evaluation {name}?", yes=yes)
        stopped = evaluation.stop()
    if as_json:
        print_json({"evaluation": name, "sessions": stopped})
    elif stopped is None:
        print(f"Would stop the evaluation {name} and its sessions.")
    else:
        print(f"Stopped, with {stopped} sessions.")


def show_tasks(tasks: Sequence[EvaluationTask], *, as_json: bool) -> None:
    """Show tasks, when nothing is to be run."""
    if as_json:
        print_json({"tasks": [task.model_dump(mode="json") for task in tasks]})
        return
    rows = [
        (task.id, task.base_commit[:12], task.solution_commit[:12], len(task.tests), task.title)
        for task in tasks
    ]
    print_table(("task", "base", "solution", "tests", "title"), rows)


def show_plan(stack: Stack, evaluation: Evaluation, *, as_json: bool) -> None:
    """Show what would be run: each task's `task.json` is put beside its session before."""
    call = deployed.start_call(stack, evaluation.plan)
    line = aws_line(
        stack,
        *("stepfunctions", "start-execution", "--state-machine-arn", call["stateMachineArn"]),
        *("--name", call["name"], "--input", call["input"]),
    )
    if as_json:
        print_json({"plan": evaluation.plan.model_dump(mode="json"), "request": call, "command": line})
        return
    print_table(
        ("session", "task", "variant", "repeat"),
        [(run.session, run.task, run.variant, run.repeat) for run in evaluation.plan.runs],
    )


def _wait(evaluation: Evaluation, minutes: float | None) -> list[Run]:
    deadline = None if not minutes else time.monotonic() + minutes * 60
    shown = ""
    while True:
        runs = evaluation.runs()
        text = _progress(runs)
        if text != shown:
            print(text, file=sys.stderr)
            shown = text
        is_late = deadline is not None and time.monotonic() > deadline
        if minutes is None or is_late or not any(run.state == "open" for run in runs):
            return runs
        time.sleep(_PAUSE_SECONDS)


def _progress(runs: Sequence[Run]) -> str:
    counts = {
        state: sum(run.state == state for run in runs) for state in dict.fromkeys(run.state for run in runs)
    }
    ended = len(runs) - counts.pop("open", 0)
    said = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items())
    cost = sum(run.cost_usd or 0.0 for run in runs)
    return f"{ended} of {len(runs)} ended{f': {said}' if said else ''}; ${cost:.2f}"


def _what_next(evaluation: str) -> str:
    command = f"pullwright evaluate {evaluation}"
    return f"Follow it with `{command}`, end it with `{command} --stop`."

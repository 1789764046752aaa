"""Evaluations on the whole stack: tasks of a repository's history, worked on again and judged.

Twenty tasks go through in stub mode, whose one file is what half of the tests ask for: machine, slots, tasks,
hidden tests and report are those of any evaluation. Two more have the real CLI with a scripted model.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.sam import ACCESS_KEY, SECRET_KEY
from local.stack import STACK
from pullwright_cli.evaluating.tasks import write_tasks
from tests.integration.conftest import FILES, Repositories, Repository
from tests.integration.evaluations import STUB_FILE, push_tasks
from tests.integration.test_conversation import READ, edit, play
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from local.sessions import Stack

COUNT = 20
CONFIGURATION = "checks:\n  - name: tests\n    command: sh tests/all.sh\n"
ALL = 'for test in tests/test_*.sh; do [ ! -e "$test" ] || sh "$test" || exit 1; done\n'


def evaluate(stack: Stack, folder: Path, *arguments: str) -> dict[str, Any]:
    """Run the command to its end and return its report."""
    done = subprocess.run(
        [Path(sys.prefix) / "bin" / "pullwright", "evaluate", *arguments, "--json"],
        cwd=folder,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": str(stack.described["endpoint_url"]),
            "AWS_REGION": str(stack.described["region"]),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "PULLWRIGHT_STACK_NAME": STACK,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    document: dict[str, Any] = json.loads(done.stdout)
    assert matches("EvaluationReport", document)
    return document


def refs(repository: Repository) -> list[str]:
    """Return the branches and checkpoints of the repository on GitHub."""
    kinds = ("heads/", "pullwright")
    return [ref["ref"] for kind in kinds for ref in repository.rest("GET", f"/git/matching-refs/{kind}")]


def test_twenty_tasks_half_of_them_solved_are_reported_so(
    stack: Stack, repositories: Repositories, tmp_path: Path
) -> None:
    """Ten and ten, task by task; on GitHub there is afterwards what was there before."""
    repository = repositories.make()
    files = [STUB_FILE if number % 2 == 0 else f"file-{number}" for number in range(COUNT)]
    tests = {f"t{number}": (f"test -f {file}\n", file) for number, file in enumerate(files)}
    write_tasks(tmp_path / "tasks.jsonl", push_tasks(repository, tests))
    before = refs(repository)
    found = evaluate(
        stack,
        tmp_path,
        *("--tasks", "tasks.jsonl", "--stub", "--budget", "10", "--concurrency", "3"),
        *("--html", "report.html"),
    )
    states = {run["task"]: run["state"] for run in found["runs"]}
    assert states == {f"t{number}": "unsolved" if number % 2 else "solved" for number in range(COUNT)}
    [variant] = found["variants"]
    assert (variant["solved"], variant["tasks"], variant["states"]) == (
        0.5,
        20,
        {"solved": 10, "unsolved": 10},
    )
    assert found["cost_usd"] == 0
    assert refs(repository) == before
    assert repository.pulls() == []
    assert "50% of 20" in (tmp_path / "report.html").read_text()


def test_the_real_agents_work_is_judged(stack: Stack, repositories: Repositories, tmp_path: Path) -> None:
    """The scripted model makes the same change for both tasks, and one of them asks for it."""
    repository = repositories.make(
        files={**FILES, ".pullwright/config.yaml": CONFIGURATION, "tests/all.sh": ALL}
    )
    play(stack, repository, READ, edit("hello", "good day"), {"text": "Done."})
    tests = {name: (f"grep -q 'good {name}' src/app.py\n", "src/app.py") for name in ("day", "night")}
    write_tasks(tmp_path / "tasks.jsonl", push_tasks(repository, tests, by_checks=True))
    found = evaluate(stack, tmp_path, "--tasks", "tasks.jsonl", "--budget", "10", "--usd", "2")
    assert {run["task"]: run["state"] for run in found["runs"]} == {"day": "solved", "night": "unsolved"}
    assert 0 < found["cost_usd"] <= 4
    assert all(run["turns"] for run in found["runs"])
    assert repository.pulls() == []

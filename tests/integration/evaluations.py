"""Makes tasks for evaluations."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from pullwright.evaluation import EvaluationTask, JudgingCommand

if TYPE_CHECKING:
    from tests.integration.conftest import Repository

STUB_FILE = "pullwright-stub.md"
"""What a session in stub mode writes."""


def push_tasks(
    repository: Repository, tests: dict[str, tuple[str, str]], *, by_checks: bool = False
) -> list[EvaluationTask]:
    """Push one change that has all files and their tests, and return a task for each test.

    Args:
        tests: by the task's name, its test and the file of the change that passes it.
        by_checks: whether the repository's checks judge, instead of the test alone.
    """
    base = repository.rest("GET", "/git/ref/heads/main")["object"]["sha"]
    paths = {name: f"tests/test_{name}.sh" for name in tests}
    files: dict[str, str | None] = {paths[name]: test for name, (test, _) in tests.items()}
    files |= {file: "good day, good night\n" for _, file in tests.values()}
    change = repository.person.commit(repository.name, f"change-{uuid.uuid4().hex[:8]}", files)
    return [
        EvaluationTask(
            id=name,
            repository=repository.name,
            base_commit=base,
            solution_commit=change,
            title=f"Task {name}",
            body="Do it.",
            tests=(path,),
            commands=() if by_checks else (JudgingCommand(name="test", command=f"sh {path}"),),
        )
        for name, path in paths.items()
    ]

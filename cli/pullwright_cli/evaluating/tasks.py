"""Files of tasks: JSON Lines, one task a line, or YAML with a list of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pullwright import errors
from pullwright.evaluation import EvaluationTask
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_YAML = (".yaml", ".yml")


def read_tasks(path: Path) -> list[EvaluationTask]:
    """Read a file of tasks.

    Raises:
        CliError: it cannot be read, or a task in it is wrong; the text names place, field and problem.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{path} cannot be read: {error}", 2) from None
    tasks = [_task(f"{path}:{place}", found) for place, found in _documents(path, text)]
    if not tasks:
        raise CliError(f"{path} has no task: it takes one JSON object a line, or a YAML list", 2)
    check_tasks(tasks, str(path))
    return tasks


def check_tasks(tasks: Sequence[EvaluationTask], source: str) -> None:
    """Refuse tasks that cannot be evaluated together.

    Raises:
        CliError: two have the same id, or they are of several repositories.
    """
    seen: set[str] = set()
    for task in tasks:
        if task.id.lower() in seen:
            raise CliError(f"{source}: id: two tasks are called {task.id}; give each a name of its own", 2)
        seen.add(task.id.lower())
    if len(repositories := sorted({task.repository for task in tasks})) > 1:
        raise CliError(
            f"{source}: repository: tasks of {', '.join(repositories)}; evaluate one repository at a time", 2
        )


def write_tasks(path: Path, tasks: Sequence[EvaluationTask]) -> None:
    """Write tasks as JSON Lines.

    Raises:
        NotSaved: the file could not be written.
    """
    lines = "".join(f"{task.model_dump_json(exclude_defaults=True)}\n" for task in tasks)
    try:
        path.write_text(lines, encoding="utf-8")
    except OSError as error:
        raise errors.NotSaved(f"{path} could not be written: {error.strerror or error}.") from None


def _documents(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Yield the tasks of a file, undecided whether they are right, with the line or number of each."""
    if path.suffix.lower() in _YAML:
        yield from enumerate(_yaml(path, text), start=1)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise CliError(f"{path}:{number}: the line is not JSON: {error}", 2) from None


def _yaml(path: Path, text: str) -> list[Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - few read YAML, and it takes long to import
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise CliError(f"{path} is not YAML: {error}", 2) from None
    if not isinstance(found, list):
        raise CliError(f"{path} has no list of tasks: begin each with a dash", 2)
    return found


def _task(place: str, found: Any) -> EvaluationTask:
    try:
        # Read as JSON, where strictness knows numbers and texts apart but takes lists.
        return EvaluationTask.model_validate_json(json.dumps(found))
    except (TypeError, ValidationError) as error:
        if isinstance(error, TypeError):
            raise CliError(f"{place}: {error}; put times and other special values in quotes", 2) from None
        problem = error.errors(include_url=False)[0]
        field = ".".join(map(str, problem["loc"])) or "the task"
        raise CliError(f"{place}: {field}: {problem['msg'].removeprefix('Value error, ')}", 2) from None

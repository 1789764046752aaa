"""What a branch changes of how it is tested, told to people: a check that passes may be worth less for it.

Checks follow from the pushed tree, and the agent makes that tree. It may delete a test, or let `make test` do
nothing, for good reasons or bad ones; whoever reviews the branch has to know.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from typing import TYPE_CHECKING

from pullwright.repository.tested import is_test
from runner.repository.detection import detect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pullwright.repository.configuration import Check
    from runner.repository.detection import Read

_SHOWN = 5
_UNUSUAL = re.compile(r"[^\w./@+=, -]", re.ASCII)
# Programs that run tests look for these by themselves.
_CONFIGURATION = re.compile(
    r"(?:^|/)(?:GNUmakefile|[Mm]akefile|conftest\.py|\.?pytest\.ini|tox\.ini|noxfile\.py|sitecustomize\.py"
    r"|\.mocharc\.\w+|(?:jest|vitest|vite|karma|playwright|cypress|ava|babel)\.(?:config|conf)\.\w+|\.npmrc|\.yarnrc(?:\.yml)?"
    r"|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|gradlew|mvnw|pom\.xml|build\.rs|phpunit\.xml(?:\.dist)?|\.rspec"
    r"|\.cargo/config(?:\.toml)?|setup\.cfg)$"
)


def changes_of_tests(
    before: Mapping[str, str],
    after: Mapping[str, str],
    read_before: Read,
    read_after: Read,
    checks: Sequence[Check],
    *,
    is_detected: bool,
) -> list[str]:
    """Compare how two trees are tested.

    Args:
        before: hashes of the files where the branch began, by path.
        is_detected: whether they were found by looking at files.

    Returns:
        Sentences for people.
    """
    notices = []
    if is_detected:
        found, still = detect(before, read_before), detect(after, read_after)
        if found is not None and still is None:
            notices.append(f"The base is tested by {found.command}; on this branch no such check is found.")
        elif found is not None and still is not None and found.command != still.command:
            notices.append(f"The base is tested by {found.command}, this branch by {still.command}.")
    if deleted := _deleted(before, after):
        notices.append(f"Tests are deleted on this branch: {_listed(deleted)}.")
    named = {word.removeprefix("./") for check in checks for word in _words(check.command)}
    changed = [
        path
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
        and path not in deleted
        and (path in named or _CONFIGURATION.search(path) or _differs(path, read_before, read_after))
    ]
    if changed and checks:
        notices.append(f"How the checks work is changed on this branch: {_listed(changed)}.")
    return notices


def _deleted(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Test that are neither there nor moved."""
    kept = set(after.values())
    names = {path.rpartition("/")[2] for path in after.keys() - before.keys()}
    return [
        path
        for path in sorted(before.keys() - after.keys())
        if is_test(path) and before[path] not in kept and path.rpartition("/")[2] not in names
    ]


def _differs(path: str, read_before: Read, read_after: Read) -> bool:
    """Return whether the part of a file that is about tests is another; such files hold much else."""
    part = _PARTS.get(path.rpartition("/")[2])
    return part is not None and part(read_before(path)) != part(read_after(path))


def _scripts(text: str) -> object:
    try:
        project = json.loads(text)
        return {key: project.get(key) for key in ("scripts", "jest", "ava", "mocha", "nyc", "c8", "vitest")}
    except (ValueError, AttributeError, RecursionError):
        return text


def _tools(text: str) -> object:
    try:
        tools = tomllib.loads(text).get("tool", {})
        return {
            key: tools.get(key) for key in ("pytest", "tox", "nox", "coverage", "hatch", "poe", "taskipy")
        }
    except (ValueError, AttributeError, RecursionError):
        return text


_PARTS: dict[str, Callable[[str], object]] = {"package.json": _scripts, "pyproject.toml": _tools}


def _words(command: str) -> Iterable[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(_UNUSUAL.sub("?", path) for path in paths[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} and {len(paths) - _SHOWN} more"

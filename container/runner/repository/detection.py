"""Finds the command that runs a repository's tests where its configuration names none.

Nothing is guessed: a command is chosen only if the repository's files ask for it and its program exists.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from typing import TYPE_CHECKING

from pullwright.repository.configuration import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    # Gives a file's text by its path, empty if there is none.
    Read = Callable[[str], str]

_MAKE_TEST = re.compile(r"^test\s*:(?!=)", re.MULTILINE)
_UNITTEST_FILE = re.compile(r"^(?:[^/]+/)*test[^/]*\.py$")
_PYTEST_FILES = frozenset(
    {"pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"}
)
_PYTEST_WORD = re.compile(r"^\s*pytest\b", re.MULTILINE)


def detect(
    paths: Collection[str], read: Read, which: Callable[[str], str | None] = shutil.which
) -> Check | None:
    """Find the command that runs a repository's tests.

    Returns:
        The check, or None if there is none that could run here.
    """
    has = set(paths)
    for find in (_make, _python, _node, _go, _rust, _java):
        command = find(has, read)
        if command is not None:
            return _check(command, which)
    return None


def _check(command: str, which: Callable[[str], str | None]) -> Check | None:
    program = command.split(" ", 1)[0]
    # A script of the repository's own is there.
    if not program.startswith("./") and which(program) is None:
        return None
    return Check(name="tests", command=command)


def _make(has: set[str], read: Read) -> str | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if name in has:
            return "make test" if _MAKE_TEST.search(read(name)) else None
    return None


def _python(has: set[str], read: Read) -> str | None:
    tests = any(_UNITTEST_FILE.match(path) for path in has)
    pytest = _uses_pytest(has, read)
    if not tests and not pytest:
        return None
    runner = "pytest -q" if pytest else "python3 -m unittest"
    if "uv.lock" in has:
        return f"uv run {runner}"
    if "poetry.lock" in has:
        return f"poetry run {runner}"
    return runner


def _uses_pytest(has: set[str], read: Read) -> bool:
    if has & _PYTEST_FILES:
        return True
    if "pyproject.toml" in has:
        try:
            project = tomllib.loads(read("pyproject.toml"))
        except (tomllib.TOMLDecodeError, RecursionError):
            project = {}
        tools = project.get("tool", {})
        if isinstance(tools, dict) and "pytest" in tools:
            return True
    lists = [
        path
        for path in has
        if re.fullmatch(r"(?:requirements/)?[a-z-]*(?:requirements|dev|test|tests)[a-z-]*\.(?:txt|in)", path)
    ]
    return any(_PYTEST_WORD.search(read(path)) for path in lists)


def _node(has: set[str], read: Read) -> str | None:
    if "package.json" not in has:
        return None
    try:
        script = json.loads(read("package.json"))["scripts"]["test"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    # What `npm init` writes.
    if not isinstance(script, str) or "no test specified" in script:
        return None
    if "pnpm-lock.yaml" in has:
        return "pnpm test"
    return "yarn test" if "yarn.lock" in has else "npm test"


def _go(has: set[str], _read: Read) -> str | None:
    return "go test ./..." if "go.mod" in has else None


def _rust(has: set[str], _read: Read) -> str | None:
    return "cargo test" if "Cargo.toml" in has else None


def _java(has: set[str], _read: Read) -> str | None:
    if "gradlew" in has:
        return "./gradlew test"
    if {"build.gradle", "build.gradle.kts"} & has:
        return "gradle test"
    if "mvnw" in has:
        return "./mvnw --batch-mode test"
    return "mvn --batch-mode test" if "pom.xml" in has else None

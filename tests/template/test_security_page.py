"""The page about security names, for each of its statements, tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
CLAIMS, _, REMAINS = PAGE.partition("## What remains")
# `test_file.py`, `test_file.py::test_name`, or `::test_name` of the file named before.
REFERENCE = re.compile(r"`(?:tests/\w+/)?(test_\w+\.py)?(?:::(test_\w+))?`")
FILES = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}


def statements() -> list[str]:
    """Return the rows of the page's tables, and its paragraphs that are not a table's introduction."""
    blocks = [block.strip() for block in CLAIMS.split("\n\n")]
    rows = [
        row
        for block in blocks
        if block.startswith("|")
        # The first two lines are the table's head.
        for row in block.splitlines()[2:]
    ]
    paragraphs = [block for block in blocks if block and not block.startswith(("|", "#"))]
    return [*rows, *paragraphs[1:]]


def references(statement: str) -> list[tuple[str, str]]:
    """Return the tests that a statement names: file and, if given, function."""
    found, file = [], ""
    for match in REFERENCE.finditer(statement):
        file = match[1] or file
        if match[1] or match[2]:
            found.append((file, match[2] or ""))
    return found


def functions(path: Path) -> set[str]:
    """Return the names of a file's tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("statement", statements(), ids=lambda text: text[:60])
def test_a_statement_is_held_by_tests_that_exist(statement: str) -> None:
    """Each names at least one file of tests, and each file and function that it names is there."""
    named = references(statement)
    assert named, "no test is named"
    for file, function in named:
        assert file in FILES, f"there is no {file}"
        assert not function or function in functions(FILES[file]), f"{file} has no {function}"


def test_what_nothing_holds_is_said() -> None:
    """The page ends with what remains."""
    assert REMAINS.count("\n- ") > 10

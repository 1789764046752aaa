"""What a branch changes of how it is tested is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.repository.configuration import Check
from runner.repository.testing import changes_of_tests

if TYPE_CHECKING:
    from runner.repository.detection import Read

BASE = {
    "Makefile": "test:\n\tpytest\n",
    "package.json": '{"scripts": {"test": "jest"}, "dependencies": {"a": "1"}}',
    "pyproject.toml": '[project]\nname = "shop"\n[tool.pytest]\nx = 1\n',
    "conftest.py": "",
    "run/all.sh": "make test",
    "src/app.py": "print()",
    "src/app_test.go": "one",
    "tests/test_app.py": "two",
    "web/app.spec.ts": "three",
    "src/AppTest.java": "four",
}
CHECK = Check(name="tests", command="make test")
PACKAGE = json.loads(BASE["package.json"])
CHANGED = "How the checks work is changed on this branch: {}."
DELETED = "Tests are deleted on this branch: {}."


def read(files: dict[str, str]) -> Read:
    """Return a reader of files."""
    return lambda path: files.get(path, "")


def notices(changes: dict[str, str | None], *checks: Check, is_detected: bool = False) -> list[str]:
    """Return what is told of some changes to the base; None deletes a file."""
    after = {path: text for path, text in {**BASE, **changes}.items() if text is not None}
    # A content stands for its own hash.
    return changes_of_tests(BASE, after, read(BASE), read(after), checks or (CHECK,), is_detected=is_detected)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"src/app.py": "print(1)", "new.py": ""}, []),
        ({"tests/test_app.py": "assert True", "tests/test_new.py": ""}, []),
        ({"Makefile": "test:\n\ttrue\n"}, [CHANGED.format("Makefile")]),
        ({"Makefile": None}, [CHANGED.format("Makefile")]),
        ({"GNUmakefile": "test:;true"}, [CHANGED.format("GNUmakefile")]),
        ({"tests/conftest.py": "import os"}, [CHANGED.format("tests/conftest.py")]),
        ({"package.json": json.dumps({**PACKAGE, "dependencies": {"a": "2"}})}, []),
        (
            {"package.json": json.dumps({**PACKAGE, "scripts": {"test": "true"}})},
            [CHANGED.format("package.json")],
        ),
        ({"package.json": "{"}, [CHANGED.format("package.json")]),
        ({"pyproject.toml": BASE["pyproject.toml"].replace("shop", "store")}, []),
        ({"pyproject.toml": "[tool.pytest]\nx = 2\n"}, [CHANGED.format("pyproject.toml")]),
        ({"tests/test_app.py": None}, [DELETED.format("tests/test_app.py")]),
        ({"tests/test_app.py": None, "tests/unit/test_app.py": "changed"}, []),
        ({"tests/test_app.py": None, "tests/test_shop.py": "two"}, []),
        (
            {"src/app_test.go": None, "web/app.spec.ts": None, "src/AppTest.java": None},
            [DELETED.format("src/AppTest.java, src/app_test.go, web/app.spec.ts")],
        ),
    ],
)
def test_changes_are_told(changes: dict[str, str | None], told: list[str]) -> None:
    """Deleted tests, and files that say how tests are run; not what else such a file holds."""
    assert notices(changes) == told


def test_a_file_that_is_nested_without_end_is_told() -> None:
    """What cannot be read counts as another one, and breaks nothing."""
    for name, text in (("package.json", "[" * 60_000), ("pyproject.toml", "a = " + "[" * 60_000)):
        assert notices({name: text}) == [CHANGED.format(name)]


def test_files_that_a_check_names_are_told() -> None:
    """A script of the repository's own that a configured check runs."""
    check = Check(name="all", command="bash ./run/all.sh --fast")
    assert notices({"run/all.sh": "true"}, check) == [CHANGED.format("run/all.sh")]


def test_a_check_that_is_not_found_any_more_is_told() -> None:
    """Whoever deletes the Makefile has no check; whoever adds another runner has another one."""
    base = {"Makefile": BASE["Makefile"]}
    gone = changes_of_tests(base, {}, read(base), read({}), (), is_detected=True)
    assert gone == ["The base is tested by make test; on this branch no such check is found."]
    other = changes_of_tests(*(base, {"test_a.py": ""}, read(base), read({}), ()), is_detected=True)
    assert other == ["The base is tested by make test, this branch by python3 -m unittest."]


@given(
    st.dictionaries(st.text(min_size=1, max_size=30), st.text(max_size=30), max_size=8), st.text(max_size=40)
)
def test_no_name_and_no_content_breaks_it(files: dict[str, str], command: str) -> None:
    """Whatever a tree holds, what is told has no character that a sentence does not have."""
    check = Check.model_construct(name="x", command=command, timeout=1)
    told = changes_of_tests(files, {}, read(files), read({}), (check,), is_detected=False)
    told += changes_of_tests({}, files, read({}), read(files), (check,), is_detected=False)
    assert all(sentence.isascii() and sentence.isprintable() for sentence in told)

"""What holds for every command of the tree that Typer makes."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from pullwright_cli.app import app
from pullwright_cli.documents import PRINTED

if TYPE_CHECKING:
    from collections.abc import Iterator


def tree(command: Any, path: str = "pullwright") -> Iterator[tuple[str, Any]]:
    """Yield every command and group with its words."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from tree(below, f"{path} {name}")


TESTS = Path(__file__).parents[1]
COMMANDS = dict(tree(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS)
def test_help_keeps_the_lines_of_its_examples(path: str) -> None:
    """Click's mark for them is never shown, and each example stands on a line of its own."""
    command = COMMANDS[path]
    shown = command.get_help(command.make_context(path, [], resilient_parsing=True))
    assert r"\b" not in shown
    written = command.help or ""
    examples = [line.strip() for line in written.splitlines() if line.strip().startswith("pullwright ")]
    assert [line for line in examples if line not in map(str.strip, shown.splitlines())] == []


def test_a_stack_is_named_alike_everywhere() -> None:
    """A command that takes one of the options of a stack takes all four."""
    wanted = {"--stack-name", "--env", "--region", "--profile"}
    for path, command in COMMANDS.items():
        options = {name for parameter in command.params for name in parameter.opts} & wanted
        assert options in (set(), wanted), path


def validated() -> set[str]:
    """Names of documents that stand in the tests whose modules compare output with the schema."""
    names: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if path == Path(__file__) or ("matches" not in text and "printed" not in text):
            continue
        nodes = list(ast.walk(ast.parse(text)))
        called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        if called & {"matches", "printed"}:
            names |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    return names


def test_every_command_with_json_has_schemas_that_tests_compare() -> None:
    """Neither a command that prints JSON lacks one, nor does a schema stand for what nothing prints."""
    options = {
        path: {name for it in command.params for name in it.opts} for path, command in COMMANDS.items()
    }
    printing = {path.removeprefix("pullwright ") for path, names in options.items() if "--json" in names}
    assert set(PRINTED) == printing
    wanted = {model.__name__ for models in PRINTED.values() for model in models}
    assert wanted - validated() == set()

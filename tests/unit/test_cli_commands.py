"""What holds for every command of the tree that Typer makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from pullwright_cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator


def tree(command: Any, path: str = "pullwright") -> Iterator[tuple[str, Any]]:
    """Yield every command and group with its words."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from tree(below, f"{path} {name}")


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

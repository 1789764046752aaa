"""Groups of commands whose help keeps the lines of its examples."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class _Command(TyperCommand):
    """A command whose docstring, a raw string, writes Click's mark for kept lines as two characters.

    https://click.palletsprojects.com/en/stable/documentation/#escaping-click-s-wrapping
    """

    def __init__(self, *settings: Any, help: str | None = None, **more: Any) -> None:  # noqa: A002 - Click's name
        super().__init__(*settings, help=help and help.replace(r"\b", "\b"), **more)


class _Commands(TyperGroup):
    """A group that is a command itself; its docstring as above."""

    def __init__(self, *settings: Any, help: str | None = None, **more: Any) -> None:  # noqa: A002 - Click's name
        super().__init__(*settings, help=help and help.replace(r"\b", "\b"), **more)


class Group(typer.Typer):
    """A group of commands, with plain help: Rich's takes a quarter of a second to import.

    Args:
        is_command: whether it does something without one of its commands too; its callback does.
    """

    def __init__(self, *, is_command: bool = False, **settings: Any) -> None:
        super().__init__(
            cls=_Commands,
            no_args_is_help=not is_command,
            invoke_without_command=is_command,
            rich_markup_mode=None,
            **settings,
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[..., Any]:
        """Return the decorator that makes a function a command of this group."""
        return super().command(name, cls=_Command, **settings)

"""Groups of commands whose help keeps the lines of its examples, and that share the options of a stack."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pullwright_cli.options import Environment, Profile, Region, StackName, Target

_TARGET = tuple(
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default="", annotation=annotation)
    for name, annotation in zip(Target._fields, (StackName, Environment, Region, Profile), strict=True)
)


class _Command(TyperCommand):
    """A command whose docstring, a raw string, writes Click's mark for kept lines as two characters.

    https://click.palletsprojects.com/en/stable/documentation/#escaping-click-s-wrapping
    """

    def __init__(self, *settings: Any, help: str | None = None, **more: Any) -> None:  # noqa: A002 - Click's name
        super().__init__(*settings, help=help and help.replace(r"\b", "\b"), **more)


class _Commands(TyperGroup):
    """A group that is a command itself; its docstring as above.

    Attributes:
        default: the command that is meant where the first word is none of the group's; empty for none.
    """

    default = ""

    def __init__(self, *settings: Any, help: str | None = None, **more: Any) -> None:  # noqa: A002 - Click's name
        super().__init__(*settings, help=help and help.replace(r"\b", "\b"), **more)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words, with the default command before them where they name none."""
        if self.default and args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class Group(typer.Typer):
    """A group of commands, with plain help: Rich's takes a quarter of a second to import.

    Args:
        is_command: whether it does something without one of its commands too; its callback does.
        default: the command that is meant where the first word is none of its commands.
    """

    def __init__(self, *, is_command: bool = False, default: str = "", **settings: Any) -> None:
        super().__init__(
            cls=type("_Commands", (_Commands,), {"default": default}),
            no_args_is_help=not is_command,
            invoke_without_command=is_command,
            rich_markup_mode=None,
            **settings,
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[..., Any]:
        """Return the decorator that makes a function a command of this group."""
        register = super().command(name, cls=_Command, **settings)
        return _expanding(register)

    def callback(self, *arguments: Any, **settings: Any) -> Callable[..., Any]:
        """Return the decorator that makes a function what this group does before or without a command."""
        register = super().callback(*arguments, **settings)
        return _expanding(register)


def _expanding(register: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        register(_with_options(function))
        return function

    return decorate


def _with_options(function: Callable[..., None]) -> Callable[..., None]:
    """Return what takes the options of a stack in place of a function's parameter `target`."""
    if "target" not in function.__annotations__:
        return function

    @wraps(function)
    def command(**values: Any) -> None:
        function(target=Target(*(values.pop(name) for name in Target._fields)), **values)

    signature = inspect.signature(function, eval_str=True)
    parameters = [
        parameter
        for before in signature.parameters.values()
        for parameter in (_TARGET if before.name == "target" else (before,))
    ]
    # Typer reads both.
    vars(command)["__signature__"] = signature.replace(parameters=parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command

"""What `pullwright local` does: each command returns the exit code of the process.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 nothing runs.
"""

import functools
import json
import shlex
import sys
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec

from botocore.exceptions import BotoCoreError, ClientError

from local.layout import Layout
from local.model_choice import ChoiceError, of_environment
from local.sam import ACCESS_KEY, SECRET_KEY, SamError
from local.stack import PREVIEW_DOMAIN, STACK, Stack, elapsed
from local.stack import status as status_of
from local.supervise import NotReadyError

_P = ParamSpec("_P")


def _command(function: Callable[_P, int]) -> Callable[_P, int]:
    """Print an expected error as one sentence and return its exit code."""

    @functools.wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> int:
        try:
            return function(*args, **kwargs)
        except ChoiceError as error:
            print(f"local {function.__name__}: {error}", file=sys.stderr)
            return 2
        except (NotReadyError, SamError, BotoCoreError, ClientError, urllib.error.URLError) as error:
            print(f"local {function.__name__}: {error}", file=sys.stderr)
            return 1

    return run


def _print(document: Any, text: str, *, as_json: bool) -> None:
    print(json.dumps(document, indent=2) if as_json else text)


@_command
def up(model: str | None, parameters: dict[str, str], *, as_json: bool) -> int:
    """Start what does not run, deploy what has changed, and say where it is.

    Args:
        model: what plays the model; `PULLWRIGHT_MODEL` decides without it.
    """
    began, layout = time.monotonic(), Layout.of_environment()
    stack = Stack(layout, of_environment(model), parameters).up()
    shown = {name: value for name, value in stack.items() if name != "webhook_secret"}
    _print(
        shown,
        f"The local stack is up after {elapsed(began)} (model: {stack['model']}).\n"
        f"  GitHub   {stack['github_url']}\n"
        f"  Jira     {stack['jira_url']}\n"
        f"  AWS      {stack['endpoint_url']}   (AWS_ENDPOINT_URL; any credentials)\n"
        f"  previews http://<host>.{PREVIEW_DOMAIN}:{stack['preview_port']}\n"
        f"  details  {layout.stack_file}\n"
        f"  logs     {layout.logs}",
        as_json=as_json,
    )
    return 0


@_command
def watch(model: str | None) -> int:
    """Bring the stack up, and make each change of the checkout live until Ctrl-C."""
    from local.watch import watch as until_interrupted  # noqa: PLC0415 - only this needs Rich and watchfiles

    until_interrupted(Stack(Layout.of_environment(), of_environment(model)))
    return 0


@_command
def down(*, discard: bool, as_json: bool) -> int:
    """End everything."""
    began, layout = time.monotonic(), Layout.of_environment()
    stubborn = Stack(layout, of_environment("scripted")).down(keep=not discard)
    killed = f" (killed: {', '.join(stubborn)})" if stubborn else ""
    _print({"killed": stubborn}, f"The local stack is down after {elapsed(began)}{killed}.", as_json=as_json)
    return 0


@_command
def status(*, as_json: bool) -> int:
    """Show what runs."""
    found = status_of(Layout.of_environment())
    lines = [f"  {name:<10}{'runs' if alive else 'has ended'}" for name, alive in found["processes"].items()]
    lines += [f"  {name}" for name in found["children"]]
    text = "\n".join([f"The local stack is {'up' if found['up'] else 'down'}.", *lines])
    _print(found, text, as_json=as_json)
    return 0 if found["up"] else 3


@_command
def env(*, as_json: bool) -> int:
    """Print the variables with which a shell reaches the running stack."""
    layout = Layout.of_environment()
    if not layout.stack_file.exists():
        print("local env: no local stack is up; run `make up`", file=sys.stderr)
        return 3
    stack = json.loads(layout.stack_file.read_text())
    variables = {
        "AWS_ENDPOINT_URL": stack["endpoint_url"],
        "AWS_DEFAULT_REGION": stack["region"],
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "PULLWRIGHT_STACK_NAME": STACK,
        **stack["outputs"],
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    _print(variables, "\n".join(lines), as_json=as_json)
    return 0


@_command
def clean(*, as_json: bool) -> int:
    """End everything and remove the stack's data."""
    layout = Layout.of_environment()
    Stack(layout, of_environment("scripted")).clean()
    _print({}, f"Nothing of the stack is left in {layout.data}.", as_json=as_json)
    return 0


def demo(repository: Path | None, issue: str | None, minutes: float, lag: int | None = None) -> int:
    """Run the whole pipeline once; see `local.demo.run`."""
    from local.demo.run import run  # noqa: PLC0415 - only the demo needs Rich

    # The built-in project needs no real model; for another, whatever the person has is used.
    if up("auto" if repository else None, {}, as_json=False):
        return 3
    return run(repository, issue, minutes, lag)

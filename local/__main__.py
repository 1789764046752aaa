"""`python -m local up|down|status|env|clean`: the local stack from a terminal.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 (status) nothing runs.
"""

import argparse
import json
import shlex
import sys
import time
import urllib.error
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.layout import Layout
from local.model_choice import CHOICES, ChoiceError, of_environment
from local.sam import ACCESS_KEY, SECRET_KEY, SamError
from local.stack import Stack, elapsed, status
from local.supervise import NotReadyError


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything and deploy; does only what is missing")
    up.add_argument("--model", choices=CHOICES, help="what plays the model (PULLWRIGHT_MODEL; scripted)")
    up.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template; may be given several times",
    )
    down = commands.add_parser(
        "down", help="end everything; records and artifacts come back with the next up"
    )
    down.add_argument("--discard", action="store_true", help="keep nothing")
    commands.add_parser("status", help="what runs, and where")
    commands.add_parser("env", help="shell variables for the AWS CLI and the commands in the README")
    commands.add_parser("clean", help="end everything and remove the stack's data")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print JSON and nothing else")
    arguments = parser.parse_args()
    for given in getattr(arguments, "parameter", []):
        if "=" not in given:
            parser.error(f"--parameter {given}: write it as NAME=VALUE")
    return arguments


def _say(arguments: argparse.Namespace, document: Any, text: str) -> None:
    print(json.dumps(document, indent=2) if arguments.json else text)


def _up(arguments: argparse.Namespace, layout: Layout) -> int:
    began = time.monotonic()
    parameters = dict(given.split("=", 1) for given in arguments.parameter)
    told = Stack(layout, of_environment(arguments.model), parameters).up()
    shown = {name: value for name, value in told.items() if name != "webhook_secret"}
    _say(
        arguments,
        shown,
        f"The local stack is up after {elapsed(began)} (model: {told['model']}).\n"
        f"  GitHub   {told['github_url']}\n"
        f"  AWS      {told['endpoint_url']}   (AWS_ENDPOINT_URL; any credentials)\n"
        f"  details  {layout.stack_file}\n"
        f"  logs     {layout.logs}",
    )
    return 0


def _down(arguments: argparse.Namespace, layout: Layout) -> int:
    began = time.monotonic()
    stubborn = Stack(layout, of_environment("scripted")).down(keep=not arguments.discard)
    killed = f" (killed: {', '.join(stubborn)})" if stubborn else ""
    _say(arguments, {"killed": stubborn}, f"The local stack is down after {elapsed(began)}{killed}.")
    return 0


def _status(arguments: argparse.Namespace, layout: Layout) -> int:
    found = status(layout)
    lines = [f"  {name:<10}{'runs' if alive else 'has ended'}" for name, alive in found["processes"].items()]
    lines += [f"  {name}" for name in found["children"]]
    _say(arguments, found, "\n".join([f"The local stack is {'up' if found['up'] else 'down'}.", *lines]))
    return 0 if found["up"] else 3


def _env(arguments: argparse.Namespace, layout: Layout) -> int:
    if not layout.stack_file.exists():
        print("local env: no local stack is up; run `make up`", file=sys.stderr)
        return 3
    told = json.loads(layout.stack_file.read_text())
    variables = {
        "AWS_ENDPOINT_URL": told["endpoint_url"],
        "AWS_DEFAULT_REGION": told["region"],
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        **told["outputs"],
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    _say(arguments, variables, "\n".join(lines))
    return 0


def _clean(arguments: argparse.Namespace, layout: Layout) -> int:
    Stack(layout, of_environment("scripted")).clean()
    _say(arguments, {}, f"Nothing of the stack is left in {layout.data}.")
    return 0


def main() -> int:
    """Run one command.

    Returns:
        The exit code.
    """
    arguments = _arguments()
    run = {"up": _up, "down": _down, "status": _status, "env": _env, "clean": _clean}[arguments.command]
    try:
        return run(arguments, Layout.of_environment())
    except ChoiceError as error:
        print(f"local {arguments.command}: {error}", file=sys.stderr)
        return 2
    except (NotReadyError, SamError, BotoCoreError, ClientError, urllib.error.URLError) as error:
        print(f"local {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

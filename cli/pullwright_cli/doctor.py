"""`pullwright doctor`: whether a deployment is in order, check by check, each with what to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.options import Json, Target

if TYPE_CHECKING:
    from pullwright_cli.checkup.findings import Checkup


def doctor(
    *,
    ask_model: Annotated[
        bool, typer.Option("--ask-model", help="Ask the model for one token too, with your own credentials.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks of --watch.")] = 30,
    target: Target,
    json: Json = False,
) -> None:
    r"""Check a deployment: credentials, stack, secrets, App, webhook, image, model, quotas, alarms.

    It changes nothing. ok is well, warn is worth a look or could not be checked, fail does not work.

    Exit codes: 64 something failed; others as in docs/contracts.md.

    \b
    Examples:
      pullwright doctor --env prod
      pullwright doctor --json | jq '.checks[] | select(.status != "ok")'
    """
    from pullwright.errors import NotInOrder  # noqa: PLC0415 - as below
    from pullwright_cli.checkup.collect import collect  # noqa: PLC0415 - as above
    from pullwright_cli.checkup.report import examine  # noqa: PLC0415 - as above

    while True:
        # A new one each time: a stack keeps what it was told.
        stack = target.stack()
        checkup = examine(collect(stack, ask_model=ask_model))
        _show(checkup, as_json=json)
        if not watch:
            break
        time.sleep(every)
    if checkup.status == "fail":
        raise typer.Exit(NotInOrder.exit_code)


def _show(checkup: Checkup, *, as_json: bool) -> None:
    from pullwright_cli.checkup.report import as_text  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import is_coloured  # noqa: PLC0415 - as above

    if as_json:
        print(checkup.model_dump_json(), flush=True)
        return
    print(as_text(checkup, colours=is_coloured()), flush=True)

"""`pullwright dashboard`: sessions, costs and webhooks in a browser on this machine."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.options import Json, Target

_NEEDED = ("jinja2", "starlette", "uvicorn")
_INSTALL = "uv tool install 'pullwright[dashboard]'"


def dashboard(
    *,
    port: Annotated[
        int,
        typer.Option(min=0, max=65_535, show_default=False, help="On 127.0.0.1; any free one without it."),
    ] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open one here.")] = True,
    target: Target,
    json: Json = False,
) -> None:
    r"""Show sessions, what they cost, and webhooks in a browser, live, until Ctrl-C.

    The pages ask the same as the commands do, with your own credentials, and change nothing. They are on
    127.0.0.1 alone, for browsers that open the printed address. It needs the extra: pullwright[dashboard].

    \b
    Examples:
      pullwright dashboard --env prod
      pullwright dashboard --no-browser --port 8400
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise CliError(f"the dashboard needs {', '.join(missing)}: install it with `{_INSTALL}`", 2)
    from pullwright_cli.browsers import open_page  # noqa: PLC0415 - as above
    from pullwright_cli.dashboard.server import serve  # noqa: PLC0415 - as above

    def ready(address: str) -> None:
        if json:
            print(f'{{"address": "{address}"}}', flush=True)
        else:
            print(f"The dashboard is at {address}", flush=True)
            print("Ctrl-C ends it.", file=sys.stderr, flush=True)
        if browser:
            open_page(address)

    serve(target.stack(), port, ready)

"""`jira-standin --port N --data DIR`: a strict fake of Jira Cloud on 127.0.0.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jira_standin.jira import Jira
from jira_standin.server import application
from standin.serving import parser, serve

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser("jira-standin", __doc__)
    arguments = options.parse_args()

    def made(url: str) -> ASGIApp:
        return application(Jira(arguments.data, url), arguments.log, arguments.exchanges)

    serve(options, arguments, "Jira stand-in", made)


if __name__ == "__main__":
    main()

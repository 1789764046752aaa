"""`github-standin --port N --data DIR`: a strict fake of GitHub on 127.0.0.1."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from github_standin.declaration import Declaration
from github_standin.github import GitHub
from github_standin.server import application
from standin.serving import parser, serve

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser("github-standin", __doc__)
    options.add_argument(
        "--permissions", type=Path, help="JSON file of what a new installation may do; see the README"
    )
    arguments = options.parse_args()
    try:
        declaration = Declaration.read(arguments.permissions) if arguments.permissions else Declaration()
    except (OSError, ValidationError) as error:
        options.error(
            f"--permissions {arguments.permissions} cannot be used, see the README for its form: {error}"
        )

    def made(url: str) -> ASGIApp:
        github = GitHub(arguments.data, url, declaration=declaration)
        return application(github, arguments.log, arguments.exchanges)

    serve(options, arguments, "GitHub stand-in", made)


if __name__ == "__main__":
    main()

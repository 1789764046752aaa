"""How a repository is served whose configuration does not say so.

Nothing is guessed: a `Procfile` names its web process (https://devcenter.heroku.com/articles/procfile), and
`package.json` what `npm start` runs (https://docs.npmjs.com/cli/commands/npm-start).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pullwright.json_object import as_object, decode_object

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    # Gives a file's text by its path, empty if there is none.
    Read = Callable[[str], str]

# No command has a zero byte in it.
_WEB = re.compile(r"^web:[ \t]*([^\s\0][^\n\0]*?)[ \t\r]*$", re.MULTILINE)
_LOCKS = {
    "package-lock.json": ("npm ci", "npm"),
    "npm-shrinkwrap.json": ("npm ci", "npm"),
    "pnpm-lock.yaml": ("pnpm install --frozen-lockfile", "pnpm"),
    "yarn.lock": ("yarn install --frozen-lockfile", "yarn"),
}
_NO_LOCK = ("npm install", "npm")


class Server(NamedTuple):
    """The commands of a preview; `build` is empty if nothing has to be built."""

    build: str
    start: str


def find_server(paths: Collection[str], read: Read) -> Server | None:
    """Find the commands that build and start a repository's server; None if its files name none."""
    has = set(paths)
    scripts = _scripts(read("package.json")) if "package.json" in has else {}
    install, program = next((_LOCKS[name] for name in _LOCKS if name in has), _NO_LOCK)
    build = install if "package.json" in has else ""
    if "build" in scripts:
        build = f"{build} && {program} run build"
    web = _WEB.search(read("Procfile")) if "Procfile" in has else None
    if web:
        return Server(build, web[1])
    if "start" in scripts or ("package.json" in has and "server.js" in has):
        return Server(build, f"{program} start")
    return None


def _scripts(text: str) -> dict[str, str]:
    scripts = as_object(decode_object(text).get("scripts"))
    return {name: line for name, line in scripts.items() if isinstance(line, str) and line.strip()}

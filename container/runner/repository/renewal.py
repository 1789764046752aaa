"""A home for the agent that setup has not had: what setup left runs when the agent calls it, never by itself.

The agent's environment leads to the model. A line in a shell's startup file, a program in git's configuration
or a module that Python loads at its start would have it, and could spend the session's money.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from pullwright.errors import InternalError
from runner.children import child
from runner.log import logger
from runner.user import search_path

if TYPE_CHECKING:
    from pathlib import Path

    from runner.git.workspace import Workspace

INSTALLED = (
    *(".asdf", ".bun", ".cabal", ".cache", ".cargo", ".composer", ".deno", ".dotnet", ".gem", ".ghcup"),
    *(".gradle", ".hex", ".julia", ".local/bin", ".local/lib", ".local/pipx", ".local/share", ".m2", ".mix"),
    *(".npm", ".nuget", ".nvm", ".opam", ".pub-cache", ".pyenv", ".rbenv", ".rustup", ".sdkman", ".stack"),
    *(".volta", ".yarn", "go"),
)
"""Folders of a home in which package managers keep what they have installed."""
_SECONDS = 300.0
_SHOWN = 1_000
# The old and the new home have one path, one after the other: what is installed there names it.
# Python runs `import` lines of `.pth` files and the two modules at its start:
# https://docs.python.org/3/library/site.html
_RENEW = """\
set -eu
old=$1; shift
chmod u+rwx . && rm -rf -- "$TMPDIR" "$old" && mv -- "$HOME" "$old" && mkdir -m 700 -- "$HOME" "$TMPDIR"
for name; do
  if [ -d "$old/$name" ] && [ ! -L "$old/$name" ] && [ ! -L "$(dirname "$old/$name")" ]; then
    mkdir -p -- "$(dirname "$HOME/$name")"
    mv -- "$old/$name" "$HOME/$name"
  fi
done
chmod -R u+rwx -- "$old" "$HOME"
rm -rf -- "$old" "$HOME/.local/share/claude"
site=$HOME/.local/lib
[ -d "$site" ] || exit 0
find "$site" -maxdepth 2 -type l -delete
find "$site" -depth \\( -name 'usercustomize*' -o -name 'sitecustomize*' \\) -exec rm -rf {} +
find "$site" -name '*.pth' \\( -type l -o -exec grep -q import {} \\; \\) -exec rm -f {} +
"""
_RESTORE = """\
[ -d .git ] || exit 0
rm -rf .git/hooks .git/info/attributes .git/config && cat > .git/config
"""


def renew_home(workspace: Workspace, configuration: bytes) -> None:
    """Give the agent a new home with what setup has installed, and its repository's first configuration.

    Everything is done as the agent's user, whose processes have ended: no link leads further than that user
    could go by itself.

    Args:
        configuration: of its repository, as it was before setup.

    Raises:
        InternalError: setup has left something that its own user cannot remove.
    """
    _run(workspace, workspace.home.parent, _RENEW, f"{workspace.home}.setup", *INSTALLED)
    _run(workspace, workspace.folder, _RESTORE, stdin=configuration)


def _run(workspace: Workspace, cwd: Path, program: str, *arguments: str, stdin: bytes = b"") -> None:
    with child(
        workspace.user.command(["sh", "-c", program, "sh", *arguments]),
        start=workspace.user.start,
        cwd=cwd,
        env={"PATH": search_path(), "HOME": str(workspace.home), "TMPDIR": str(workspace.scratch)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            _, stderr = process.communicate(stdin, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            stderr = b"timed out"
    if process.returncode:
        logger.warning("the agent's home was not made new", stderr=stderr[-_SHOWN:].decode(errors="replace"))
        raise InternalError("The agent's home could not be made new after the setup command.")

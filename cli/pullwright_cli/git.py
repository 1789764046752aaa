"""What git says about a checkout."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from pathlib import Path

_SSH = re.compile(r"(?:ssh://)?git@([^:/]+)(?::[0-9]+/|[:/])(.+)")
_REMOTE = re.compile(r"[:/]([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+?)(?:\.git)?/?\Z")


def repository_of(folder: Path) -> str:
    """Return `owner/name` of the remote `origin`.

    Raises:
        CliError: there is none on GitHub.
    """
    found = _REMOTE.search(_git(folder, "remote", "get-url", "origin"))
    if found is None:
        raise CliError(f"{folder} has no remote origin that names a repository: say --repo OWNER/NAME", 2)
    return found[1]


def https_address(folder: Path) -> str:
    """Return the https:// address of the remote `origin`, without a user or password.

    Raises:
        CliError: there is none that has one.
    """
    address = _git(folder, "remote", "get-url", "origin")
    if found := _SSH.fullmatch(address):
        address = f"https://{found[1]}/{found[2]}"
    if not address.startswith("https://"):
        raise CliError(f"{folder} has no remote origin with an https:// address: say --source", 2)
    return re.sub(r"//[^/@]*@", "//", address)


def commit_of(folder: Path) -> str:
    """Return the full hash of the commit that is checked out; empty if there is none."""
    return _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")


def is_changed(folder: Path, path: str) -> bool:
    """Return whether something at a path is not committed as it stands."""
    return bool(_git(folder, "status", "--porcelain", "--", path))


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""

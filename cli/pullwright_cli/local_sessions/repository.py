"""A session's repository: copied from the checkout before, its branch brought back afterwards.

The checkout itself is never reachable for the session. Its work tree, index, current branch and settings stay
as they are: nothing but a new branch comes to it, and only after git has checked every object.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pullwright_cli.errors import CliError

_DETACHED = "HEAD"
_QUIETLY = ("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0")
# Of the session's objects; the person's own may have findings that git refuses from others.
_CHECKED = ("-c", "fetch.fsckObjects=true")
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")


def top_of(folder: Path) -> Path:
    """Return the top folder of the checkout that a folder is in.

    Raises:
        CliError: it is in none, or nothing was committed there yet.
    """
    found = _git(folder, "rev-parse", "--show-toplevel")
    if not found or not _git(folder, "rev-parse", "--verify", "--quiet", "HEAD"):
        raise CliError(f"{folder} is in no git checkout with a commit: call this in one", 2)
    return Path(found)


def current_branch(checkout: Path) -> str:
    """Return the branch that is checked out; `main` where there is none."""
    name = _git(checkout, "rev-parse", "--abbrev-ref", "HEAD")
    return "main" if name in {"", _DETACHED} else name


def has_changes(checkout: Path) -> bool:
    """Return whether something in the work tree is not committed."""
    return bool(_git(checkout, "status", "--porcelain"))


def copy(checkout: Path, repository: Path, base: str, branch: str) -> None:
    """Make a bare repository of the commit that is checked out and its history.

    Args:
        repository: where; it must not exist yet.
        base: name of the branch there that stands at the commit.
        branch: name of the branch that the session works on.

    Raises:
        CliError: git failed.
    """
    _must(checkout, "init", "--quiet", "--bare", "--template=", f"--initial-branch={base}", str(repository))
    source = ("--update-shallow", str(checkout), f"HEAD:refs/heads/{base}")
    _must(repository, *_QUIETLY, *_FETCH, *source)
    _must(repository, "branch", "--no-track", branch, base)


def bring_back(checkout: Path, bundle: Path, branch: str) -> None:
    """Add the session's branch to the checkout.

    Raises:
        CliError: git does not take it, or the checkout has such a branch already.
    """
    ref = f"refs/heads/{branch}"
    _must(checkout, *_QUIETLY, *_CHECKED, *_FETCH, str(bundle), f"{ref}:{ref}")


def _must(folder: Path, *arguments: str) -> None:
    done = _run(folder, *arguments)
    if done.returncode:
        raise CliError(f"git failed in {folder}: {done.stderr.strip()[-500:]}")


def _git(folder: Path, *arguments: str) -> str:
    done = _run(folder, *arguments)
    return done.stdout.strip() if done.returncode == 0 else ""


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A hook or alias that called this command may have set where its own repository is.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(
        command, env={**variables, "GIT_OPTIONAL_LOCKS": "0"}, capture_output=True, text=True, check=False
    )

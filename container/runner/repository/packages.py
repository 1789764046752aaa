"""Installs the system packages that a repository names, before anything of the repository's own has run.

It takes root. What then runs as root are the scripts of packages from the archive that the image trusts,
chosen by whoever may write to the default branch; nothing from the repository is run or read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.repository.commands import run_command
from runner.user import User, search_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright.results import CheckResult
    from runner.agent.process import ShouldStop

PACKAGES = "packages"
_SECONDS = 600.0
# The image has no package lists: they would be old. Recommendations can be most of what is installed.
_COMMAND = (
    "apt-get -q -o Acquire::Retries=3 update && apt-get -q -y --no-install-recommends install -- {names}"
)
_ROOT = User(None)


def install(packages: Sequence[str], should_stop: ShouldStop) -> CheckResult:
    """Install packages with apt.

    Args:
        packages: their names, as `Configuration` has checked them.

    Returns:
        How it went, with apt's last lines.
    """
    return run_command(
        *(PACKAGES, _COMMAND.format(names=" ".join(packages))),
        user=_ROOT,
        cwd=Path("/"),
        env={"PATH": search_path(), "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        seconds=_SECONDS,
        should_stop=should_stop,
    )

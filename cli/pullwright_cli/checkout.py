"""The checkout that a command is called in: its launcher, its tools, its environment."""

import importlib
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Self

from pullwright_cli.errors import CliError


@dataclass(frozen=True)
class Checkout:
    """A clone of Pullwright's repository."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> Self:
        """Find the checkout that a folder belongs to.

        Raises:
            CliError: there is none.
        """
        for folder in (start, *start.parents):
            if _is_checkout(folder):
                return cls(folder)
        raise CliError(
            f"{start} is not in a checkout of Pullwright, and the local stack runs from one: "
            "clone the repository and call this command inside it"
        )

    @property
    def venv(self) -> Path:
        """The environment that `make setup` makes."""
        return self.root / ".venv"

    def launcher(self, *, set_up: bool) -> ModuleType:
        """Import the launcher of the local stack.

        An installation elsewhere lacks what the launcher needs: the checkout's own command takes its place.

        Args:
            set_up: install the checkout's tools first, if this is an installation elsewhere.

        Raises:
            CliError: the tools could not be installed, or are not.
        """
        if Path(sys.prefix).resolve() != self.venv.resolve():
            if set_up:
                self._set_up()
            self._take_over()
        # Nothing installs `local`: it runs from the checkout.
        sys.path.insert(0, str(self.root))
        return importlib.import_module("local.commands")

    def _set_up(self) -> None:
        installed = self.venv / "bin" / "python"
        python = installed if installed.exists() else sys.executable
        done = subprocess.run([python, "-m", "local.install"], cwd=self.root, check=False)
        if done.returncode:
            raise CliError("setting up the checkout failed, as said above", done.returncode)

    def _take_over(self) -> None:
        command = self.venv / "bin" / "pullwright"
        if not command.exists():
            raise CliError(f"nothing is installed in {self.root}: run `pullwright local up`", 3)
        sys.stdout.flush()
        os.execv(command, [str(command), *sys.argv[1:]])


def _is_checkout(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return project.get("project", {}).get("name") == "pullwright" and (folder / "local").is_dir()

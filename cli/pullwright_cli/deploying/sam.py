"""The SAM CLI, called as an operator would call it; each line is printed before it runs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright import errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_STANDARD_ERROR = 2
_OF_THE_CHECKOUT = ".local/venvs/sam/bin/sam"


@dataclass(frozen=True)
class Sam:
    """How the SAM CLI is called for one stack.

    Attributes:
        root: of the checkout, with template.yaml and samconfig.toml.
        environment: the section of samconfig.toml.
        stack: its name; it goes before the section's.
        role: with which CloudFormation makes the changes; empty for the caller's own rights.
    """

    root: Path
    environment: str
    stack: str
    region: str = ""
    profile: str = ""
    role: str = ""

    def build(self) -> list[str]:
        """Return the line that builds."""
        return ["sam", "build", "--config-env", self.environment]

    def deploy(self, parameters: Mapping[str, str]) -> list[str]:
        """Return the line that deploys.

        Args:
            parameters: all that are not to have the value of the deployment before.
        """
        overrides = [f"{name}={_quoted(value)}" for name, value in parameters.items()]
        return [
            *("sam", "deploy", "--config-env", self.environment, "--stack-name", self.stack),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
            *(("--region", self.region) if self.region else ()),
            *(("--profile", self.profile) if self.profile else ()),
            *(("--role-arn", self.role) if self.role else ()),
            *(("--parameter-overrides", *overrides) if overrides else ()),
        ]

    def run(self, line: list[str]) -> None:
        """Print a line and run it; what it says goes to standard error.

        Raises:
            NotDeployed: the SAM CLI is missing, or failed and has said why.
        """
        program = shutil.which("sam") or str(self.root / _OF_THE_CHECKOUT)
        if shutil.which(program) is None:
            raise errors.NotDeployed(
                "The SAM CLI is missing.",
                remedy="Install it: `pip install aws-sam-cli`, or `make setup` in the checkout.",
            )
        show(shlex.join(line))
        done = subprocess.run(
            [program, *line[1:]],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=_STANDARD_ERROR,
            check=False,
        )
        if done.returncode:
            raise errors.NotDeployed(f"`{' '.join(line[:2])}` failed, as said above.")


def _quoted(value: str) -> str:
    """Return a value as the SAM CLI reads it: it splits words, and takes an empty one in quotes alone."""
    is_plain = value and not any(character.isspace() or character in '"\\' for character in value)
    return value if is_plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def show(line: str) -> None:
    """Print a line that is about to run."""
    print(f"$ {line}", file=sys.stderr, flush=True)

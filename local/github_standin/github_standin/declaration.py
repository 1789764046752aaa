"""The permissions and events that the App asks for, from the file that `--permissions` names.

GitHub gives them to each new installation: https://docs.github.com/apps/creating-github-apps/registering-a-github-app.
Which ones they are is the App's own business, so that none are written down here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, field_validator

from github_standin.permissions import KNOWN
from github_standin.records import Access

if TYPE_CHECKING:
    from pathlib import Path


class Permission(BaseModel):
    """One permission; what else the file says about it is for people."""

    access: Access


class Declaration(BaseModel):
    """What a new installation is given: the least that GitHub gives, unless a file says more.

    Attributes:
        events: GitHub's names as keys; the values are for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    permissions: dict[str, Permission] = {"metadata": Permission(access="read")}
    events: dict[str, object] = {}

    @field_validator("permissions")
    @classmethod
    def _are_known(cls, value: dict[str, Permission]) -> dict[str, Permission]:
        if unknown := sorted(set(value) - KNOWN):
            raise ValueError(f"GitHub has no permission {', '.join(unknown)}")
        return value

    @classmethod
    def read(cls, path: Path) -> Declaration:
        """Read the file.

        Raises:
            OSError: it cannot be read.
            pydantic.ValidationError: it is not JSON of this form.
        """
        return cls.model_validate_json(path.read_bytes())

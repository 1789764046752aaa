"""What the environment of every task says, and how it is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

Text = Annotated[str, StringConstraints(min_length=1)]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$")]


class SettingsError(Exception):
    """The environment is incomplete or wrong; the text names each variable."""


class TaskSettings(BaseModel):
    """The environment of a task, by the variables' names in lower case.

    Attributes:
        agent_uid: user and group id of the processes that run other people's code.
        agent_isolation: `user` runs them as users of their own, which needs root; `none` runs them as the
            runner's own user and protects nothing.
        work_dir: where repositories are cloned; the agent's user must be able to reach it.
    """

    model_config = ConfigDict(frozen=True)

    agent_uid: int = Field(default=10001, gt=0)
    agent_isolation: Literal["user", "none"] = "user"
    work_dir: Path = Path("/workspace")

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            SettingsError: with one line for each variable that is missing or wrong.
        """
        values = {name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper())}
        if "aws_region" in cls.model_fields:
            values.setdefault("aws_region", environ.get("AWS_DEFAULT_REGION", ""))
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            lines = [_explain(str(problem["loc"][0]), problem["type"]) for problem in error.errors()]
            raise SettingsError("\n".join(lines)) from None
        if settings.agent_isolation == "user" and os.geteuid() != 0:
            raise SettingsError(
                "The runner must be root to run the agent as another user. AGENT_ISOLATION=none gives that "
                "protection up: the agent can then read whatever the runner can."
            )
        return settings


def _explain(name: str, problem: str) -> str:
    """Name the variable but not its value, which might be a misplaced secret."""
    return f"{name.upper()} is {'missing' if problem in {'missing', 'string_too_short'} else 'not valid'}."

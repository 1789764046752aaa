"""What the environment and standard input of a session in a folder say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pullwright.log import hide
from runner.settings import CommonSettings
from runner.task_settings import SettingsError

if TYPE_CHECKING:
    from typing import TextIO


class FolderSettings(CommonSettings):
    """The environment of a session in a folder.

    Attributes:
        session_folder: holds `request.json` and `repository.git`, and gets what the session leaves.
    """

    session_folder: Path


class Credentials(BaseModel):
    """What the model's provider wants: one line of JSON on standard input, so that no other process sees it.

    Attributes:
        api_key: Anthropic's.
        variables: AWS's own, for Bedrock.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: str | None = None
    variables: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def read(cls, stream: TextIO) -> Credentials:
        """Read them, and put AWS's where its SDK looks; no process that is started later inherits them.

        Raises:
            SettingsError: the line is none of that form.
        """
        try:
            found = cls.model_validate_json(stream.readline() or "{}")
        except ValidationError:
            # The error's own text would repeat what was read.
            raise SettingsError("Standard input holds no credentials in the form that is wanted.") from None
        hide(*(value for value in (found.api_key, *found.variables.values()) if value))
        os.environ.update(found.variables)
        return found

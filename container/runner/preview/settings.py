"""What the environment of a preview's task says."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from runner.task_settings import Address, SettingsError, TaskSettings, Text


class PreviewSettings(TaskSettings):
    """The task's environment; the platform and the task definition set all but `preview_id`.

    Attributes:
        browser_uid: user and group id of the browser's processes.
    """

    preview_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    broker_url: Address
    github_api_url: Address
    ecs_container_metadata_uri_v4: Address
    aws_region: Text
    browser_uid: int = Field(default=10003, gt=0)

    @model_validator(mode="after")
    def _users_differ(self) -> Self:
        if self.agent_uid == self.browser_uid:
            raise SettingsError(
                "AGENT_UID and BROWSER_UID must differ: the application could else steer its screenshots."
            )
        return self

"""What the environment of a preview's task says."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from runner.task_settings import Address, TaskSettings, Text


class PreviewSettings(TaskSettings):
    """The task's environment; the platform and the task definition set all but `preview_id`."""

    preview_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    broker_url: Address
    github_api_url: Address
    ecs_container_metadata_uri_v4: Address
    aws_region: Text

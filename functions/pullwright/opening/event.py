"""What the state machine passes to OpenPullRequest."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from pullwright.services import Services
from pullwright.settings import OpenPullRequestSettings

OpeningServices = Services[OpenPullRequestSettings]


class OpenPullRequestEvent(BaseModel):
    """What the state machine passes to OpenPullRequest."""

    model_config = ConfigDict(frozen=True)

    session_id: str
    execution_arn: str
    started_at: datetime
    input: Any = None

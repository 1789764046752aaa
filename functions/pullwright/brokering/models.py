"""What the broker answers to a runner: a public contract like those of `pullwright.models`."""

from datetime import datetime

from pydantic import Field

from pullwright.fields import Stored
from pullwright.previewing.models import PreviewPlan
from pullwright.previewing.screenshots import Picture, Screenshot


class AwsCredentials(Stored):
    """Temporary credentials, narrowed to one session."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime = Field(strict=False)


class BrokerGrant(Stored):
    """What the broker answers to the runner of one session.

    Attributes:
        session_id: the session that the caller's task runs.
        github_token: installation token for one repository and the session's permissions; in comment mode it
            can read and nothing else.
        aws: credentials for this session's S3 prefix and table record only.
        model_api_key: Anthropic key, when the stack uses one; held by the runner alone.
    """

    session_id: str
    github_token: str
    github_expires_at: datetime = Field(strict=False)
    aws: AwsCredentials
    model_api_key: str | None = None


class PreviewGrant(Stored):
    """What the broker answers to the task of one preview: no credentials of AWS, and no model's key.

    Attributes:
        github_token: installation token that reads the one repository's content.
        variables: of the repository, from the operator's secret, for build and server.
    """

    plan: PreviewPlan
    github_token: str
    github_expires_at: datetime = Field(strict=False)
    variables: dict[str, str] = Field(default_factory=dict)


class PreviewMessage(Stored):
    """What a preview's task says to the broker; an empty one asks for its `PreviewGrant`.

    Attributes:
        picture: one picture, to be kept.
        screenshots: what came of each page, in the configuration's order; nothing more comes after it.
    """

    picture: Picture | None = None
    screenshots: tuple[Screenshot, ...] | None = Field(default=None, strict=False)

    @property
    def asks_for_the_plan(self) -> bool:
        """Whether there is nothing in it."""
        return self.picture is None and self.screenshots is None

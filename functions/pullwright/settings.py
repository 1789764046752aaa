"""The settings of each function: exactly the variables that the template sets for it.

They are read on first use, never at import. There is no default: what is missing is named.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pullwright.errors import InternalError

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Settings(BaseModel):
    """Settings whose fields are the names of environment variables in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the variables that are read."""
        return frozenset(name.upper() for name in cls.model_fields)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            InternalError: variables are missing or wrong; the sentence names them but shows no value.
        """
        values = {name.lower(): environment[name] for name in cls.names() if name in environment}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(
                f"{str(problem['loc'][0]).upper()}: {problem['msg']}" for problem in error.errors()
            )
            raise InternalError(
                f"This function's settings are wrong. {problems}.",
                remedy="Ask the operator to deploy the stack again.",
            ) from None


class GitHubSettings(Settings):
    """What every function needs that talks to GitHub about sessions."""

    sessions_table: Text
    github_app_secret_arn: Text
    github_api_url: Text


class EventsSettings(GitHubSettings):
    """The events function: which machine it starts and stops, where the open sessions stand, and GitHub.

    Attributes:
        events_queue_url: where it puts what has to be done bit by bit, or later.
        allowed_owners: see `pullwright.owners`; empty means the owner of the App.
        mention_name: as for OpenPullRequest.
        preview_state_machine_arn: empty where no previews are set up.
    """

    state_machine_arn: Text
    preview_state_machine_arn: str
    cluster_arn: Text
    events_queue_url: Text
    allowed_owners: str
    mention_name: Text


class StoreSettings(GitHubSettings):
    """What every function needs that works on sessions."""

    artifacts_bucket: Text


class JiraSettings(StoreSettings):
    """What the functions need that read Jira and tell it; both are empty without Jira."""

    jira_base_url: str
    jira_secret_arn: str


class OpenPullRequestSettings(JiraSettings):
    """OpenPullRequest: the defaults of a session, and the limits of the deployment.

    Attributes:
        max_sessions: 0 means that no new session begins.
        max_sessions_per_repository: 0 means no limit of its own.
        model_prices: see `pullwright.opening.model.read_prices`.
        daily_usd: of all sessions together, 0 means no limit.
        daily_usd_per_repository: of one repository's, 0 means no limit.
        mention_name: the name in a mention that asks for a session, without the `@`.
        allowed_owners: see `pullwright.owners`; empty means the owner of the App.
        jira_groups: names or ids of the groups in Jira that may start sessions, separated by commas.
    """

    model_provider: Literal["bedrock", "anthropic"]
    model_id: Text
    model_prices: str
    limit_usd: float = Field(gt=0)
    limit_turns: int = Field(ge=1)
    limit_minutes: int = Field(ge=1)
    max_sessions: int = Field(ge=0)
    max_sessions_per_repository: int = Field(ge=0)
    daily_usd: float = Field(ge=0)
    daily_usd_per_repository: float = Field(ge=0)
    stub_sessions: bool
    mention_name: Text
    allowed_apps: str
    allowed_owners: str
    jira_groups: str


class ReportOutcomeSettings(JiraSettings):
    """ReportOutcome: where the task ran, how long closed records are kept, and for whom it reports.

    Attributes:
        preview_queue_url: of the events, which start what sessions leave; empty where no previews are set up.
    """

    cluster_arn: Text
    log_group_name: Text
    retention_days: int = Field(ge=1)
    allowed_owners: str
    preview_queue_url: str


class ReconcileSettings(ReportOutcomeSettings):
    """The sweep: it reports as ReportOutcome does, for the executions of one machine.

    Attributes:
        live_state_machine_arn: the release that starts what is due by schedule.
        max_sessions: 0 means that no session gets a slot.
    """

    state_machine_arn: Text
    live_state_machine_arn: Text
    max_sessions: int = Field(ge=0)


class BrokerSettings(StoreSettings):
    """The broker: whose calls it answers and what it hands out.

    Attributes:
        model_key_secret_arn: empty when the models are Bedrock's.
        preview_task_role_name: empty where no previews are set up.
        preview_secret_arn: of the variables of previews, empty if there are none.
    """

    cluster_arn: Text
    task_role_name: Text
    session_role_arn: Text
    model_key_secret_arn: str
    preview_task_role_name: str
    preview_secret_arn: str


class PreviewSettings(GitHubSettings):
    """What every function needs that works on previews."""


class PreparePreviewSettings(PreviewSettings):
    """PreparePreview: who may ask, the hosts, and the limits of the deployment.

    Attributes:
        preview_domain_suffix: of the hosts, without a dot before it.
        preview_prefix: of the hosts of pull requests; may be empty.
        preview_label: starts the image that was promoted.
        preview_staging_label: starts the image that is tried.
        preview_hours: for which a preview runs at most.
        max_previews: that run at once.
        allowed_apps: as for OpenPullRequest.
        allowed_owners: see `pullwright.owners`; empty means the owner of the App.
    """

    preview_domain_suffix: Text
    preview_prefix: str
    preview_label: Text
    preview_staging_label: Text
    preview_hours: int = Field(ge=1, le=168)
    max_previews: int = Field(ge=1, le=100)
    preview_task_definition: Text
    preview_staging_task_definition: Text
    allowed_apps: str
    allowed_owners: str


class RoutingSettings(PreviewSettings):
    """What the functions need that route previews.

    Attributes:
        alb_listener_arn: whose rules are made and removed.
        stack_name: names the deployment in the tags of its rules.
        vpc_id: that load balancer and tasks are in.
        preview_log_group: of the previews' tasks.
    """

    cluster_arn: Text
    alb_listener_arn: Text
    stack_name: Text
    vpc_id: Text
    preview_log_group: Text


class RoutePreviewSettings(RoutingSettings):
    """RoutePreview, which shows screenshots too."""

    artifacts_bucket: Text


class RemovePreviewSettings(RoutingSettings):
    """RemovePreview: what it sweeps, and how long closed records are kept.

    Attributes:
        preview_state_machine_arn: whose ended executions are looked for.
        preview_task_families: of their task definitions, separated by commas.
    """

    preview_state_machine_arn: Text
    preview_task_families: Text
    retention_days: int = Field(ge=1)

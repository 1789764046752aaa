"""What the task's environment says, read once at the start."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from pullwright.egress import ANY, DEFAULT, Domains
from runner.broker import PATIENCE_SECONDS as BROKER_PATIENCE_SECONDS
from runner.gateway import PATIENCE_SECONDS
from runner.task_settings import Address, SettingsError, TaskSettings, Text


def _domain_list(text: str) -> str:
    Domains.read(text)
    return text


DomainList = Annotated[str, AfterValidator(_domain_list)]


class CommonSettings(TaskSettings):
    """What the environment of every session says, by the variables' names in lower case.

    Attributes:
        checks_uid: user and group id of the processes of checks.
        checkpoint_seconds: seconds between two checkpoints; nothing is pushed where nothing has changed.
        package_manager: which one may install system packages as root; only an image may say so, never a
            machine that is used for other things too.
        machine: `own` if the task has the machine for itself, as an image says: what the agent's user left
            is then looked for everywhere before checks run, not only where everybody may write.
        model_patience_seconds: for how many seconds a failing model service is asked again.
        capacity: on `FARGATE_SPOT` a task that is stopped leaves its work to the one that follows it.
        egress_mode: whether a session fails where the agent cannot be kept from the network (`required`),
            goes on and says so (`preferred`), or nobody tries (`off`).
        egress_domains: the domains that all sessions reach, separated by commas; `open` for all.
        egress_may_add: those that a repository's configuration may add; `any`, or `none`.
    """

    session_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    checks_uid: int = Field(default=10002, gt=0)
    checkpoint_seconds: float = Field(default=120.0, gt=0)
    package_manager: Literal["apt", "none"] = "none"
    machine: Literal["own", "shared"] = "shared"
    model_patience_seconds: float = Field(default=PATIENCE_SECONDS, ge=0)
    capacity: Literal["FARGATE", "FARGATE_SPOT"] = "FARGATE"
    egress_mode: Literal["required", "preferred", "off"] = "preferred"
    egress_domains: DomainList = DEFAULT
    egress_may_add: DomainList = ANY

    @model_validator(mode="after")
    def _users_differ(self) -> Self:
        if self.agent_uid == self.checks_uid:
            raise SettingsError(
                "AGENT_UID and CHECKS_UID must differ: the agent could else steer the checks."
            )
        return self


class Settings(CommonSettings):
    """The task's environment.

    Attributes:
        broker_patience_seconds: for how many seconds a busy broker is asked for the first credentials.
    """

    broker_url: Address
    sessions_table: Text
    artifacts_bucket: Text
    github_api_url: Address
    ecs_container_metadata_uri_v4: Address
    aws_region: Text
    broker_patience_seconds: float = Field(default=BROKER_PATIENCE_SECONDS, ge=0)

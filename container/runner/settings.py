"""What the task's environment says, read once at the start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from pullwright.egress import ANY, DEFAULT, Domains
from runner.broker import PATIENCE_SECONDS as BROKER_PATIENCE_SECONDS
from runner.gateway import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

Text = Annotated[str, StringConstraints(min_length=1)]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$")]


def _domain_list(text: str) -> str:
    Domains.read(text)
    return text


DomainList = Annotated[str, AfterValidator(_domain_list)]


class SettingsError(Exception):
    """The environment is incomplete or wrong; the text names each variable."""


class CommonSettings(BaseModel):
    """What the environment of every session says, by the variables' names in lower case.

    Attributes:
        agent_uid: user and group id of the agent's processes.
        checks_uid: user and group id of the processes of checks.
        agent_isolation: `user` runs the agent as `agent_uid` and checks as `checks_uid`, which needs root;
            `none` runs them as the runner's own user and protects nothing.
        work_dir: where repositories are cloned; the agent's user must be able to reach it.
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

    model_config = ConfigDict(frozen=True)

    session_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    agent_uid: int = Field(default=10001, gt=0)
    checks_uid: int = Field(default=10002, gt=0)
    agent_isolation: Literal["user", "none"] = "user"
    work_dir: Path = Path("/workspace")
    checkpoint_seconds: float = Field(default=120.0, gt=0)
    package_manager: Literal["apt", "none"] = "none"
    machine: Literal["own", "shared"] = "shared"
    model_patience_seconds: float = Field(default=PATIENCE_SECONDS, ge=0)
    capacity: Literal["FARGATE", "FARGATE_SPOT"] = "FARGATE"
    egress_mode: Literal["required", "preferred", "off"] = "preferred"
    egress_domains: DomainList = DEFAULT
    egress_may_add: DomainList = ANY

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
        if settings.agent_uid == settings.checks_uid:
            raise SettingsError(
                "AGENT_UID and CHECKS_UID must differ: the agent could else steer the checks."
            )
        if settings.agent_isolation == "user" and os.geteuid() != 0:
            raise SettingsError(
                "The runner must be root to run the agent as another user. AGENT_ISOLATION=none gives that "
                "protection up: the agent can then read whatever the runner can."
            )
        return settings


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


def _explain(name: str, problem: str) -> str:
    """Name the variable but not its value, which might be a misplaced secret."""
    return f"{name.upper()} is {'missing' if problem in {'missing', 'string_too_short'} else 'not valid'}."

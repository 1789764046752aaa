"""The facts about a deployment, as they were at one moment. None of them is secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright_cli.checkup.findings import Fact, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pullwright_cli.checkup.previews import PreviewFacts
    from pullwright_cli.jira.facts import JiraFacts

_NOT_ASKED = Unknown("nothing was asked.")


@dataclass(frozen=True)
class StackFacts:
    """The stack in CloudFormation.

    Attributes:
        drift: what CloudFormation found when somebody last had it look.
        outputs: names of those that have a value.
    """

    status: str
    drift: str
    outputs: frozenset[str]
    parameters: Mapping[str, str]
    webhook_url: str


@dataclass(frozen=True)
class SecretFacts:
    """A secret, without its value.

    Attributes:
        problem: why the functions cannot use it; empty if they can.
        unconfirmed_hours: since a rotation stored it and GitHub was not told; None if there is none.
    """

    problem: str = ""
    unconfirmed_hours: float | None = None


@dataclass(frozen=True)
class AppFacts:
    """The App, as GitHub says."""

    slug: str
    permissions: Mapping[str, str]
    events: frozenset[str]
    owner: str = ""


@dataclass(frozen=True)
class HookFacts:
    """The App's webhook, as GitHub has it."""

    url: str
    content_type: str
    insecure_ssl: str


@dataclass(frozen=True)
class InstallationFacts:
    """One installation of the App."""

    account: str
    is_organization: bool
    permissions: Mapping[str, str]
    is_suspended: bool = False


@dataclass(frozen=True)
class DeliveryFacts:
    """Webhooks of the last day.

    Attributes:
        lost: those that no attempt brought to the deployment.
        refused: those among them that the webhook took for forged.
    """

    made: int
    lost: int = 0
    refused: int = 0


@dataclass(frozen=True)
class ImageFacts:
    """An image that tasks run.

    Attributes:
        name: tag or digest that the deployment runs.
        architectures: that it is built for; empty if its manifest does not say.
    """

    name: str
    exists: bool
    architectures: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """All facts.

    Attributes:
        clock_seconds: how far this machine's clock is from AWS's.
        needed_permissions: name to level, from the one list of the product.
        hosts: by name, whether it resolves here.
        dead_letters: messages that nobody could process.
        alarms: names of those that ring.
        vcpus: quota of the account for tasks at once.
        concurrency: Lambda's limit for the account.
        cage: what the last tasks found, newest first, empty strings left out.
        sweep_enabled: whether the schedule of the sweep is on.
        model_access: the model that answered a call of one token.
        price_problem: why no money limit could hold; empty if one can.
        jira: None for a deployment without Jira.
        previews: None for a deployment without them.
    """

    stack_name: str
    needed_permissions: Mapping[str, str]
    needed_events: frozenset[str]
    identity: Fact[str] = _NOT_ASKED
    region: Fact[str] = _NOT_ASKED
    clock_seconds: Fact[float] = _NOT_ASKED
    stack: Fact[StackFacts] = _NOT_ASKED
    app_secret: Fact[SecretFacts] = _NOT_ASKED
    webhook_secret: Fact[SecretFacts] = _NOT_ASKED
    model_key: Fact[SecretFacts] = _NOT_ASKED
    app: Fact[AppFacts] = _NOT_ASKED
    hook: Fact[HookFacts] = _NOT_ASKED
    installations: Fact[Sequence[InstallationFacts]] = _NOT_ASKED
    deliveries: Fact[DeliveryFacts] = _NOT_ASKED
    dead_letters: Fact[int] = _NOT_ASKED
    alarms: Fact[Sequence[str]] = _NOT_ASKED
    image: Fact[ImageFacts] = _NOT_ASKED
    price_problem: Fact[str] = _NOT_ASKED
    model_access: Fact[str] = _NOT_ASKED
    vcpus: Fact[float] = _NOT_ASKED
    concurrency: Fact[int] = _NOT_ASKED
    hosts: Fact[Mapping[str, bool]] = _NOT_ASKED
    cage: Fact[Sequence[str]] = _NOT_ASKED
    sweep_enabled: Fact[bool] = _NOT_ASKED
    jira: Fact[JiraFacts] | None = None
    previews: Fact[PreviewFacts] | None = None

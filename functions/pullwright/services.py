"""The services that a function works on sessions with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from pullwright.errors import InvalidRequest
from pullwright.settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.artifacts import Artifacts
    from pullwright.github.app import GitHubApp
    from pullwright.jira.client import JiraClient
    from pullwright.models import OpenedPullRequest
    from pullwright.store import Store

SettingsT_co = TypeVar("SettingsT_co", bound=StoreSettings, covariant=True)


def _no_jira() -> NoReturn:
    raise InvalidRequest(
        "jira: this deployment knows no Jira.",
        remedy="Ask the operator to deploy it with JiraBaseUrl.",
    )


@dataclass(frozen=True, slots=True)
class Services(Generic[SettingsT_co]):
    """GitHub, the sessions table, the artifacts bucket, and the function's own settings.

    Attributes:
        jira: returns the client, which is loaded then; raises InvalidRequest where there is no Jira.
        leave_preview: asks for the preview of a session, by its id and what it worked on; raises
            AwsUnavailable. None where no previews are set up.
    """

    app: GitHubApp
    store: Store
    artifacts: Artifacts
    settings: SettingsT_co
    jira: Callable[[], JiraClient] = _no_jira
    leave_preview: Callable[[str, OpenedPullRequest], None] | None = None

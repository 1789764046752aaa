"""The composition root: makes what the functions work with from their environment, once in a process.

The webhook has its own (`pullwright.handlers.webhook`): it starts without boto3 and pydantic.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pullwright import aws
from pullwright.artifacts import Artifacts
from pullwright.github.allowance import TableAllowance
from pullwright.github.app import GitHubApp
from pullwright.secret_values import read_app_secret, read_jira_secret
from pullwright.services import Services
from pullwright.settings import (
    GitHubSettings,
    JiraSettings,
    PreviewSettings,
    ReportOutcomeSettings,
    RoutingSettings,
    StoreSettings,
)
from pullwright.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.jira.client import JiraClient
    from pullwright.models import OpenedPullRequest
    from pullwright.previewing.services import PreviewServices

_GitHubSettingsT = TypeVar("_GitHubSettingsT", bound=GitHubSettings)
_StoreSettingsT = TypeVar("_StoreSettingsT", bound=StoreSettings)
_PreviewSettingsT = TypeVar("_PreviewSettingsT", bound=PreviewSettings)


@cache
def settings(model: type[_GitHubSettingsT]) -> _GitHubSettingsT:
    """Return a function's settings.

    Raises:
        InternalError: the function was deployed without one of them.
    """
    return model.read(os.environ)


@cache
def github_app(settings: GitHubSettings) -> GitHubApp:
    """Return the App, whose secret is read when it is needed."""
    return GitHubApp(
        settings.github_api_url,
        lambda: read_app_secret(aws.secretsmanager(), settings.github_app_secret_arn),
        allowance_of=lambda account: TableAllowance(aws.dynamodb(), settings.sessions_table, account),
    )


def store(settings: GitHubSettings) -> Store:
    """Return the sessions table."""
    return Store(aws.dynamodb(), settings.sessions_table)


@cache
def services(model: type[_StoreSettingsT]) -> Services[_StoreSettingsT]:
    """Return the services of a function that works on sessions.

    Raises:
        InternalError: the function was deployed without a setting.
    """
    values = settings(model)
    artifacts = Artifacts(aws.s3(), values.artifacts_bucket)
    made = Services(github_app(values), store(values), artifacts, values)
    if isinstance(values, JiraSettings) and values.jira_base_url:
        made = replace(made, jira=partial(jira_client, values))
    if isinstance(values, ReportOutcomeSettings) and values.preview_queue_url:
        made = replace(made, leave_preview=partial(leave_preview, values.preview_queue_url))
    return made


@cache
def preview_services(model: type[_PreviewSettingsT]) -> PreviewServices[_PreviewSettingsT]:
    """Return the services of a function that works on previews, which no other function loads.

    Raises:
        InternalError: the function was deployed without a setting.
    """
    from pullwright.previewing.services import PreviewServices  # noqa: PLC0415 - as the docstring says
    from pullwright.previewing.store import PreviewStore  # noqa: PLC0415 - as above
    from pullwright.previewing.task_log import TaskLog  # noqa: PLC0415 - as above

    values = settings(model)
    log = TaskLog(aws.logs, values.preview_log_group) if isinstance(values, RoutingSettings) else None
    store = PreviewStore(aws.dynamodb(), values.sessions_table)
    return PreviewServices(github_app(values), store, values, log)


@cache
def jira_client(settings: JiraSettings) -> JiraClient:
    """Return the client of Jira, which only sessions of Jira load."""
    from pullwright.jira.client import JiraClient  # noqa: PLC0415 - as the docstring says

    return JiraClient(
        settings.jira_base_url,
        lambda: read_jira_secret(aws.secretsmanager(), settings.jira_secret_arn),
    )


def leave_preview(queue_url: str, session_id: str, opened: OpenedPullRequest) -> None:
    """Ask the events function for the preview of a session, which few sessions leave.

    Raises:
        AwsUnavailable: SQS did not take it.
    """
    from pullwright.events.messages import QueuedPreview  # noqa: PLC0415 - as the docstring says
    from pullwright.events.queue import Queue  # noqa: PLC0415 - as above

    message = QueuedPreview(
        kind="preview",
        session=session_id,
        repository=opened.repository,
        pull_request=opened.pull_request,
        installation_id=opened.installation_id,
    )
    Queue(aws.sqs(), queue_url).send([(message, 0)])


def limit_waits(app: GitHubApp, context: Any) -> Callable[[], float]:
    """Let GitHub be waited for no longer than the function lives.

    Returns:
        The seconds that the function may still run, at each call.
    """
    app.time_left = lambda: float(context.get_remaining_time_in_millis()) / 1000
    return app.time_left

"""OpenPullRequest: the state that turns a request into a draft pull request."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from pullwright import aws, metrics, settings
from pullwright.artifacts import Artifacts
from pullwright.errors import PullwrightError
from pullwright.github.app import GitHubApp
from pullwright.log import about, logger
from pullwright.opening.open_pull_request import OpenPullRequestEvent, Tools, open_pull_request
from pullwright.secret_values import read_app_secret
from pullwright.store import Store


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Opens the pull request of one session.

    Args:
        event: an `OpenPullRequestEvent`.

    Returns:
        An `OpenedPullRequest`.

    Raises:
        PullwrightError: the session cannot begin; the state machine goes by the class's name.
    """
    parsed = OpenPullRequestEvent.model_validate(event)
    about(parsed.session_id)
    try:
        opened = open_pull_request(parsed, _tools())
    except PullwrightError as error:
        error.pack()
        raise
    metrics.count({"FirstCommentSeconds": (datetime.now(UTC) - parsed.started_at).total_seconds()})
    logger.info("opened", repository=opened.repository, pull_request=opened.pull_request)
    return opened.model_dump(mode="json")


@cache
def _tools() -> Tools:
    given = settings.open_pull_request()
    return Tools(
        app=GitHubApp(
            given.github_api_url, partial(read_app_secret, aws.secretsmanager(), given.github_app_secret_arn)
        ),
        store=Store(aws.dynamodb(), given.sessions_table),
        artifacts=Artifacts(aws.s3(), given.artifacts_bucket),
        settings=given,
    )

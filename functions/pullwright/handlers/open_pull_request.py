"""OpenPullRequest: the state that turns a request into a draft pull request."""

from datetime import UTC, datetime
from typing import Any

from pullwright import composition, metrics
from pullwright.errors import PullwrightError
from pullwright.log import about, logger
from pullwright.opening.event import OpenPullRequestEvent
from pullwright.opening.open_pull_request import open_pull_request
from pullwright.settings import OpenPullRequestSettings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Open the pull request of one session.

    Args:
        event: an `OpenPullRequestEvent`.
        context: tells how long the function may still run.

    Returns:
        An `OpenedPullRequest`.

    Raises:
        PullwrightError: the session cannot begin; the state machine goes by the class's name.
    """
    parsed = OpenPullRequestEvent.model_validate(event)
    about(parsed.session_id)
    services = composition.services(OpenPullRequestSettings)
    composition.limit_waits(services.app, context)
    try:
        opened = open_pull_request(parsed, services)
    except PullwrightError as error:
        error.pack()
        raise
    if opened.comment_id:
        metrics.count({"FirstCommentSeconds": (datetime.now(UTC) - parsed.started_at).total_seconds()})
    logger.info("opened", repository=opened.repository, pull_request=opened.pull_request)
    return opened.model_dump(mode="json")

"""OpenPullRequest: the state that turns a request into a draft pull request."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from pullwright import metrics, settings, wiring
from pullwright.errors import PullwrightError
from pullwright.log import about, logger
from pullwright.opening.open_pull_request import OpenPullRequestEvent, Tools, open_pull_request


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
    tools = _tools()
    tools.app.time_left = lambda: context.get_remaining_time_in_millis() / 1000
    try:
        opened = open_pull_request(parsed, tools)
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
        app=wiring.github_app(given),
        store=wiring.store(given),
        artifacts=wiring.artifacts(given),
        settings=given,
    )

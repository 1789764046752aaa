"""Whether sessions may begin, and what the tracking comment says before the agent starts."""

from datetime import UTC, datetime

from pullwright.errors import AwsUnavailable, SessionsPaused
from pullwright.settings import OpenPullRequestSettings
from pullwright.store import Store

_STARTS = "Getting ready: the agent starts in a moment."


def check_intake(store: Store, settings: OpenPullRequestSettings) -> None:
    """Refuse a new session where the operator lets none begin.

    Raises:
        SessionsPaused: new sessions are switched off, or the deployment is about to be removed.
    """
    if not settings.max_sessions:
        raise SessionsPaused("New sessions are switched off; running ones go on.")
    if store.is_draining(datetime.now(UTC)):
        raise SessionsPaused(
            "This deployment is about to be removed; no new session begins.",
            remedy="Ask the operator where sessions run from now on.",
        )


def first_activity(store: Store, settings: OpenPullRequestSettings, repository: str) -> str:
    """Say whether a slot is free; the state machine takes it, and the runner replaces this text."""
    most, share = settings.max_sessions, settings.max_sessions_per_repository
    try:
        if store.holders() >= most:
            # This session is one of those that are counted.
            before = max(store.queued() - 1, 0)
            others = "1 session waits" if before == 1 else f"{before or 'no'} sessions wait"
            return f"Waiting for a slot: all {most} are taken, and {others} before this one."
        if share and store.holders(repository) >= share:
            return f"Waiting: this repository has {share} sessions at work, as many as it may have at once."
    except AwsUnavailable:
        # A courtesy: admission itself will tell.
        return _STARTS
    return _STARTS

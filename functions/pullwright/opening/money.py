"""The money that a session may use, kept free of the daily limits before anything is made for it."""

from datetime import UTC, datetime

from pullwright.models import SessionRequest
from pullwright.settings import OpenPullRequestSettings
from pullwright.spending import Budget, DailyLimits
from pullwright.store import Store


def reserve(
    store: Store,
    settings: OpenPullRequestSettings,
    request: SessionRequest,
    repository: str,
    *,
    session_id: str,
) -> None:
    """Reserve a session's money.

    Args:
        repository: its current name.

    Raises:
        DailyLimit: the day has not so much left.
        EvaluationBudget: its evaluation's budget has not.
        EvaluationWaits: it may have when other sessions of it have ended.
    """
    limits = DailyLimits(settings.daily_usd, settings.daily_usd_per_repository)
    run = request.evaluation
    budget = None if run is None else Budget(run.id, run.budget_usd)
    if (limits == DailyLimits() and budget is None) or request.stub or settings.stub_sessions:
        return
    usd = request.limits.usd or settings.limit_usd
    now = datetime.now(UTC)
    store.spending.reserve(session_id, usd, limits, repository=repository, now=now, budget=budget)

"""What the broker gives a preview's task: its plan, a token that reads, and the repository's variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.brokering.models import PreviewGrant
from pullwright.errors import AwsUnavailable, SessionClosed
from pullwright.log import hide
from runner.broker import PATIENCE_SECONDS

if TYPE_CHECKING:
    from runner.broker import Broker


def ask_for_preview(broker: Broker, preview_id: str) -> PreviewGrant:
    """Ask once: a preview needs its token to bring its commit, and never again.

    Raises:
        SessionClosed: the preview is over, or is not this task's.
        TaskStopped: the task was stopped meanwhile.
        PullwrightError: the broker gave nothing.
    """
    try:
        grant = PreviewGrant.model_validate(broker.answer(PATIENCE_SECONDS))
    except ValueError:
        # Its own text would repeat the answer, which holds a token.
        raise AwsUnavailable("The broker's answer is not what this task knows.") from None
    hide(grant.github_token, *grant.variables.values())
    if grant.plan.preview_id != preview_id:
        raise SessionClosed("The broker says that this task runs another preview.")
    return grant

"""Tells people why the label that they added started no worker."""

from pullwright.comments import HINT_MARKER, render_hint
from pullwright.errors import FailureClass, PullwrightError
from pullwright.events.messages import QueuedHint
from pullwright.github.app import GitHubApp
from pullwright.github.permissions import OPENING
from pullwright.opening.people import People


def hint(message: QueuedHint, app: GitHubApp) -> str:
    """Write or rewrite the one comment that says why nothing started. Safe to repeat.

    Returns:
        What came of it, for the log.

    Raises:
        PullwrightError: GitHub did not answer; to be asked again.
    """
    try:
        client = app.client(message.repository, OPENING, message.installation_id)
        if not People(client, message.repository, allowed_apps="").may_write(message.login):
            return "The person may not write to the repository, and is told nothing."
        text = render_hint(message.label, message.reasons)
        for comment in client.comments(message.repository, message.number):
            if comment.is_by(app.bot_id(client), HINT_MARKER):
                if comment.body != text:
                    client.update_comment(message.repository, comment.id, text)
                return "The person is told why nothing started."
        client.create_comment(message.repository, message.number, text)
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Asking again changes nothing: the App or the issue is gone.
            return f"Nobody was told: {error.sentence}"
        raise
    return "The person is told why nothing started."

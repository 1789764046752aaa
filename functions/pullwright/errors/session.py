"""What was asked for, and who called it off."""

from pullwright.errors.base import PullwrightError, _TransientError, _UserError


class NotAllowed(_UserError):
    """The sender has no write permission."""

    default_remedy = "Ask somebody with write permission to the repository to start it."


class AlreadyRunning(_UserError):
    """Another session works on the same branch."""

    default_remedy = "Wait until the running session has ended."


class BranchBusy(_TransientError):
    """Another session works on the same branch; this one waits for it."""


class TakenAlong(_UserError):
    """Another session took this request along; this one ends well and reports nothing."""

    default_remedy = "Look at the pull request: the other session reports there."


class NotAddressed(_UserError):
    """What looked like a request is none, such as a mention in a quotation; nothing is reported."""

    default_remedy = "Mention the App outside of code and quotations."


class TooManyInARow(_UserError):
    """Apps have asked for several sessions one after the other, which may be a circle."""

    default_remedy = "A person can ask for the next one, by a mention, a label or `/retry`."


class ChecksOutdated(_UserError):
    """The pull request has another head than the one whose checks failed; nothing is reported."""

    default_remedy = "Look at the checks of the newer commit: they start a session of their own."


class CommentDeleted(_UserError):
    """The comment or review that asked was deleted before its session began."""

    default_remedy = "Write a new comment."


class CommentEdited(_UserError):
    """The comment or review that asked was edited before its session began."""

    default_remedy = "Write a new comment: what counts is the text that stood there when it was written."


class SessionStopped(_UserError):
    """Somebody stopped the session."""

    default_remedy = "Start it again to go on from the last push."


class LabelRemoved(_UserError):
    """The label that asked for the session was taken off the issue."""

    default_remedy = "Add the label again to go on from the last push."


class SessionClosed(PullwrightError):
    """The session is over, or another task runs it: whoever asks has no business in it."""

    exit_code = 4

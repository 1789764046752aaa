"""Releases held CI: an empty commit on the branch lets the repository's workflows run."""

from dataclasses import dataclass
from datetime import datetime

from pullwright.comments import (
    HOLD_BEGIN,
    RELEASE_MARKER,
    render_not_released,
    render_released,
    render_released_after_all,
)
from pullwright.errors import FailureClass, PullwrightError
from pullwright.events.messages import QueuedRelease
from pullwright.github import GitHubClient
from pullwright.github.app import GitHubApp
from pullwright.github.holding import is_held
from pullwright.github.payloads import Comment, PullRequest
from pullwright.github.permissions import OPENING
from pullwright.github.refusals import ref_refusal
from pullwright.log import logger
from pullwright.opening.ours import is_ours
from pullwright.opening.people import People
from pullwright.store import Store
from pullwright.table import lock_key

_SHORT = 12


def release_message(login: str, commit: str) -> str:
    """Return the message of the commit that ends a hold."""
    return (
        "Run CI on this work\n\n"
        f"{login} has read it up to {commit[:_SHORT]} and released its workflows. This commit\n"
        "changes no file.\n"
    )


def release(asked: QueuedRelease, app: GitHubApp, store: Store) -> str:
    """Release held CI, if the person may write and has seen the work. Safe to repeat.

    Returns:
        What came of it, for the log.

    Raises:
        PullwrightError: GitHub or AWS did not answer; to be asked again.
    """
    try:
        client = app.client(asked.repository, OPENING, asked.installation_id)
        return _Release(asked, app, store, client).run()
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Asking again changes nothing: the App or the pull request is gone.
            return f"Nothing was released: {error.sentence}"
        raise


@dataclass(frozen=True, slots=True)
class _Release:
    asked: QueuedRelease
    app: GitHubApp
    store: Store
    client: GitHubClient

    def run(self) -> str:
        asked, client = self.asked, self.client
        pull = client.get_pull_request(asked.repository, asked.pull_request)
        if pull.state != "open" or not is_ours(pull, asked.repository, self.app, self.store, client):
            return "The pull request is not open, or no session has worked on it."
        if not People(client, asked.repository, allowed_apps="").may_write(asked.login):
            self._react("-1")
            return "The person may not write to the repository."
        head = client.get_commit(asked.repository, pull.head.sha)
        if not is_held(head.message):
            self._react("+1")
            return "Nothing is held."
        if (reason := self._not_seen(pull, head.committer.date)) is not None:
            return self._answer(pull, reason)
        message = release_message(asked.login, head.sha)
        commit = client.create_commit(asked.repository, tree=head.tree.sha, parent=head.sha, message=message)
        refusal = client.forward_branch(asked.repository, pull.head.ref, commit)
        if refusal is not None:
            return self._refused(pull, refusal)
        self._tell(pull)
        self._react("rocket")
        return "CI was released."

    def _refused(self, pull: PullRequest, refusal: str) -> str:
        """Find out why the branch was not moved: the same delivery, or a person, may have been faster."""
        stands = self.client.find_branch(self.asked.repository, pull.head.ref)
        if stands is not None and stands != pull.head.sha:
            return "The branch has moved meanwhile."
        return self._answer(pull, ref_refusal(pull.head.ref, refusal).sentence)

    def _not_seen(self, pull: PullRequest, committed_at: datetime) -> str | None:
        """Return why this person cannot have read the latest work; None if they can."""
        asked = self.asked
        is_other = asked.commit is not None and asked.commit != pull.head.sha
        if is_other or (asked.asked_at is not None and committed_at > asked.asked_at):
            return "New work came after you had read it. Read it too, then comment `/ci` again."
        repository = pull.head.repo.full_name if pull.head.repo is not None else asked.repository
        if self.store.lock_owner(lock_key(repository, pull.head.ref)) is not None:
            return "A session works on this branch. When it has ended, read its work and comment `/ci` again."
        return None

    def _answer(self, pull: PullRequest, reason: str) -> str:
        """Say on the pull request why nothing was released, always in the same comment."""
        text = render_not_released(reason)
        earlier = next(
            (comment for comment in self._comments(pull) if self._is_ours(comment, RELEASE_MARKER)), None
        )
        if earlier is None or not self.client.update_comment(self.asked.repository, earlier.id, text):
            self.client.create_comment(self.asked.repository, pull.number, text)
        self._react("confused")
        return f"Nothing was released: {reason}"

    def _tell(self, pull: PullRequest) -> None:
        """Say in our own comments that CI was released, and by whom; failing to is not an error."""
        try:
            for comment in self._comments(pull):
                text = comment.body or ""
                if self._is_ours(comment, RELEASE_MARKER):
                    new = render_released_after_all(self.asked.login)
                elif HOLD_BEGIN in text and self._is_ours(comment, ""):
                    new = render_released(text, self.asked.login)
                else:
                    continue
                if new != text:
                    self.client.update_comment(self.asked.repository, comment.id, new)
        except PullwrightError as error:
            logger.warning("our comments could not be updated", error=error.sentence)

    def _comments(self, pull: PullRequest) -> list[Comment]:
        return self.client.comments(self.asked.repository, pull.number)

    def _is_ours(self, comment: Comment, marker: str) -> bool:
        return comment.is_by(self.app.bot_id(self.client), marker)

    def _react(self, content: str) -> None:
        if self.asked.comment_id is None:
            return
        try:
            self.client.react_to_comment(self.asked.repository, self.asked.comment_id, content)
        except PullwrightError as error:
            # A courtesy: whoever asked may have deleted the comment.
            logger.warning("the comment could not be reacted to", error=error.sentence)

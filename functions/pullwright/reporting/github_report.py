"""Reports the outcome on GitHub: on the pull request if there is one, else on the issue."""

from collections.abc import Mapping
from dataclasses import dataclass

from pullwright.comments import REFUSAL_MARKER, TRACKING_MARKER, render_refusal
from pullwright.errors import (
    AppNotInstalled,
    ConversationLocked,
    IssueNotFound,
    IssuesDisabled,
    OwnerNotAllowed,
    PullRequestNotFound,
    PullwrightError,
    RepositoryArchived,
    RepositoryNotFound,
)
from pullwright.github import GitHubClient
from pullwright.github.app import GitHubApp
from pullwright.github.payloads import CheckRun
from pullwright.github.permissions import REVIEW, WORK
from pullwright.log import logger
from pullwright.models import AgentRequest, Failure
from pullwright.owners import is_allowed
from pullwright.reporting.place import Place
from pullwright.reporting.threads import answer_threads
from pullwright.results import AgentResult
from pullwright.reviewing.models import Findings
from pullwright.reviewing.posting import Posted, Posting

_CHECKS: Mapping[str, str] = {"checks": "write"}
_ON_ISSUE: Mapping[str, str] = {"issues": "write"}
# There nothing can be written, now or later.
_NOWHERE = (
    AppNotInstalled,
    RepositoryNotFound,
    RepositoryArchived,
    IssueNotFound,
    IssuesDisabled,
    PullRequestNotFound,
    OwnerNotAllowed,
)


@dataclass(frozen=True, slots=True)
class GitHubReport:
    """Reports to one place.

    Attributes:
        allowed_owners: the parameter `AllowedOwners`.
    """

    app: GitHubApp
    place: Place
    allowed_owners: str

    def answer(self, request: AgentRequest, result: AgentResult) -> bool:
        """Answer the threads that the session was asked about; False if it has to be done again later."""
        try:
            answer_threads(self.app, request, result.answers, self.place.installation_id)
        except _NOWHERE as error:
            return _gone(error)
        except PullwrightError as error:
            return _later(error)
        return True

    def review(self, request: AgentRequest, findings: Findings) -> Posted | None:
        """Put what the agent has found onto the pull request; None if it has to be done again later."""
        try:
            return Posting(self.app, request, findings, self.place.installation_id).post()
        except _NOWHERE as error:
            _gone(error)
            return Posted()
        except PullwrightError as error:
            _later(error)
            return None

    def comment(self, text: str, marker: str) -> bool:
        """Put the outcome of a session that only comments into its comment.

        Args:
            marker: what that begins with.

        Returns:
            False if it has to be done again later.
        """
        number = self.place.pull_request
        if number is None:
            return True
        try:
            self._write(self._client(REVIEW), number, text, marker, self.place.comment_id)
        except _NOWHERE as error:
            return _gone(error)
        except PullwrightError as error:
            return _later(error)
        return True

    def finish(self, text: str, *, is_ready: bool) -> bool:
        """Put the outcome into the tracking comment, and take the pull request out of draft.

        Returns:
            False if it has to be done again later.
        """
        number = self.place.pull_request
        if number is None:
            return True
        try:
            client = self._client(WORK)
            # Ready first: the comment says so.
            done = not is_ready or self._mark_ready(client, number)
            self._write(client, number, text, TRACKING_MARKER, self.place.comment_id)
        except _NOWHERE as error:
            return _gone(error)
        except PullwrightError as error:
            return _later(error)
        return done

    def check(self, check: CheckRun) -> None:
        """Put a check run on the commit, with a token of its own.

        An installation that has not granted `checks` shows the same in the comment: no reason to fail. The
        commit is the runner's word: on any other than the branch's head, a success would be somebody else's.
        """
        branch = self.place.branch
        try:
            client = self._client(WORK)
            if branch is None or client.find_branch(self.place.repository, branch) != check.head_sha:
                logger.warning("the checked commit is not the branch's", commit=check.head_sha)
                return
            self._client(_CHECKS).put_check_run(self.place.repository, check)
        except PullwrightError as error:
            logger.warning("there is no check run", error=error.sentence)

    def refuse(self, failure: Failure) -> bool:
        """Say on the issue why there is no pull request; False if it has to be done again later.

        Strangers are told nothing, whatever it was: neither that anybody is here, nor what went wrong.
        """
        if self.place.number is None or failure.error in {error.__name__ for error in _NOWHERE}:
            return True
        try:
            if not is_allowed(self.place.repository, self.allowed_owners or self.app.owner()):
                return True
            text = render_refusal(failure)
            self._write(self._client(_ON_ISSUE), self.place.number, text, REFUSAL_MARKER, None)
        except (*_NOWHERE, ConversationLocked) as error:
            return _gone(error)
        except PullwrightError as error:
            return _later(error)
        return True

    def _client(self, permissions: Mapping[str, str]) -> GitHubClient:
        return self.app.client(self.place.repository, permissions, self.place.installation_id)

    def _mark_ready(self, client: GitHubClient, number: int) -> bool:
        try:
            pull = client.get_pull_request(self.place.repository, number)
            if pull.draft and pull.state == "open":
                client.mark_ready(pull)
        except PullwrightError as error:
            return _later(error)
        return True

    def _write(
        self, client: GitHubClient, number: int, text: str, marker: str, comment_id: int | None
    ) -> None:
        """Rewrite our comment; write it if it was deleted or there is none."""
        repository = self.place.repository
        if comment_id and client.update_comment(repository, comment_id, text):
            return
        bot_id = self.app.bot_id(client)
        for comment in client.comments(repository, number):
            # Whoever asks for the same in vain again and again has nobody hear of the edits.
            if comment.is_by(bot_id, marker) and (
                comment.body == text or client.update_comment(repository, comment.id, text)
            ):
                return
        client.create_comment(repository, number, text)


def _gone(error: PullwrightError) -> bool:
    logger.info("there is no place on GitHub to report to", error=error.sentence)
    return True


def _later(error: PullwrightError) -> bool:
    logger.warning("GitHub did not take the report", error=error.sentence)
    return False

"""GitHub, as the home of a session's repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.github.allowance import TableAllowance
from pullwright.github.budget import Room
from pullwright.github.client import GitHubClient
from pullwright.github.fresh import Fresh
from pullwright.github.pace import Pace
from runner.clock import CLOCK
from runner.git.landing import Landing as GitHubLanding
from runner.git.pinned import LocalLanding, PinnedRemote
from runner.git.remote import Access, Remote
from runner.hosting import Comment

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from pullwright.github.pace import Purpose
    from pullwright.models import AgentRequest
    from runner.broker import Grants
    from runner.clock import Clock
    from runner.hosting import Landing

# So long is a rate limit waited for when the work is done and only has to come onto the branch.
_LANDING_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class GitHubHost:
    """See `runner.hosting.Host`.

    Attributes:
        table: where the allowances of installations stand.
    """

    api_url: str
    grants: Grants
    dynamodb: DynamoDBClient
    table: str
    clock: Clock = CLOCK

    @property
    def is_shared(self) -> bool:
        """See `Host`."""
        return True

    @property
    def model_api_key(self) -> str | None:
        """See `Host`."""
        return self.grants.current().model_api_key

    def remote(self, request: AgentRequest, should_stop: Callable[[], bool]) -> Remote:
        """See `Host`; what only comments reads the base branch, what is evaluated one commit."""
        grants = self.grants
        access: Access = {
            "forget": grants.forget_github_token,
            "token_age": grants.github_token_age,
            "sleep": self.clock.sleep,
            "should_stop": should_stop,
        }
        if request.evaluation is not None:
            commit = request.head_commit or ""
            return PinnedRemote(request.git_url, request.branch, commit, grants.github_token, **access)
        branch = request.base if request.only_comments else request.branch
        return Remote(request.git_url, branch, grants.github_token, **access)

    def landing(self, request: AgentRequest, remote: Remote) -> Landing:
        """See `Host`; GitHub makes the commit and signs it, except for an evaluation."""
        if isinstance(remote, PinnedRemote):
            return LocalLanding(remote, request.author)
        github = self._client(request.repository, Room.ENDING, _LANDING_PATIENCE_SECONDS)
        return GitHubLanding(github, request.repository, request.branch, self.clock.sleep)

    def comment(self, request: AgentRequest) -> Comment:
        """See `Host`; the log alone if the session's token cannot write."""
        # Whoever edits it waits for a limit himself, and then shows what is new by then.
        github = self._client(request.repository, Room.PROGRESS, 0.0)
        return Comment(
            lambda body: (
                request.only_reads or github.update_comment(request.repository, request.comment_id, body)
            ),
            github.pace.stretch,
        )

    def _client(self, repository: str, purpose: Purpose, patience: float) -> GitHubClient:
        """Return a client.

        Args:
            patience: for how many seconds its calls may wait for rate limits.
        """
        grants = self.grants
        return GitHubClient(
            self.api_url,
            grants.github_token,
            forget_token=grants.forget_github_token,
            patience=patience,
            fresh=Fresh(grants.github_token_age),
            pace=Pace(
                TableAllowance(self.dynamodb, self.table, repository.partition("/")[0]),
                purpose=purpose,
                sleep=self.clock.sleep,
            ),
            sleep=self.clock.sleep,
        )

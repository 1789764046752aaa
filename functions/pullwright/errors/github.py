"""What GitHub says of repository, issue, branch or pull request, or does not say."""

from pullwright.errors.base import PullwrightError, _TransientError, _UserError


class AppNotInstalled(_UserError):
    """The GitHub App does not reach the repository."""

    default_remedy = "Install the GitHub App on the repository."


class PermissionMissing(_UserError):
    """The installation's token lacks a permission."""

    default_remedy = "Accept the App's permissions in the installation's settings."


class RepositoryNotFound(_UserError):
    """No such repository, or not visible to the App."""

    default_remedy = "Check the repository's name and that the App is installed on it."


class RepositoryArchived(_UserError):
    """The repository is read-only."""

    exit_code = 12
    default_remedy = "Unarchive the repository."


class RepositoryEmpty(_UserError):
    """The repository has no commit yet."""

    default_remedy = "Push a first commit."


class BaseBranchNotFound(_UserError):
    """The base branch does not exist."""

    default_remedy = "Name an existing branch as base."


class HistoryRefused(_UserError):
    """Git refuses an object of the repository's history as dangerous."""

    default_remedy = "Find the object with `git fsck` in a clone, and rewrite the history without it."


class IssuesDisabled(_UserError):
    """The repository has no issues."""

    default_remedy = "Turn Issues on in the repository's settings, or start a session with a prompt instead."


class PullRequestsDisabled(_UserError):
    """The repository takes no pull requests."""

    default_remedy = "Turn pull requests on in the repository's settings, then start it again."


class ConversationLocked(_UserError):
    """The conversation takes no comment of the App."""

    default_remedy = "Unlock the conversation, then start it again."


class IssueNotFound(_UserError):
    """No such issue."""

    default_remedy = "Check the issue's number."


class IssueClosed(_UserError):
    """The issue is closed."""

    default_remedy = "Reopen the issue and add the label again."


class IssueWithoutText(_UserError):
    """The issue has no description to work from."""

    default_remedy = "Describe in the issue what is wanted and add the label again."


class IssueEdited(_UserError):
    """The issue's text is not what stood there when the session was asked for."""

    default_remedy = "Read the issue as it stands now and add the label again."


class BranchNotOurs(_UserError):
    """The branch exists and holds other people's work."""

    default_remedy = "Rename or delete that branch, then start it again."


class BranchProtected(_UserError):
    """The repository's rules refuse our branch."""

    exit_code = 12
    default_remedy = (
        "Allow the App to create and push branches named claude/*: leave them out of the rule, or let the "
        "App bypass it."
    )


class PullRequestNotFound(_UserError):
    """No such pull request, or its branch is in another repository."""

    default_remedy = "Check the pull request's number; its branch must be in the same repository."


class ForkGone(_UserError):
    """The repository that the pull request comes from was deleted."""

    default_remedy = "Open a new pull request from a repository that exists."


class PullRequestClosed(_UserError):
    """The pull request of the branch was closed."""

    default_remedy = "Reopen the pull request, or delete its branch to begin anew, then start it again."


class PushRefused(_UserError):
    """GitHub refused the push, for example of workflow files or to a protected branch."""

    exit_code = 12
    default_remedy = "Read the reason; protected branches and workflow files are out of the App's reach."


class GitHubUnavailable(_TransientError):
    """GitHub did not answer, or with a 5xx."""


class GitHubRateLimited(_TransientError):
    """GitHub's rate limit is used up.

    Args:
        retry_after: seconds until GitHub will answer again.
        was_asked: whether GitHub refused; False if it was not even asked, because it is too early.
    """

    def __init__(
        self,
        sentence: str,
        *,
        retry_after: float = 60.0,
        is_named: bool = True,
        was_asked: bool = True,
        remedy: str | None = None,
    ) -> None:
        super().__init__(sentence, remedy=remedy)
        self.retry_after = retry_after
        self.is_named = is_named
        self.was_asked = was_asked


class GitHubRefused(PullwrightError):
    """GitHub refused a request for a reason that has no class of its own."""

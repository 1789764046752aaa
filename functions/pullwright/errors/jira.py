"""What Jira says of issue and account, or does not say."""

from pullwright.errors.base import PullwrightError, _TransientError, _UserError


class JiraIssueNotFound(_UserError):
    """No such issue in Jira, or the account of this Pullwright does not see it."""

    default_remedy = "Check the issue's key, and that the account of this Pullwright may browse its project."


class JiraUnavailable(_TransientError):
    """Jira did not answer, or with a 5xx."""


class JiraRateLimited(_TransientError):
    """Jira's rate limit is used up.

    Args:
        retry_after: seconds until Jira will answer again.
    """

    def __init__(self, sentence: str, *, retry_after: float = 60.0, remedy: str | None = None) -> None:
        super().__init__(sentence, remedy=remedy)
        self.retry_after = retry_after


class JiraRefused(PullwrightError):
    """Jira refused a request, for example because the API token has expired."""

    default_remedy = "Ask the operator to run `pullwright jira test`."

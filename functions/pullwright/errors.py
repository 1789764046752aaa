"""Every way a session can fail, as one tree.

The state machine matches class names (`ErrorEquals`), so a name is a public contract. Each class carries
its failure class, a default remedy and the exit code with which the runner ends; the sentence comes with the
raise. The standard library is all that it needs: the webhook imports it too.

PullwrightError
├── InvalidRequest            the execution's input is wrong; so are deliveries that the webhook refuses
├── DeploymentInvalid         the stack's parameters contradict each other
├── ModelPriceUnknown         nobody says what the model costs
├── NotAllowed                the sender may not write to the repository
├── OwnerNotAllowed           this deployment does not work for the repository
├── AppNotInstalled           the GitHub App does not reach the repository
├── PermissionMissing         the installation lacks a permission
├── RepositoryNotFound, RepositoryArchived, RepositoryEmpty, BaseBranchNotFound
├── HistoryRefused            git refuses an object of the repository's history
├── IssuesDisabled, PullRequestsDisabled, ConversationLocked
├── IssueNotFound, IssueClosed, IssueWithoutText, IssueEdited
├── BranchNotOurs, BranchProtected, PullRequestNotFound, PullRequestClosed
├── AlreadyRunning            a trigger met work in progress on its branch
├── BranchBusy                a follow-up met work in progress; it waits
├── GitHubUnavailable, GitHubRateLimited, GitHubRefused
├── AwsUnavailable            an AWS call failed for good
├── NoCapacity                no slot came free in time
├── SessionsPaused            the operator takes no new work
├── DailyLimit                the day's money is used up or kept for others
├── TaskNotStarted, ImagePullFailed, TaskStopped, SpotInterrupted, OutOfMemory, TaskLost
├── SessionStopped            somebody stopped the session
├── LabelRemoved              the label that asked for it was taken away
├── SessionClosed             the session is over, or another task runs it
├── AgentFailed, AgentStuck, NothingUsable, PushRefused
├── ModelUnavailable, ModelRefused
├── ModelFormMissing, ModelNotSubscribed, ModelAccessPending, ModelNotAllowed, ModelNotOffered
├── ModelQuotaUsedUp, ModelKeyInvalid, ModelCreditMissing
├── MoneyLimit, TurnLimit, TimeLimit, DiskLimit
└── InternalError             a defect of ours
"""

import json
from enum import StrEnum
from typing import Any, ClassVar, Self

_LONGEST = 1_000


class FailureClass(StrEnum):
    """Whose turn it is after a failure."""

    USER = "user"
    TRANSIENT = "transient"
    SERVICE = "service"
    AGENT = "agent"
    LIMIT = "limit"


class PullwrightError(Exception):
    """Base of all failures.

    Args:
        sentence: what happened, one plain sentence for the person on GitHub.
        remedy: what they can do; the class has a default.
    """

    failure_class: ClassVar[FailureClass] = FailureClass.SERVICE
    exit_code: ClassVar[int] = 3
    default_remedy: ClassVar[str] = "Try again; if it happens again, ask whoever operates this Pullwright."

    def __init__(self, sentence: str, *, remedy: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy if remedy is not None else self.default_remedy

    @classmethod
    def unpacked(cls, text: str) -> Self:
        """Return the error that was packed into a text; any other text is the sentence alone."""
        try:
            packed: Any = json.loads(text)
        except ValueError:
            packed = None
        if not isinstance(packed, dict) or set(packed) != {"sentence", "remedy"}:
            return cls(text[:_LONGEST])
        return cls(str(packed["sentence"])[:_LONGEST], remedy=str(packed["remedy"])[:_LONGEST])

    def pack(self) -> None:
        """Put a remedy that is not the class's own into the text: of an exception, Lambda passes on no more.

        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
        """
        if self.remedy != self.default_remedy:
            told = {"sentence": self.sentence, "remedy": self.remedy}
            self.args = (json.dumps(told, ensure_ascii=False),)


class _UserError(PullwrightError):
    failure_class = FailureClass.USER


class _TransientError(PullwrightError):
    failure_class = FailureClass.TRANSIENT
    default_remedy = "Start it again in a few minutes."


class _AgentError(PullwrightError):
    failure_class = FailureClass.AGENT
    default_remedy = "Say more in the issue about what is wanted, then start it again."


class _LimitError(PullwrightError):
    failure_class = FailureClass.LIMIT
    default_remedy = "Raise the limit for this session or make the task smaller, then start it again."


class InvalidRequest(_UserError):
    """The execution's input is wrong; the sentence names the field."""

    default_remedy = "Correct the named field and start it again."


class DeploymentInvalid(PullwrightError):
    """The stack's parameters contradict each other, in a way that CloudFormation cannot check."""

    default_remedy = "Whoever operates this Pullwright corrects the named parameters and deploys again."


class ModelPriceUnknown(PullwrightError):
    """Nobody says what the model costs, so no money limit could hold."""

    default_remedy = (
        "Choose a Claude model with a published price, or whoever operates this Pullwright gives its price "
        "in the stack's parameter ModelPrices."
    )


class NotAllowed(_UserError):
    """The sender has no write permission."""

    default_remedy = "Ask somebody with write permission to the repository to start it."


class OwnerNotAllowed(_UserError):
    """The repository is none that this deployment works for; that stands in the record alone."""

    default_remedy = "Whoever operates this Pullwright adds the owner to the stack's AllowedOwners parameter."


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


class IssuesDisabled(_UserError):
    """The repository has no issues."""

    default_remedy = "Turn Issues on in the repository's settings, or start a session with a prompt instead."


class PullRequestsDisabled(_UserError):
    """The repository takes no pull requests."""

    default_remedy = "Turn pull requests on in the repository's settings, then start it again."


class ConversationLocked(_UserError):
    """The conversation takes no comment of the App."""

    default_remedy = "Unlock the conversation, then start it again."


class RepositoryEmpty(_UserError):
    """The repository has no commit yet."""

    default_remedy = "Push a first commit."


class HistoryRefused(_UserError):
    """Git refuses an object of the repository's history as dangerous."""

    default_remedy = "Find the object with `git fsck` in a clone, and rewrite the history without it."


class BaseBranchNotFound(_UserError):
    """The base branch does not exist."""

    default_remedy = "Name an existing branch as base."


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


class PullRequestClosed(_UserError):
    """The pull request of the branch was closed."""

    default_remedy = "Reopen the pull request, or delete its branch to begin anew, then start it again."


class AlreadyRunning(_UserError):
    """Another session works on the same branch."""

    default_remedy = "Wait until the running session has ended."


class BranchBusy(_TransientError):
    """Another session works on the same branch; this one waits for it."""


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


class AwsUnavailable(_TransientError):
    """An AWS call failed after its retries."""


class NoCapacity(_LimitError):
    """No slot came free in time, or Fargate had no room."""

    default_remedy = "Start it again later, or raise the stack's limit of concurrent sessions."


class SessionsPaused(_LimitError):
    """New sessions are switched off: `MaxConcurrentSessions` is 0."""

    default_remedy = (
        "Start it again when whoever operates this Pullwright has set MaxConcurrentSessions above 0."
    )


class DailyLimit(_LimitError):
    """The day's money, of the deployment or of the repository, leaves no room for the session."""

    default_remedy = "Start it again after 00:00 UTC."


class TaskNotStarted(PullwrightError):
    """ECS could not start the task, for example because the image could not be pulled."""

    default_remedy = "Whoever operates this Pullwright finds the reason in the stopped task."


class ImagePullFailed(PullwrightError):
    """ECS could not pull the agent's image."""

    default_remedy = "Whoever operates this Pullwright pushes the agent's image, then start it again."


class SessionStopped(_UserError):
    """Somebody stopped the session."""

    default_remedy = "Start it again to go on from the last push."


class LabelRemoved(_UserError):
    """The label that asked for the session was taken off the issue."""

    default_remedy = "Add the label again to go on from the last push."


class SpotInterrupted(_TransientError):
    """AWS took spare capacity back more often than a session survives, or after its time."""

    default_remedy = "Start it again to go on from the last checkpoint."


class TaskStopped(PullwrightError):
    """Somebody or something stopped the task."""

    exit_code = 143
    default_remedy = "Start it again to go on from the last push."


class OutOfMemory(_LimitError):
    """The task was killed for want of memory."""

    default_remedy = "Raise the stack's TaskMemory parameter, then start it again."


class TaskLost(PullwrightError):
    """The task ended without a result."""

    default_remedy = "Start it again to go on from the last push."


class SessionClosed(PullwrightError):
    """The session is over, or another task runs it: whoever asks has no business in it."""

    exit_code = 4


class AgentFailed(_AgentError):
    """Claude Code ended with an error."""

    exit_code = 10


class AgentStuck(_AgentError):
    """Claude Code got nowhere: the same call failed again and again, or nothing happened for long."""

    exit_code = 18
    default_remedy = "See in the transcript where it got stuck, say more in the issue, then start it again."


class NothingUsable(_AgentError):
    """Claude Code ended well but was denied what it needed, and changed nothing."""

    exit_code = 11


class PushRefused(_UserError):
    """GitHub refused the push, for example of workflow files or to a protected branch."""

    exit_code = 12
    default_remedy = "Read the reason; protected branches and workflow files are out of the App's reach."


class ModelUnavailable(_TransientError):
    """The model's service failed or was overloaded."""

    exit_code = 13


class ModelRefused(PullwrightError):
    """The model's service refused us: access or credentials are missing."""

    exit_code = 14
    default_remedy = "Whoever operates this Pullwright enables access to the model."


class ModelFormMissing(PullwrightError):
    """Anthropic's use-case form was never filled in for the AWS account."""

    exit_code = 14
    default_remedy = (
        "Whoever operates this Pullwright fills in Anthropic's use-case form in the Bedrock console; start "
        "it again 15 minutes later."
    )


class ModelNotSubscribed(PullwrightError):
    """The AWS account has no subscription for the model."""

    exit_code = 14
    default_remedy = (
        "Whoever operates this Pullwright calls the model once as somebody who may subscribe on AWS "
        "Marketplace, with a valid means of payment in the account; start it again 15 minutes later."
    )


class ModelAccessPending(_TransientError):
    """AWS is still working on the subscription for the model."""

    exit_code = 13
    default_remedy = "Start it again in 15 minutes."


class ModelNotAllowed(PullwrightError):
    """IAM forbids the task to call the model."""

    exit_code = 14
    default_remedy = (
        "Whoever operates this Pullwright adds the model and its inference profile to AdditionalModelArns, "
        "or looks for an organisation's policy that forbids it."
    )


class ModelNotOffered(PullwrightError):
    """There is no such model, or not in this region or in this form."""

    exit_code = 14
    default_remedy = (
        "Whoever operates this Pullwright sets ModelId to a model that its provider offers in the region."
    )


class ModelQuotaUsedUp(_LimitError):
    """The account's quota for the model is used up, or zero as in new accounts."""

    exit_code = 13
    default_remedy = (
        "Start it again tomorrow. Whoever operates this Pullwright asks Service Quotas for more tokens a day."
    )


class ModelKeyInvalid(PullwrightError):
    """Anthropic does not accept the API key."""

    exit_code = 14
    default_remedy = "Whoever operates this Pullwright stores a valid key in the secret ModelKeySecretArn."


class ModelCreditMissing(PullwrightError):
    """The Anthropic account has no credit."""

    exit_code = 14
    default_remedy = "Whoever operates this Pullwright buys credit in the Anthropic Console."


class MoneyLimit(_LimitError):
    """The session's money is used up."""

    exit_code = 15


class TurnLimit(_LimitError):
    """The session's turns are used up."""

    exit_code = 16


class TimeLimit(_LimitError):
    """The session's time is used up."""

    exit_code = 17


class DiskLimit(_LimitError):
    """The task's disk is full."""

    exit_code = 19
    default_remedy = "Ask for less at once, or for a task with more ephemeral storage."


class InternalError(PullwrightError):
    """A defect of ours."""

    exit_code = 1


def error_class(name: str) -> type[PullwrightError] | None:
    """Return the class of our errors that has a name; None for names of others."""
    found = None if name.startswith("_") else globals().get(name)
    if isinstance(found, type) and issubclass(found, PullwrightError) and found is not PullwrightError:
        return found
    return None

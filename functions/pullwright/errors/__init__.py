"""Every way a session can fail, as one tree; each module has those that arise in one place.

The state machine matches class names (`ErrorEquals`), so a name is a public contract. Each class carries
its failure class, a default remedy and the exit code with which the runner ends; the sentence comes with the
raise. The standard library is all that it needs: the webhook imports it too.

PullwrightError
├── session       what was asked for, and who called it off
│   ├── InvalidRequest        the execution's input is wrong; so are deliveries that the webhook refuses
│   ├── NotAllowed            the sender may not write to the repository
│   ├── AlreadyRunning        a trigger met work in progress on its branch
│   ├── BranchBusy            a follow-up met work in progress; it waits
│   ├── SessionStopped        somebody stopped the session
│   ├── LabelRemoved          the label that asked for it was taken away
│   └── SessionClosed         the session is over, or another task runs it
├── github        what GitHub says of repository, issue, branch or pull request
│   ├── AppNotInstalled, PermissionMissing, ConversationLocked
│   ├── RepositoryNotFound, RepositoryArchived, RepositoryEmpty, BaseBranchNotFound
│   ├── HistoryRefused        git refuses an object of the repository's history
│   ├── IssuesDisabled, IssueNotFound, IssueClosed, IssueWithoutText, IssueEdited
│   ├── BranchNotOurs, BranchProtected, PushRefused
│   ├── PullRequestsDisabled, PullRequestNotFound, PullRequestClosed
│   └── GitHubUnavailable, GitHubRateLimited, GitHubRefused
├── deployment    the stack: its parameters, its room, AWS, our own defects
│   ├── DeploymentInvalid     the stack's parameters contradict each other
│   ├── OwnerNotAllowed       this deployment does not work for the repository
│   ├── NoCapacity            no slot came free in time
│   ├── SessionsPaused        the operator takes no new work
│   ├── DailyLimit            the day's money is used up or kept for others
│   ├── AwsUnavailable        an AWS call failed for good
│   └── InternalError         a defect of ours
├── task          the task and the agent in it
│   ├── TaskNotStarted, ImagePullFailed, TaskStopped, SpotInterrupted, OutOfMemory, TaskLost
│   ├── AgentFailed, AgentStuck, NothingUsable
│   └── MoneyLimit, TurnLimit, TimeLimit, DiskLimit
└── model         the model's provider
    ├── ModelPriceUnknown     nobody says what the model costs
    ├── ModelUnavailable, ModelRefused, ModelFormMissing, ModelNotSubscribed, ModelAccessPending
    └── ModelNotAllowed, ModelNotOffered, ModelQuotaUsedUp, ModelKeyInvalid, ModelCreditMissing
"""

# Who raises or catches one imports it from here, wherever it arises.
from pullwright.errors.base import FailureClass as FailureClass
from pullwright.errors.base import PullwrightError as PullwrightError
from pullwright.errors.deployment import *  # noqa: F403
from pullwright.errors.github import *  # noqa: F403
from pullwright.errors.model import *  # noqa: F403
from pullwright.errors.session import *  # noqa: F403
from pullwright.errors.task import *  # noqa: F403


def error_class(name: str) -> type[PullwrightError] | None:
    """Return the class of our errors that has a name; None for names of others."""
    found = None if name.startswith("_") else globals().get(name)
    if isinstance(found, type) and issubclass(found, PullwrightError) and found is not PullwrightError:
        return found
    return None

"""The stack: its parameters, its room, and AWS."""

from pullwright.errors.base import PullwrightError, _LimitError, _TransientError, _UserError


class DeploymentInvalid(PullwrightError):
    """The stack's parameters contradict each other, in a way that CloudFormation cannot check."""

    default_remedy = "Ask the operator to correct the named parameters and to deploy again."


class OwnerNotAllowed(_UserError):
    """The repository is none that this deployment works for; that stands in the record alone."""

    default_remedy = "Ask the operator to add the owner to the stack's AllowedOwners parameter."


class AwsUnavailable(_TransientError):
    """An AWS call failed after its retries."""


class NoCapacity(_LimitError):
    """No slot came free in time, or Fargate had no room."""

    default_remedy = "Start it again later, or raise the stack's limit of concurrent sessions."


class SessionsPaused(_LimitError):
    """No session begins: `MaxConcurrentSessions` is 0, or the deployment is about to be removed."""

    default_remedy = "Start it again when the operator has set MaxConcurrentSessions above 0."


class DailyLimit(_LimitError):
    """The day's money, of the deployment or of the repository, leaves no room for the session."""

    default_remedy = "Start it again after 00:00 UTC."


class EvaluationWaits(_TransientError):
    """Other sessions of the evaluation may still use up its budget; this one waits for them."""


class EvaluationBudget(_LimitError):
    """The evaluation's budget has no room for another session."""

    default_remedy = "Evaluate what did not run under another --id, with a larger --budget or a lower --usd."

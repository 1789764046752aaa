"""The task and the agent in it."""

from pullwright.errors.base import PullwrightError, _AgentError, _LimitError, _TransientError


class TaskNotStarted(PullwrightError):
    """ECS could not start the task, for example because the image could not be pulled."""

    default_remedy = "Ask the operator for the reason, which ECS shows with the stopped task."


class ImagePullFailed(PullwrightError):
    """ECS could not pull the agent's image."""

    default_remedy = "Ask the operator to push the agent's image, then start it again."


class TaskStopped(PullwrightError):
    """Somebody or something stopped the task."""

    exit_code = 143
    default_remedy = "Start it again to go on from the last push."


class SpotInterrupted(_TransientError):
    """AWS took spare capacity back more often than a session survives, or after its time."""

    default_remedy = "Start it again to go on from the last checkpoint."


class OutOfMemory(_LimitError):
    """The task was killed for want of memory."""

    default_remedy = "Raise the stack's TaskMemory parameter, then start it again."


class TaskLost(PullwrightError):
    """The task ended without a result."""

    default_remedy = "Start it again to go on from the last push."


class AgentFailed(_AgentError):
    """Claude Code ended with an error."""

    exit_code = 10


class CageUnavailable(PullwrightError):
    """The agent cannot be kept from the network where its task runs, and the deployment requires it."""

    exit_code = 20
    default_remedy = (
        "The operator sets the parameter EgressMode to preferred, or runs tasks where seccomp's user "
        "notification is allowed (Linux 5.9 or later)."
    )


class AgentStuck(_AgentError):
    """Claude Code got nowhere: the same call failed again and again, or nothing happened for long."""

    exit_code = 18
    default_remedy = "See in the transcript where it got stuck, say more in the issue, then start it again."


class NothingUsable(_AgentError):
    """Claude Code ended well but was denied what it needed, and changed nothing."""

    exit_code = 11


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

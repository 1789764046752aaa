"""Every way a session can fail, as one tree; each module has those that arise in one place.

The state machine matches class names (`ErrorEquals`), so a name is a public contract. Each class carries
its failure class, a default remedy and the exit code with which the runner ends; the sentence comes with the
raise. The standard library is all that it needs: the webhook imports it too.

PullwrightError
├── session       what was asked for, and who called it off
├── github        what GitHub says of repository, issue, branch or pull request
├── deployment    the stack: its parameters, its room, AWS, and our own defects
├── task          the task and the agent in it
└── model         the model's provider: access, quota, price
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

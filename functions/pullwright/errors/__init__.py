"""Every way a session or a command can fail, as one tree; each module has those that arise in one place.

The state machine matches class names (`ErrorEquals`), so a name is a public contract. Each class carries
its failure class, a default remedy and the exit code with which the runner ends; the sentence comes with the
raise. The standard library is all that it needs: the webhook imports it too.

PullwrightError
├── entry         a request that is wrong, and our own defects
├── session       what was asked for, and who called it off
├── github        what GitHub says of repository, issue, branch or pull request
├── jira          what Jira says of issue and account
├── deployment    the stack: its parameters, its room, and AWS
├── task          the task and the agent in it
├── model         the model's provider: access, quota, price
├── preview       the preview of a branch: its configuration, build and server
└── commands      the operator's command: its stack, AWS's answers, what is there no more
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pullwright.errors.base import FailureClass as FailureClass
from pullwright.errors.base import PullwrightError as PullwrightError

if TYPE_CHECKING:
    # Only for the type checker: the names are those that the modules define, and `__getattr__` finds them.
    from pullwright.errors.commands import *  # noqa: F403
    from pullwright.errors.deployment import *  # noqa: F403
    from pullwright.errors.entry import *  # noqa: F403
    from pullwright.errors.github import *  # noqa: F403
    from pullwright.errors.jira import *  # noqa: F403
    from pullwright.errors.model import *  # noqa: F403
    from pullwright.errors.preview import *  # noqa: F403
    from pullwright.errors.session import *  # noqa: F403
    from pullwright.errors.task import *  # noqa: F403

# In this order: the webhook, which starts cold, then needs the first only.
MODULES = ("entry", "session", "deployment", "github", "jira", "task", "model", "preview", "commands")


def error_classes() -> dict[str, type[PullwrightError]]:
    """Return all our errors by name."""
    return {name: found for module in MODULES for name, found in _classes(module).items()}


def error_class(name: str) -> type[PullwrightError] | None:
    """Return the class of our errors that has a name; None for names of others."""
    return next((found[name] for found in map(_classes, MODULES) if name in found), None)


def _classes(module: str) -> dict[str, type[PullwrightError]]:
    path = f"{__name__}.{module}"
    return {
        name: found
        for name, found in vars(import_module(path)).items()
        if isinstance(found, type) and found.__module__ == path and issubclass(found, PullwrightError)
    }


def __getattr__(name: str) -> Any:
    """Find a class in the module where it arises: who raises or catches one imports it from here."""
    if (found := error_class(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found

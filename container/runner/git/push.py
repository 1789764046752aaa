"""What GitHub said about a push, from git's machine-readable output.

https://git-scm.com/docs/git-push#Documentation/git-push.txt---porcelain: one line per ref, its fields
separated by tabs: flag, `from:to`, and a summary that ends with the reason in parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pullwright.errors import BranchProtected, PullwrightError, PushRefused
from pullwright.text import one_line
from runner.git.remote_message import LONGEST, find_remote_message

_SUMMARY = re.compile(r"^\[(?P<who>rejected|remote rejected)\] \((?P<reason>.*)\)$")
# The reasons that GitHub puts into the protocol's own field for a ref that its rules protect:
# https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository
_PROTECTED = frozenset(
    {
        "protected branch hook declined",
        "push declined due to repository rule violations",
    }
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A ref that was not updated.

    Attributes:
        by_remote: GitHub decided; otherwise git itself saw that the ref stands elsewhere.
        remote_message: what GitHub says besides, on one line; may be empty.
    """

    by_remote: bool
    reason: str
    remote_message: str = ""

    @property
    def is_rule(self) -> bool:
        """Whether the repository's rules refuse it."""
        return self.by_remote and self.reason in _PROTECTED

    def failure(self, branch: str) -> PullwrightError:
        """Return the failure that a person is told."""
        if not self.by_remote:
            return PushRefused(
                f"Somebody else pushed to {branch} while the session ran, so its work could not be added.",
                remedy="Start it again: it goes on from the branch as it stands now.",
            )
        why = f": {self.remote_message}" if self.remote_message else ""
        if self.is_rule:
            return BranchProtected(f"The repository's rules do not let the App push the work{why}.")
        return PushRefused(f"GitHub refused the push for {branch}: {one_line(self.reason, LONGEST)}{why}.")


def parse_porcelain(output: str, ref: str, errors: str = "") -> Rejection | None:
    """Find what was said about one ref.

    Args:
        output: standard output of `git push --porcelain`.
        ref: the ref's full name.
        errors: standard error of the same command, where GitHub's own sentences are.

    Returns:
        The rejection, or None if the ref was updated or not mentioned.
    """
    for line in output.splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag == "!" and names.endswith(f":{ref}"):
            found = _SUMMARY.match(summary)
            message = find_remote_message(errors)
            if found is None:
                return Rejection(by_remote=True, reason=summary, remote_message=message)
            by_remote = found["who"] == "remote rejected"
            return Rejection(by_remote=by_remote, reason=found["reason"], remote_message=message)
    return None

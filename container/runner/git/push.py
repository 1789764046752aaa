"""What GitHub said about a push, from git's machine-readable output.

https://git-scm.com/docs/git-push#Documentation/git-push.txt---porcelain: one line per ref, its fields
separated by tabs: flag, `from:to`, and a summary that ends with the reason in parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pullwright.errors import BranchProtected, PullwrightError, PushRefused

_SUMMARY = re.compile(r"^\[(?P<who>rejected|remote rejected)\] \((?P<reason>.*)\)$")
# The reasons that GitHub puts into the protocol's own field for a ref that its rules protect:
# https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository
_PROTECTED = frozenset(
    {
        "protected branch hook declined",
        "push declined due to repository rule violations",
    }
)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Rejection:
    """A ref that was not updated.

    Attributes:
        by_remote: GitHub decided; otherwise git itself saw that the push is no fast-forward.
        reason: the protocol's word for it.
    """

    by_remote: bool
    reason: str

    def failure(self, branch: str) -> PullwrightError:
        """The failure that a person is told.

        Args:
            branch: the branch that was pushed to.
        """
        if not self.by_remote:
            return PushRefused(
                f"Somebody else pushed to {branch} while the session ran, so its work could not be added.",
                remedy="Start it again: it goes on from the branch as it stands now.",
            )
        if self.reason in _PROTECTED:
            return BranchProtected(f"The repository's rules do not let the App push to {branch}.")
        return PushRefused(f"GitHub refused the push to {branch}: {self.reason[:_SHOWN]}.")


def parse_porcelain(output: str, ref: str) -> Rejection | None:
    """Finds what was said about one ref.

    Args:
        output: standard output of `git push --porcelain`.
        ref: the ref's full name.

    Returns:
        The rejection, or None if the ref was updated or not mentioned.
    """
    for line in output.splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag == "!" and names.endswith(f":{ref}"):
            found = _SUMMARY.match(summary)
            if found is None:
                return Rejection(by_remote=True, reason=summary)
            return Rejection(by_remote=found["who"] == "remote rejected", reason=found["reason"])
    return None

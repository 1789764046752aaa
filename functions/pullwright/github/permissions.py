"""The permissions of our tokens: of those that the App has, what one purpose needs."""

from collections.abc import Mapping

WORK: Mapping[str, str] = {"contents": "write", "issues": "write", "pull_requests": "write"}
"""To push, comment, and change the pull request. GitHub takes one out of draft only with `contents: write`
(https://github.com/cli/cli/issues/8910)."""
READ: Mapping[str, str] = {"contents": "read"}
"""For a task that only reads: what it finds, ReportOutcome writes."""
SYNC: Mapping[str, str] = {**READ, "metadata": "read"}
"""To read the workers' files on the default branch."""
COMMIT_COMMENT: Mapping[str, str] = {"contents": "write"}
"""To say on a commit what is wrong with its workers:
https://docs.github.com/en/rest/commits/comments#create-a-commit-comment."""
REVIEW: Mapping[str, str] = {"contents": "read", "issues": "write", "pull_requests": "write"}
"""To comment on a pull request or an issue."""
RESOLVING: Mapping[str, str] = {"contents": "write", "pull_requests": "write"}
"""To resolve threads: of an App, GitHub wants both (https://github.com/orgs/community/discussions/44650,
https://github.com/github/gh-aw/issues/35726)."""
OPENING: Mapping[str, str] = {**WORK, "metadata": "read"}
"""To see the repository and who may write to it besides."""
OPENING_REVIEW: Mapping[str, str] = {**REVIEW, "metadata": "read"}
STATUSES: Mapping[str, str] = {"statuses": "read"}
"""To see statuses too, the older form of checks; not every installation has granted it."""
READING_CHECKS: Mapping[str, str] = {"checks": "read", "metadata": "read"}
"""To see which checks failed."""
READING_LOGS: Mapping[str, str] = {**READING_CHECKS, "actions": "read"}
"""To read what they wrote besides."""
CHECKING_ONLY: Mapping[str, str] = {
    "checks": "read",
    "contents": "read",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
"""To see what failed, and to say something about it."""
CHECKING: Mapping[str, str] = {**CHECKING_ONLY, "actions": "write"}
"""To run it again besides."""
ASKING: Mapping[str, str] = {"metadata": "read", "pull_requests": "read"}
"""To see which files a pull request changes."""
ASKING_TEAMS: Mapping[str, str] = {**ASKING, "members": "read"}
"""To see who is in a team besides. Accounts of persons have no such permission."""

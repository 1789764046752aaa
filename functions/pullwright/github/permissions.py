"""The permissions of our tokens: of those that the App has, what one purpose needs."""

from collections.abc import Mapping

WORK: Mapping[str, str] = {"contents": "write", "issues": "write", "pull_requests": "write"}
"""To push, comment, and change the pull request. GitHub takes one out of draft only with `contents: write`
(https://github.com/cli/cli/issues/8910)."""
OPENING: Mapping[str, str] = {**WORK, "metadata": "read"}
"""To see the repository and who may write to it besides."""

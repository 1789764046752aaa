"""Several attempts of one git command, and what is told when none succeeds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pullwright.errors import GitHubUnavailable
from pullwright.github.reasons import setting_refusal
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.git.command import GitError

_ATTEMPTS = 3
_LONGEST_WAIT = 4.0


class Attempts:
    """The attempts of one command.

    Args:
        sleep: waits so many seconds.
    """

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._made = 0
        self._told = ""

    def __iter__(self) -> Iterator[int]:
        """Count them; whoever has succeeded asks for no further one."""
        while self._made < _ATTEMPTS:
            self._made += 1
            yield self._made

    def failed(self, error: GitError) -> None:
        """Take note of a failure.

        Raises:
            PullwrightError: GitHub names a setting that no further attempt changes.
        """
        self._told = error.told or self._told
        log_failure(error, self._made)
        if (lasting := setting_refusal(error.told)) is not None:
            raise lasting from error

    def pause(self) -> None:
        """Wait before the next attempt, if there is one."""
        if self._made < _ATTEMPTS:
            self._sleep(random.uniform(0, min(_LONGEST_WAIT, 2.0**self._made)))  # noqa: S311 - jitter

    def unavailable(self, sentence: str) -> GitHubUnavailable:
        """Return what is told after the last one, with GitHub's own words.

        Args:
            sentence: what GitHub did not do, without a full stop.
        """
        return GitHubUnavailable(f"{sentence}: {self._told}." if self._told else f"{sentence}.")


def log_failure(error: GitError, attempt: int) -> None:
    """Note a command that failed."""
    logger.warning("git failed", command=error.command, code=error.code, attempt=attempt, stderr=error.stderr)

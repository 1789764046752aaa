"""Several attempts of what runs git, and what people are told when none succeeds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

from pullwright.errors import GitHubUnavailable
from pullwright.github.reasons import setting_refusal
from runner.git.command import GitError
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

_ATTEMPTS = 3
_LONGEST_WAIT = 4.0
_Result = TypeVar("_Result")


def retry(action: Callable[[], _Result], sentence: str, sleep: Callable[[float], None]) -> _Result:
    """Call something that runs git, and call it again when git fails.

    Args:
        sentence: what GitHub did not do when every attempt has failed, without a full stop.

    Raises:
        GitHubUnavailable: every attempt has failed; the last words of GitHub's are in it.
        PullwrightError: GitHub names a setting that no further attempt changes.
    """
    message = ""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return action()
        except GitError as error:
            message = error.remote_message or message
            log_failure(error, attempt)
            if (lasting := setting_refusal(error.remote_message)) is not None:
                raise lasting from error
        if attempt < _ATTEMPTS:
            sleep(random.uniform(0, min(_LONGEST_WAIT, 2.0**attempt)))  # noqa: S311 - jitter
    raise GitHubUnavailable(f"{sentence}: {message}." if message else f"{sentence}.")


def log_failure(error: GitError, attempt: int) -> None:
    """Log a git command that failed."""
    logger.warning("git failed", command=error.command, code=error.code, attempt=attempt, stderr=error.stderr)

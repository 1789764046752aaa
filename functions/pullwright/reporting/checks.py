"""What the repository's checks said, as the record and a check run show it."""

from pullwright.check_texts import render_checks
from pullwright.figures import ordinal
from pullwright.github.payloads import CheckRun
from pullwright.results import AgentResult

CHECK_RUN_NAME = "Pullwright"
_LONGEST_LINE = 10_000


def check_run(result: AgentResult, session_id: str) -> CheckRun | None:
    """Return the check run of a session's commit, None if there is nothing to say."""
    if not result.checks or result.commit is None:
        return None
    passed = sum(check.status == "passed" for check in result.checks)
    conclusion = "success" if passed == len(result.checks) else "neutral"
    return CheckRun(
        name=CHECK_RUN_NAME,
        head_sha=result.commit,
        external_id=session_id,
        conclusion=conclusion if result.checks_passed else "failure",
        title=f"{passed} of {len(result.checks)} checks passed{_attempt(result)}",
        summary=render_checks(result),
    )


def checks_line(result: AgentResult) -> str | None:
    """Return one line for the session's record, such as `tests passed, lint failed (2nd attempt)`."""
    ended = ", ".join(f"{check.name} {check.status}" for check in result.checks)[:_LONGEST_LINE]
    return f"{ended}{_attempt(result)}" if ended else None


def _attempt(result: AgentResult) -> str:
    number = len(result.attempts)
    return f" ({ordinal(number)} attempt)" if number > 1 else ""

"""What people read about a session's checks."""

from pullwright.figures import duration, ordinal
from pullwright.markdown import block, code, details, in_html, inline, table
from pullwright.results import AgentResult, CheckResult

_LONGEST_NAME = 60
_MOST_CHECKS = 12
_MOST_NAMED = 3
_LONGEST_OUTPUT = 2_000
_LONGEST_OUTPUTS = 16_000
_SIGNS = {"passed": "✅", "failed": "❌", "timed_out": "❌", "not_run": "⏭️"}


def render_checks(result: AgentResult) -> str:
    """Return a table of the setup and checks, and the last lines of what did not pass."""
    attempts = _attempts(result)
    done = ([result.setup] if result.setup is not None else []) + list(result.checks)
    if not done:
        return attempts
    rows = [
        {
            "Check": inline(check.name, _LONGEST_NAME),
            "": _SIGNS[check.status],
            "Result": check.status.replace("_", " "),
            "Time": duration(check.seconds),
        }
        for check in done[:_MOST_CHECKS]
    ]
    more = len(done) - len(rows)
    shown = [check for check in done[:_MOST_CHECKS] if check.status in {"failed", "timed_out"}]
    longest = min(_LONGEST_OUTPUT, _LONGEST_OUTPUTS // max(1, len(shown)))
    return _join(
        attempts,
        table(*rows),
        f"… and {more} more" if more > 0 else "",
        *(_last_lines(check, longest) for check in shown),
    )


def failing(result: AgentResult) -> str:
    """Return the rest of a sentence that names the checks which still fail."""
    failed = [check for check in result.checks if check.has_failed]
    names = ", ".join(inline(check.name, _LONGEST_NAME) for check in failed[:_MOST_NAMED])
    more = f" and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    return f"{'a check still fails' if len(failed) == 1 else 'checks still fail'} ({names}{more})"


def _attempts(result: AgentResult) -> str:
    """Say how checks ended on each commit, if the agent was asked to mend what they had found."""
    if len(result.attempts) <= 1:
        return ""
    ended = []
    for number, attempt in enumerate(result.attempts, start=1):
        names = ", ".join(inline(name, _LONGEST_NAME) for name in attempt.failed[:_MOST_NAMED])
        more = f" and {len(attempt.failed) - _MOST_NAMED} more" if len(attempt.failed) > _MOST_NAMED else ""
        # The last one's checks may not have been run any more.
        good = "passed" if number < len(result.attempts) or _all_ran(result) else "not run"
        ended.append(f"{ordinal(number)} attempt {f'failed ({names}{more})' if names else good}")
    return f"Checks: {', '.join(ended)}."


def _all_ran(result: AgentResult) -> bool:
    return all(check.status != "not_run" for check in result.checks)


def _last_lines(check: CheckResult, longest: int) -> str:
    title = f"{in_html(check.name, _LONGEST_NAME)}: the last lines"
    return details(title, _join(code(check.command), block(check.output, longest)))


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)

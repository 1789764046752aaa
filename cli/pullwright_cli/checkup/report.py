"""The whole check-up: facts in, findings out, and how they look in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright_cli.checkup import aws_checks, github_checks, previews
from pullwright_cli.checkup.findings import Checkup, Status
from pullwright_cli.jira import checks as jira_checks

if TYPE_CHECKING:
    from pullwright_cli.checkup.facts import Facts
    from pullwright_cli.checkup.findings import Finding

_ORDER = (Status.OK, Status.WARN, Status.FAIL)
_COLOURS = {Status.OK: "32", Status.WARN: "33", Status.FAIL: "31"}


def examine(facts: Facts) -> Checkup:
    """Judge all facts."""
    besides = (*previews.check(facts.previews), *jira_checks.check(facts.jira))
    return summed(facts.stack_name, (*aws_checks.check(facts), *github_checks.check(facts), *besides))


def examine_before(facts: Facts) -> Checkup:
    """Judge what can be known before a deployment."""
    return summed(facts.stack_name, tuple(aws_checks.check_before(facts)))


def summed(stack: str, checks: tuple[Finding, ...]) -> Checkup:
    """Return findings with the worst of them."""
    worst = max((it.status for it in checks), key=_ORDER.index)
    return Checkup(stack=stack, status=worst, checks=checks)


def as_text(checkup: Checkup, *, colours: bool) -> str:
    """Return a line for each check, the remedy below those that need one, and the sum."""
    lines = []
    for it in checkup.checks:
        mark = f"{it.status:<4}"
        shown = f"\x1b[{_COLOURS[it.status]}m{mark}\x1b[0m" if colours else mark
        lines.append(f"{shown}  {it.check:<14}  {it.text}")
        if it.status is not Status.OK and it.remedy:
            lines.append(f"{'':<22}→ {it.remedy}")
    counts = ", ".join(f"{sum(it.status is status for it in checkup.checks)} {status}" for status in _ORDER)
    return "\n".join([*lines, f"{checkup.stack}: {counts}."])

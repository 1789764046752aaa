"""The checks that a session mends, with the ends of their logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pullwright.errors import ChecksOutdated, PullwrightError
from pullwright.github.checks import failed_checks, failed_statuses, log_end
from pullwright.github.granted import most_granted
from pullwright.github.permissions import READING_CHECKS, READING_LOGS, STATUSES
from pullwright.log import logger, scrub
from pullwright.models import FailingCheck, WorkerType
from pullwright.text import plain_line, printable, unstyled

if TYPE_CHECKING:
    from pullwright.github import GitHubClient
    from pullwright.github.app import GitHubApp
    from pullwright.github.checks import SeenCheck
    from pullwright.github.payloads import PullRequest
    from pullwright.models import SessionRequest
    from pullwright.workers.definition import WorkerDefinition

MOST_CHECKS = 5
LONGEST_LOG = 20_000
# Times and colours are cut out of it.
_END_BYTES = 200_000
_LONGEST_NAME = 200
_TIME = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ?", re.MULTILINE)


def read_failing(
    app: GitHubApp,
    repository: str,
    request: SessionRequest,
    worker: WorkerDefinition,
    pull: PullRequest | None,
) -> tuple[FailingCheck, ...]:
    """Return what fails on a pull request's head and not on its base, for a worker that mends checks.

    Raises:
        ChecksOutdated: the session was started for failures, and there are none any more.
        PullwrightError: GitHub did not give the checks.
    """
    if pull is None or (worker.type is not WorkerType.FIX_CI and request.checked_commit is None):
        return ()
    client, granted = most_granted(
        *(app, repository, request.installation_id, READING_CHECKS),
        ({**READING_LOGS, **STATUSES}, READING_LOGS, {**READING_CHECKS, **STATUSES}),
    )
    own = app.app().id

    def failed_on(commit: str) -> list[SeenCheck]:
        checks = failed_checks(client, repository, commit, without=own)
        return checks + (failed_statuses(client, repository, commit) if "statuses" in granted else [])

    failed = failed_on(pull.head.sha)
    on_base = failed_on(pull.base.sha) if failed else []
    names = {check.name for check in on_base}
    ours = [check for check in failed if check.name not in names]
    if not ours and request.checked_commit is not None:
        raise ChecksOutdated(f"Nothing fails any more on the head of pull request #{pull.number}.")
    return tuple(
        FailingCheck(
            name=plain_line(check.name, _LONGEST_NAME),
            conclusion=check.conclusion or "",
            log=_log(client, repository, check)
            if "actions" in granted and check.is_of_actions
            else clean_log(check.text),
        )
        for check in ours[:MOST_CHECKS]
    )


def _log(client: GitHubClient, repository: str, check: SeenCheck) -> str:
    try:
        text = log_end(client, repository, check.id, _END_BYTES)
    except PullwrightError as error:
        # The name alone is worth a try.
        logger.warning("the log of a check could not be read", check=check.name, error=error.sentence)
        return ""
    return clean_log(text or "")


def clean_log(text: str) -> str:
    """Return the end of a log without times, colours, invisible characters and secrets."""
    # Secrets first: one that is cut in two is not known any more.
    lines = scrub(printable(unstyled(_TIME.sub("", text)))).strip()
    if len(lines) <= LONGEST_LOG:
        return lines
    return lines[-LONGEST_LOG:].partition("\n")[2] or lines[-LONGEST_LOG:]

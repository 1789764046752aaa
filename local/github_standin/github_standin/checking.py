"""Events of checks: what the App is asked for, and what was completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import checks, events
from github_standin.permissions import grants

if TYPE_CHECKING:
    from github_standin.check_records import CheckRun
    from github_standin.github import GitHub
    from github_standin.records import Account, Repository


def request(
    github: GitHub, repository: Repository, sender: Account, branch: str, before: str, after: str
) -> None:
    """Ask the App for its checks on a pushed commit, as GitHub does of each App that may write them."""
    installation = github.installation_of(repository)
    if installation is None or not grants(installation.permissions, "checks", "write"):
        return
    if any(not suite.by_actions for suite in checks.suites_on(github, repository, after)):
        return
    suite = checks.begin(github, repository, after, branch, before=before)
    events.check_suite_event(github, repository, suite, "requested", sender)


def tell(github: GitHub, repository: Repository, run: CheckRun, sender: Account, *, fresh: bool) -> None:
    """Tell that a check run was created or completed, and that its suite is complete with it.

    Args:
        fresh: whether it was made just now.
    """
    if fresh:
        events.check_run_event(github, repository, run, "created", sender)
    if run.status != "completed":
        return
    events.check_run_event(github, repository, run, "completed", sender)
    suite = github.store.check_suites[run.suite_id]
    suite.updated_at = github.now()
    github.store.check_suites.put(suite)
    # A workflow's suite is complete when its run is, which knows the jobs that are still to come.
    if not suite.by_actions and checks.state(github, suite)[0] == "completed":
        events.check_suite_event(github, repository, suite, "completed", sender)

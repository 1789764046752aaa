"""Check suites and check runs: what belongs together, and when it is complete.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.check_records import CheckSuite

if TYPE_CHECKING:
    from github_standin.check_records import CheckRun
    from github_standin.github import GitHub
    from github_standin.records import Repository

# The first of these that a run has is the suite's.
_ORDER = ("action_required", "timed_out", "failure", "cancelled", "stale", "neutral")


def suites_on(github: GitHub, repository: Repository, sha: str) -> list[CheckSuite]:
    """Return the suites on a commit, oldest first."""
    place = (repository.id, sha)
    return [suite for suite in github.store.check_suites if (suite.repository_id, suite.head_sha) == place]


def runs_of(github: GitHub, suite: CheckSuite, *, latest: bool = True) -> list[CheckRun]:
    """Return a suite's check runs, oldest first.

    Args:
        latest: of each name only the newest.
    """
    found = [run for run in github.store.check_runs if run.suite_id == suite.id]
    newest = {run.name: run for run in found}
    return list(newest.values()) if latest else found


def state(github: GitHub, suite: CheckSuite) -> tuple[str, str | None]:
    """Return a suite's status and conclusion, which follow from its newest check runs."""
    runs = runs_of(github, suite)
    if not runs:
        return "queued", None
    if any(run.status != "completed" for run in runs):
        begun = any(run.status in ("in_progress", "completed") for run in runs)
        return "in_progress" if begun else "queued", None
    conclusions = {run.conclusion for run in runs}
    otherwise = "skipped" if conclusions == {"skipped"} else "success"
    return "completed", next((it for it in _ORDER if it in conclusions), otherwise)


def suite_of_app(github: GitHub, repository: Repository, sha: str, branch: str | None = None) -> CheckSuite:
    """Return the App's own suite on a commit, made if it is not there."""
    for suite in suites_on(github, repository, sha):
        if not suite.by_actions:
            return suite
    return begin(github, repository, sha, branch or _branch_at(github, repository, sha))


def begin(
    github: GitHub,
    repository: Repository,
    sha: str,
    branch: str | None,
    *,
    before: str | None = None,
    by_actions: bool = False,
) -> CheckSuite:
    """Make a suite on a commit."""
    now = github.now()
    return github.store.check_suites.put(
        CheckSuite(
            id=github.store.next_id("check_suite"),
            repository_id=repository.id,
            by_actions=by_actions,
            head_sha=sha,
            head_branch=branch,
            before=before,
            created_at=now,
            updated_at=now,
        )
    )


def _branch_at(github: GitHub, repository: Repository, sha: str) -> str | None:
    heads = github.git(repository).refs()
    return next((name.removeprefix("refs/heads/") for name, head in heads.items() if head == sha), None)

"""Whether a pull request can be merged, which GitHub works out after the first request that wants to know.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-your-git-database#checking-mergeability-of-pull-requests
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from github_standin import checks
from github_standin.shapes.pulls import base_sha

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Issue, Repository


def mergeability(github: GitHub, repository: Repository, issue: Issue) -> tuple[bool | None, str]:
    """Return `mergeable` and `mergeable_state`; null and `unknown` when asked for the first time.

    Each new head and each new base is a first time again.
    """
    if issue.pull is None or issue.state == "closed":
        return None, "unknown"
    head = github.head_of(repository, issue)
    base = base_sha(github, repository, issue, issue.pull)
    key = (issue.pull.id, base, head)
    if key not in github.merge_checks:
        github.merge_checks.add(key)
        return None, "unknown"
    try:
        github.git(repository).run_fixed("merge-tree", "--write-tree", base, head)
    except subprocess.CalledProcessError:
        return False, "dirty"
    if issue.pull.draft:
        return True, "draft"
    return True, "clean" if _passes(github, repository, head) else "unstable"


def _passes(github: GitHub, repository: Repository, head: str) -> bool:
    """Tell whether all checks and statuses on a commit have passed; what never began does not count."""
    suites = [checks.state(github, it) for it in checks.suites_on(github, repository, head)]
    newest = {
        it.context: it.state
        for it in github.store.statuses
        if (it.repository_id, it.sha) == (repository.id, head)
    }
    good = {None, "success", "neutral", "skipped"}
    return all(conclusion in good for _, conclusion in suites) and set(newest.values()) <= {"success"}

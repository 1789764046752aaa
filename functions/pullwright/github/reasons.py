"""Which setting made GitHub refuse: only its sentence tells, in the API and to git."""

import re

from pullwright.errors import (
    AppNotInstalled,
    ConversationLocked,
    IssuesDisabled,
    PullRequestsDisabled,
    PullwrightError,
    RepositoryArchived,
)

SUSPENDED_REMEDY = "Unsuspend the App's installation in its settings on GitHub."
# "Repository was archived so is read-only." in the API; to git "This repository was archived so it is …".
_ARCHIVED = re.compile(r"repository was archived", re.IGNORECASE)
# https://github.com/octokit/octokit.rb/pull/1307
_SUSPENDED = re.compile(r"installation has been suspended", re.IGNORECASE)
# https://github.com/renovatebot/renovate/issues/6215
_LOCKED = re.compile(r"(?:issue|conversation|pull request) is locked", re.IGNORECASE)
# 410, https://docs.github.com/en/rest/issues/issues#create-an-issue
_NO_ISSUES = re.compile(r"issues (?:has been|have been|are) disabled", re.IGNORECASE)
# https://github.blog/changelog/2026-02-13-new-repository-settings-for-configuring-pull-request-access/
_NO_PULLS = re.compile(
    r"pull requests (?:has been|have been|are) disabled|disabled the ability to open pull requests",
    re.IGNORECASE,
)


def setting_refusal(words: str) -> PullwrightError | None:
    """Return the error for the setting that a refusal is about.

    Returns:
        None if it is about none that we know.
    """
    if _ARCHIVED.search(words):
        return RepositoryArchived("The repository was archived, so nothing can be written to it.")
    if _SUSPENDED.search(words):
        return AppNotInstalled("The GitHub App's installation is suspended.", remedy=SUSPENDED_REMEDY)
    if _LOCKED.search(words):
        return ConversationLocked("The conversation is locked, and GitHub lets no App write in it.")
    if _NO_ISSUES.search(words):
        return IssuesDisabled("Issues are turned off in the repository.")
    if _NO_PULLS.search(words):
        return PullRequestsDisabled("Pull requests are turned off in the repository.")
    return None

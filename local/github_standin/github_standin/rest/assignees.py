"""Who is to work on an issue or pull request.

https://docs.github.com/en/rest/issues/assignees
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import events
from github_standin.auth import role_of
from github_standin.permissions import MANAGE_ISSUES, ROLES
from github_standin.routing import Router
from github_standin.shapes import accounts, issues
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Account, Issue, Repository

ROUTER = Router()
_ASSIGNEES = "/repos/{owner}/{repo}/issues/{number}/assignees"
_MOST = 10


@ROUTER.on("POST", _ASSIGNEES)
def add_assignees(call: Call) -> Reply:
    """Assign people, ten at most; who cannot be assigned is left out without a word."""
    repository, issue = call.issue(MANAGE_ISSUES)
    for account in _asked(call):
        is_new = account.id not in issue.assignees
        if is_new and len(issue.assignees) < _MOST and _can_be(call, repository, issue, account):
            issue.assignees.append(account.id)
            _tell(call, repository, issue, "assigned", account)
    return Reply(201, issues.issue(call.github, repository, issue))


@ROUTER.on("DELETE", _ASSIGNEES)
def remove_assignees(call: Call) -> Reply:
    """Assign people no more."""
    repository, issue = call.issue(MANAGE_ISSUES)
    for account in _asked(call):
        if account.id in issue.assignees:
            issue.assignees.remove(account.id)
            _tell(call, repository, issue, "unassigned", account)
    return Reply(200, issues.issue(call.github, repository, issue))


def _asked(call: Call) -> list[Account]:
    found = [call.github.account(login) for login in call.texts("assignees") or ()]
    return [account for account in found if account is not None]


def _can_be(call: Call, repository: Repository, issue: Issue, account: Account) -> bool:
    """Tell whether somebody may write, or has a part in the conversation.

    https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/assigning-issues-and-pull-requests-to-other-github-users
    """
    if account.type != "User":
        return False
    part = {issue.user_id, *(comment.user_id for comment in call.github.comments_of(issue))}
    return account.id in part or ROLES[role_of(repository, account)] >= ROLES["write"]


def _tell(call: Call, repository: Repository, issue: Issue, action: str, account: Account) -> None:
    issue.updated_at = call.github.now()
    call.github.store.issues.put(issue)
    assignee = accounts.user(call.github, account)
    events.issue_event(call.github, repository, issue, action, call.account(), assignee=assignee)

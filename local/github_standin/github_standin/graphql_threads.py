"""The conversations of a review in the GraphQL API, which alone knows whether they are resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import events, reviewing
from github_standin.auth import may_see, role_of
from github_standin.graphql_parts import JSON, RefusedError, actor, check, connection, unresolved
from github_standin.links import node_id, parse_node_id
from github_standin.permissions import EDIT_PULLS, ROLES, WRITE_CONTENTS
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Issue, Repository
    from github_standin.review_records import ReviewComment, Thread


def threads(call: Call, repository: Repository, issue: Issue, page: JSON) -> JSON:
    """Return the threads of a pull request."""
    found = reviewing.threads_of(call.github, issue)
    return connection([thread(call, repository, issue, it) for it, _ in found], page)


def thread(call: Call, repository: Repository, issue: Issue, found: Thread) -> JSON:
    """Return one thread."""
    github = call.github
    here = reviewing.place(github, repository, issue, found)
    resolver = github.store.accounts.get(found.resolved_by_id)
    may = _may_resolve(call, repository, issue)

    def comments() -> list[ReviewComment]:
        return next((those for it, those in reviewing.threads_of(github, issue) if it.id == found.id), [])

    return {
        "__typename": "PullRequestReviewThread",
        "id": node_id("PRRT", found.id),
        "isResolved": found.resolved_by_id is not None,
        "isOutdated": here is None,
        "isCollapsed": found.resolved_by_id is not None or here is None,
        # GitHub's type says that it is a person: there is nobody to name where an App did it.
        "resolvedBy": actor(github, resolver.id) if resolver and resolver.type == "User" else None,
        "path": found.path,
        "line": None if here is None else here.line,
        "startLine": None if here is None else here.start_line,
        "originalLine": found.line,
        "originalStartLine": found.start_line,
        "diffSide": found.side,
        "startDiffSide": found.start_side,
        "subjectType": "LINE",
        "viewerCanReply": not issue.locked,
        "viewerCanResolve": may and found.resolved_by_id is None,
        "viewerCanUnresolve": may and found.resolved_by_id is not None,
        "comments": lambda _info, **page: connection(
            [_comment(call, repository, issue, it) for it in comments()], page
        ),
    }


def _comment(call: Call, repository: Repository, issue: Issue, found: ReviewComment) -> JSON:
    github = call.github
    begun = github.store.threads[found.thread_id]
    here = reviewing.place(github, repository, issue, begun)
    return {
        "__typename": "PullRequestReviewComment",
        "id": node_id("PRRC", found.id),
        # A 32-bit number in GitHub's schema, which newer comments are beyond.
        "databaseId": None,
        "fullDatabaseId": str(found.id),
        "author": actor(github, found.user_id),
        "body": found.body,
        "path": begun.path,
        "line": None if here is None else here.line,
        "originalLine": begun.line,
        "outdated": here is None,
        "diffHunk": begun.hunk,
        "url": github.links.page(repository, f"/pull/{issue.number}#discussion_r{found.id}"),
        "createdAt": stamp(found.created_at),
        "updatedAt": stamp(found.updated_at),
        "lastEditedAt": stamp(found.last_edited_at),
        "replyTo": (
            None
            if found.in_reply_to_id is None or github.store.review_comments.get(found.in_reply_to_id) is None
            else {"id": node_id("PRRC", found.in_reply_to_id), "fullDatabaseId": str(found.in_reply_to_id)}
        ),
        "pullRequestReview": {"id": node_id("PRR", found.review_id), "fullDatabaseId": str(found.review_id)},
    }


def find(call: Call, text: str) -> tuple[Repository, Issue, Thread] | None:
    """Find a thread that the caller may see by its id."""
    prefix, number = parse_node_id(text) or ("", 0)
    found = call.github.store.threads.get(number) if prefix == "PRRT" else None
    repository = call.github.store.repositories.get(found.repository_id) if found else None
    if found is None or repository is None or not may_see(call.actor, repository):
        return None
    issue = call.github.issue(repository, found.number)
    return None if issue is None else (repository, issue, found)


def resolve(call: Call, text: str, *, resolved: bool) -> JSON:
    """Resolve a thread, or open it again.

    People need write access, or have opened the pull request
    (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/commenting-on-a-pull-request#resolving-conversations).
    Of an App, GitHub wants write access to contents as well:
    https://github.com/orgs/community/discussions/44650, https://github.com/github/gh-aw/issues/35726.

    Raises:
        RefusedError: there is no such thread, or the caller may not.
    """
    place = find(call, text)
    if place is None:
        raise unresolved(text)
    repository, issue, found = place
    rules = (EDIT_PULLS, WRITE_CONTENTS) if call.by_app else (EDIT_PULLS,)
    check(call.actor, repository, *rules)
    if not _may_resolve(call, repository, issue):
        raise RefusedError("FORBIDDEN", f"{call.account().login} does not have the correct permissions")
    if resolved != (found.resolved_by_id is not None):
        found.resolved_by_id = call.account().id if resolved else None
        call.github.store.threads.put(found)
        action = "resolved" if resolved else "unresolved"
        events.review_thread_event(call.github, repository, issue, found, action, call.account())
    return thread(call, repository, issue, found)


def _may_resolve(call: Call, repository: Repository, issue: Issue) -> bool:
    account = call.account()
    return call.by_app or account.id == issue.user_id or ROLES[role_of(repository, account)] >= ROLES["write"]

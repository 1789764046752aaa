"""Issues, comments and reactions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from github_standin.auth import role_of
from github_standin.links import node_id
from github_standin.shapes.accounts import JSON, maybe_user, via_app
from github_standin.shapes.repositories import labels
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Comment, Issue, Reaction, Repository

CONTENTS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def association(github: GitHub, repository: Repository, account_id: int) -> str:
    """Return an `author_association`; as on GitHub, no permission follows from it."""
    account = github.store.accounts.get(account_id)
    if account is None or account.type == "Bot":
        return "NONE"
    if account.id == repository.owner_id:
        return "OWNER"
    is_collaborator = account.id in repository.roles and role_of(repository, account) != "none"
    return "COLLABORATOR" if is_collaborator else "NONE"


def reaction_counts(url: str, reactions: list[Reaction]) -> JSON:
    """Return how often each reaction was given."""
    counts = Counter(reaction.content for reaction in reactions)
    return {"url": url, "total_count": len(reactions), **{name: counts[name] for name in CONTENTS}}


def reaction(github: GitHub, reaction: Reaction) -> JSON:
    """Return one reaction."""
    return {
        "id": reaction.id,
        "node_id": node_id("REA", reaction.id),
        "user": maybe_user(github, reaction.user_id),
        "content": reaction.content,
        "created_at": stamp(reaction.created_at),
    }


def assignees(github: GitHub, issue: Issue) -> JSON:
    """Return `assignee`, which is the first of them, and `assignees`."""
    found = [user for number in issue.assignees if (user := maybe_user(github, number)) is not None]
    return {"assignee": found[0] if found else None, "assignees": found}


def issue(github: GitHub, repository: Repository, issue: Issue) -> JSON:
    """Return an issue; a pull request has a `pull_request` in it."""
    place = f"/issues/{issue.number}"
    url = github.links.repo(repository, place)
    page = github.links.page(repository, f"/pull/{issue.number}" if issue.pull else place)
    shaped = {
        "url": url,
        "repository_url": github.links.repo(repository),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "id": issue.id,
        "node_id": node_id("PR", issue.pull.id) if issue.pull else node_id("I", issue.id),
        "number": issue.number,
        "title": issue.title,
        "user": maybe_user(github, issue.user_id),
        "labels": labels(github, repository, issue.labels),
        "state": issue.state,
        "locked": issue.locked,
        **assignees(github, issue),
        "milestone": None,
        "comments": len(github.comments_of(issue)),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "author_association": association(github, repository, issue.user_id),
        "active_lock_reason": issue.lock_reason,
        "body": issue.body,
        "closed_by": maybe_user(github, issue.closed_by_id),
        "reactions": reaction_counts(f"{url}/reactions", issue.reactions),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": via_app(github, by_app=issue.by_app),
        "state_reason": issue.state_reason,
    }
    if issue.pull:
        shaped["draft"] = issue.pull.draft
        shaped["pull_request"] = {
            "url": github.links.repo(repository, f"/pulls/{issue.number}"),
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": stamp(issue.pull.merged_at),
        }
    return shaped


def comment(github: GitHub, repository: Repository, comment: Comment) -> JSON:
    """Return a comment."""
    url = github.links.repo(repository, f"/issues/comments/{comment.id}")
    issue = github.issue(repository, comment.number)
    kind = "pull" if issue is not None and issue.pull else "issues"
    return {
        "url": url,
        "html_url": github.links.page(repository, f"/{kind}/{comment.number}#issuecomment-{comment.id}"),
        "issue_url": github.links.repo(repository, f"/issues/{comment.number}"),
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "user": maybe_user(github, comment.user_id),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": association(github, repository, comment.user_id),
        "body": comment.body,
        "reactions": reaction_counts(f"{url}/reactions", comment.reactions),
        "performed_via_github_app": via_app(github, by_app=comment.by_app),
        "minimized": None,
    }

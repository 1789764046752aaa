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


def reaction(github: GitHub, it: Reaction) -> JSON:
    """Return one reaction."""
    return {
        "id": it.id,
        "node_id": node_id("REA", it.id),
        "user": maybe_user(github, it.user_id),
        "content": it.content,
        "created_at": stamp(it.created_at),
    }


def issue(github: GitHub, repository: Repository, it: Issue) -> JSON:
    """Return an issue; a pull request has a `pull_request` in it."""
    place = f"/issues/{it.number}"
    url = github.links.repo(repository, place)
    page = github.links.page(repository, f"/pull/{it.number}" if it.pull else place)
    shaped = {
        "url": url,
        "repository_url": github.links.repo(repository),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "id": it.id,
        "node_id": node_id("PR", it.pull.id) if it.pull else node_id("I", it.id),
        "number": it.number,
        "title": it.title,
        "user": maybe_user(github, it.user_id),
        "labels": labels(github, repository, it.labels),
        "state": it.state,
        "locked": it.locked,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(github.comments_of(it)),
        "created_at": stamp(it.created_at),
        "updated_at": stamp(it.updated_at),
        "closed_at": stamp(it.closed_at),
        "author_association": association(github, repository, it.user_id),
        "active_lock_reason": it.lock_reason,
        "body": it.body,
        "closed_by": maybe_user(github, it.closed_by_id),
        "reactions": reaction_counts(f"{url}/reactions", it.reactions),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": via_app(github, by_app=it.by_app),
        "state_reason": it.state_reason,
    }
    if it.pull:
        shaped["draft"] = it.pull.draft
        shaped["pull_request"] = {
            "url": github.links.repo(repository, f"/pulls/{it.number}"),
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": stamp(it.pull.merged_at),
        }
    return shaped


def comment(github: GitHub, repository: Repository, it: Comment) -> JSON:
    """Return a comment."""
    url = github.links.repo(repository, f"/issues/comments/{it.id}")
    on = github.issue(repository, it.number)
    kind = "pull" if on is not None and on.pull else "issues"
    return {
        "url": url,
        "html_url": github.links.page(repository, f"/{kind}/{it.number}#issuecomment-{it.id}"),
        "issue_url": github.links.repo(repository, f"/issues/{it.number}"),
        "id": it.id,
        "node_id": node_id("IC", it.id),
        "user": maybe_user(github, it.user_id),
        "created_at": stamp(it.created_at),
        "updated_at": stamp(it.updated_at),
        "author_association": association(github, repository, it.user_id),
        "body": it.body,
        "reactions": reaction_counts(f"{url}/reactions", it.reactions),
        "performed_via_github_app": via_app(github, by_app=it.by_app),
        "minimized": None,
    }

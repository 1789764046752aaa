"""Changes to issues and pull requests, with the rules and the events that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import events, pushes, workflows
from github_standin.answers import ApiError, forbidden, invalid
from github_standin.auth import role_of
from github_standin.permissions import ROLES
from github_standin.records import Edit, Issue, Renaming
from github_standin.shapes import issues, repositories

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.github import GitHub
    from github_standin.records import Pull, Repository, Role

LONGEST_BODY = 65_536
_LONGEST_TITLE = 256


def checked_title(title: str, resource: str) -> str:
    """Return a title that GitHub would take.

    Raises:
        ApiError: 422, it is empty or too long.
    """
    if not title.strip():
        raise invalid(resource, "missing_field", field="title")
    if len(title) > _LONGEST_TITLE:
        message = f"title is too long (maximum is {_LONGEST_TITLE} characters)"
        raise invalid(resource, "custom", field="title", message=message)
    return title


def checked_body(body: str | None, resource: str) -> str | None:
    """Return a text that GitHub would take.

    Raises:
        ApiError: 422, it is too long.
    """
    if body is not None and len(body) > LONGEST_BODY:
        message = f"body is too long (maximum is {LONGEST_BODY} characters)"
        raise invalid(resource, "custom", field="body", message=message)
    return body


def begin(
    call: Call, repository: Repository, title: str, body: str | None, pull: Pull | None = None
) -> Issue:
    """Return a new issue or pull request, not yet saved; both share one row of numbers."""
    store, now, account = call.github.store, call.github.now(), call.account()
    number = repository.next_number
    repository.next_number += 1
    store.repositories.put(repository)
    # GitHub counts the first version as an edit too, once there is another.
    first = Edit(id=store.next_id("edit"), editor_id=account.id, edited_at=now, text=body or "")
    return Issue(
        id=store.next_id("issue"),
        repository_id=repository.id,
        number=number,
        title=title,
        body=body,
        user_id=account.id,
        by_app=call.by_app,
        edits=[first],
        pull=pull,
        created_at=now,
        updated_at=now,
    )


def check_unlocked(call: Call, repository: Repository, issue: Issue, what: str) -> None:
    """Check that the actor may add to a conversation; a locked one is open to people with write access only.

    https://docs.github.com/en/communities/moderating-comments-and-conversations/locking-conversations and
    https://github.com/renovatebot/renovate/issues/6215

    Raises:
        ApiError: 403.
    """
    is_writer = call.actor.kind == "user" and ROLES[role_of(repository, call.account())] >= ROLES["write"]
    if issue.locked and not is_writer:
        raise forbidden(f"Unable to create {what} because issue is locked.")


def check_author(call: Call, repository: Repository, text: Any, role: Role) -> None:
    """Check that a person wrote something or has a role that may change it.

    Raises:
        ApiError: 403.
    """
    if call.actor.kind != "user":
        return
    account = call.account()
    if text.user_id != account.id and ROLES[role_of(repository, account)] < ROLES[role]:
        raise forbidden("Must have admin rights to Repository.")


def edit(call: Call, repository: Repository, issue: Issue, title: str | None, body: str | None) -> None:
    """Change title and text, and keep what stood there before."""
    differences: dict[str, Any] = {}
    account, now = call.account(), call.github.now()
    if title is not None and title != issue.title:
        differences["title"] = {"from": issue.title}
        number = call.github.store.next_id("edit")
        issue.renamings.append(
            Renaming(id=number, actor_id=account.id, created_at=now, before=issue.title, after=title)
        )
        issue.title = title
    if body != issue.body:
        differences["body"] = {"from": issue.body or ""}
        number = call.github.store.next_id("edit")
        issue.edits.append(Edit(id=number, editor_id=account.id, edited_at=now, text=body or ""))
        issue.body = body
    if differences:
        issue.updated_at = now
        call.github.store.issues.put(issue)
        events.issue_event(call.github, repository, issue, "edited", account, changes=differences)


def check_reopening(call: Call, repository: Repository, issue: Issue) -> None:
    """Check that a closed pull request can be opened again.

    Raises:
        ApiError: 422, its branch is gone, or another one is open for it.
    """
    if issue.pull is None:
        return
    reason, head = None, call.github.head_repository(repository, issue)
    if head is None:
        reason = "The repository that submitted this pull request has been deleted."
    elif call.github.git(head).branch(issue.pull.head) is None:
        reason = f"The {issue.pull.head} branch has been deleted."
    elif open_for(call.github, repository, head, issue.pull.head, issue.pull.base):
        reason = f"There is already an open pull request from {issue.pull.head} to {issue.pull.base}."
    if reason:
        message = f"state cannot be changed. {reason}"
        raise invalid("PullRequest", "invalid", field="state", message=message)


def open_for(github: GitHub, repository: Repository, place: Repository, head: str, base: str) -> Issue | None:
    """Return the open pull request from one branch to another.

    Args:
        place: the repository of the head.
    """
    for issue in github.issues_of(repository):
        if issue.pull is None or issue.state != "open" or (issue.pull.head, issue.pull.base) != (head, base):
            continue
        found = github.head_repository(repository, issue)
        if found is not None and found.id == place.id:
            return issue
    return None


def set_state(call: Call, repository: Repository, issue: Issue, state: str) -> None:
    """Close or reopen."""
    account = call.account()
    if state == "closed":
        issue.state_reason = None if issue.pull else "completed"
        pushes.close(call.github, repository, issue, account)
        events.issue_event(call.github, repository, issue, "closed", account)
        return
    issue.state = "open"
    issue.state_reason = None if issue.pull else "reopened"
    issue.closed_at = issue.closed_by_id = None
    issue.updated_at = call.github.now()
    if issue.pull is not None and (head := call.github.head_repository(repository, issue)) is not None:
        pushes.follow(call.github, repository, head, issue, call.github.head_of(repository, issue))
    call.github.store.issues.put(issue)
    workflows.start_for_pull(call.github, repository, issue, account)
    events.issue_event(call.github, repository, issue, "reopened", account)


def set_labels(call: Call, repository: Repository, issue: Issue, names: list[str]) -> None:
    """Make these the labels, and tell which ones came and went."""
    before = list(issue.labels)
    issue.labels = names
    if names == before:
        return
    issue.updated_at = call.github.now()
    call.github.store.issues.put(issue)
    for action, changed in (
        ("labeled", [name for name in names if name not in before]),
        ("unlabeled", [name for name in before if name not in names]),
    ):
        for name in changed:
            events.label_event(call.github, repository, issue, action, call.account(), name)


def transfer(call: Call, repository: Repository, issue: Issue, target: Repository) -> None:
    """Move an issue with its comments; it keeps the labels that the other repository has too."""
    github = call.github
    left, comments = issue.model_copy(deep=True), github.comments_of(issue)
    issue.former_places.append((repository.id, issue.number))
    issue.repository_id, issue.number = target.id, target.next_number
    issue.labels = [label.name for label in target.labels if label.name in issue.labels]
    target.next_number += 1
    for comment in comments:
        comment.repository_id, comment.number = issue.repository_id, issue.number
        github.store.comments.put(comment)
    github.store.issues.put(issue)
    github.store.repositories.put(target)
    new = {
        "new_issue": issues.issue(github, target, issue),
        "new_repository": repositories.repository(github, target),
    }
    old = {
        "old_issue": issues.issue(github, repository, left),
        "old_repository": repositories.repository(github, repository),
    }
    events.issue_event(github, repository, left, "transferred", call.account(), changes=new)
    events.issue_event(github, target, issue, "opened", call.account(), changes=old)


def set_base(call: Call, repository: Repository, issue: Issue, base: str) -> None:
    """Have a pull request merge into another branch.

    Raises:
        ApiError: 422, there is no such branch, or another pull request is open for it.
    """
    pull, git = issue.pull, call.github.git(repository)
    if pull is None or base == pull.base:
        return
    sha = git.branch(base)
    if sha is None:
        raise invalid("PullRequest", "invalid", field="base")
    head = call.github.head_repository(repository, issue)
    if head is not None and open_for(call.github, repository, head, pull.head, base):
        message = f"A pull request already exists for base branch '{base}' and head branch '{pull.head}'"
        raise invalid("PullRequest", "custom", field="base", message=message)
    before = {"ref": {"from": pull.base}, "sha": {"from": git.branch(pull.base) or pull.base_sha}}
    pull.base, pull.base_sha, issue.updated_at = base, sha, call.github.now()
    call.github.store.issues.put(issue)
    events.issue_event(call.github, repository, issue, "edited", call.account(), changes={"base": before})


def mark_ready(call: Call, repository: Repository, issue: Issue) -> None:
    """Mark a draft as ready for review.

    Raises:
        ApiError: 422, it is closed.
    """
    if issue.pull is None or issue.state == "closed":
        raise ApiError(422, "Pull request is closed")
    if not issue.pull.draft:
        return
    issue.pull.draft = False
    issue.updated_at = call.github.now()
    call.github.store.issues.put(issue)
    events.issue_event(call.github, repository, issue, "ready_for_review", call.account())


def convert_to_draft(call: Call, repository: Repository, issue: Issue) -> None:
    """Turn a pull request into a draft.

    Raises:
        ApiError: 422, it is closed, or drafts are not supported.
    """
    if issue.pull is None or issue.state == "closed":
        raise ApiError(422, "Pull request is closed")
    if not repository.drafts:
        raise ApiError(422, "Draft pull requests are not supported in this repository.")
    if issue.pull.draft:
        return
    issue.pull.draft = True
    issue.updated_at = call.github.now()
    call.github.store.issues.put(issue)
    events.issue_event(call.github, repository, issue, "converted_to_draft", call.account())

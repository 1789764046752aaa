"""Events: the payloads of webhooks, as GitHub has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import reviewing
from github_standin.links import node_id
from github_standin.permissions import grants
from github_standin.shapes import (
    accounts,
    checks,
    commits,
    issues,
    pulls,
    repositories,
    reviews,
    runs,
    statuses,
)
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.check_records import CheckRun, CheckSuite, CommitStatus, WorkflowRun
    from github_standin.git.repository import Commit
    from github_standin.github import GitHub
    from github_standin.records import Account, Comment, Installation, Issue, Repository
    from github_standin.review_records import CommitComment, Review, ReviewComment, Thread

JSON = dict[str, Any]
# https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
_MOST_COMMITS = 2_048
_MOST_FILES = 3_000
_CHECKS = ("check_run", "check_suite")
_MOST_BRANCHES = 10


def _send(github: GitHub, event: str, repository: Repository, sender: Account, payload: JSON) -> None:
    """Send an event of a repository, if the App is installed there and listens to it."""
    installation = github.installation_of(repository)
    if installation is None or installation.suspended_at is not None:
        return
    # Who may write checks hears of all checks, asked for or not:
    # https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_suite,
    # https://github.com/orgs/community/discussions/210531
    always = _CHECKS if grants(installation.permissions, "checks", "write") else ()
    if event not in (*installation.events, *always):
        return
    owner = github.store.accounts[repository.owner_id]
    body = {**payload, "repository": repositories.repository(github, repository)}
    if owner.type == "Organization":
        body["organization"] = accounts.organization(github, owner)
    body["sender"] = accounts.user(github, sender)
    body["installation"] = {
        "id": installation.id,
        "node_id": node_id("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", installation.id),
    }
    github.outbox.send(event, body, installation=installation, repository=repository)


def issue_event(
    github: GitHub, repository: Repository, issue: Issue, action: str, sender: Account, **more: Any
) -> None:
    """Tell about an issue or a pull request.

    Args:
        issue: which one; a pull request becomes a `pull_request` event.
        more: further fields of the payload, such as `label` or `changes`.
    """
    if issue.pull is None:
        shaped = {"action": action, "issue": issues.issue(github, repository, issue), **more}
        _send(github, "issues", repository, sender, shaped)
    else:
        pull = pulls.pull_request(github, repository, issue)
        shaped = {"action": action, "number": issue.number, "pull_request": pull, **more}
        _send(github, "pull_request", repository, sender, shaped)


def label_event(
    github: GitHub, repository: Repository, issue: Issue, action: str, sender: Account, name: str
) -> None:
    """Tell that an issue was `labeled` or `unlabeled`."""
    [label] = repositories.labels(github, repository, [name])
    issue_event(github, repository, issue, action, sender, label=label)


def comment_event(
    github: GitHub,
    repository: Repository,
    issue: Issue,
    comment: Comment,
    action: str,
    sender: Account,
    **more: Any,
) -> None:
    """Tell about a comment."""
    body = {
        "action": action,
        "issue": issues.issue(github, repository, issue),
        "comment": issues.comment(github, repository, comment),
        **more,
    }
    _send(github, "issue_comment", repository, sender, body)


def review_event(
    github: GitHub,
    repository: Repository,
    issue: Issue,
    review: Review,
    action: str,
    sender: Account,
    **more: Any,
) -> None:
    """Tell that a review was `submitted`, `edited` or `dismissed`."""
    pull = pulls.pull_request(github, repository, issue, full=False)
    shaped = reviews.review(github, repository, review, in_event=True)
    body = {"action": action, "review": shaped, "pull_request": pull, **more}
    _send(github, "pull_request_review", repository, sender, body)


def review_comment_event(
    github: GitHub,
    repository: Repository,
    issue: Issue,
    comment: ReviewComment,
    action: str,
    sender: Account,
    **more: Any,
) -> None:
    """Tell about a comment in a review's thread."""
    pull = pulls.pull_request(github, repository, issue, full=False)
    shaped = reviews.comment(github, repository, issue, comment)
    body = {"action": action, "comment": shaped, "pull_request": pull, **more}
    _send(github, "pull_request_review_comment", repository, sender, body)


def review_thread_event(
    github: GitHub, repository: Repository, issue: Issue, thread: Thread, action: str, sender: Account
) -> None:
    """Tell that a thread was `resolved` or `unresolved`."""
    pull = pulls.pull_request(github, repository, issue, full=False)
    found = next((comments for it, comments in reviewing.threads_of(github, issue) if it.id == thread.id), [])
    shaped = {
        "node_id": node_id("PRRT", thread.id),
        "comments": [reviews.comment(github, repository, issue, comment) for comment in found],
    }
    body = {"action": action, "thread": shaped, "pull_request": pull, "updated_at": stamp(github.now())}
    _send(github, "pull_request_review_thread", repository, sender, body)


def commit_comment_event(
    github: GitHub, repository: Repository, comment: CommitComment, sender: Account
) -> None:
    """Tell about a new comment on a commit; GitHub has no event for its changes."""
    body = {"action": "created", "comment": commits.comment(github, repository, comment)}
    _send(github, "commit_comment", repository, sender, body)


def check_suite_event(
    github: GitHub, repository: Repository, suite: CheckSuite, action: str, sender: Account
) -> None:
    """Tell that a check suite was `requested` or `completed`."""
    shaped = checks.check_suite(github, repository, suite, in_event=True)
    _send(github, "check_suite", repository, sender, {"action": action, "check_suite": shaped})


def check_run_event(
    github: GitHub, repository: Repository, run: CheckRun, action: str, sender: Account
) -> None:
    """Tell that a check run was `created` or `completed`."""
    shaped = checks.check_run(github, repository, run, in_event=True)
    _send(github, "check_run", repository, sender, {"action": action, "check_run": shaped})


def workflow_run_event(
    github: GitHub, repository: Repository, run: WorkflowRun, action: str, sender: Account
) -> None:
    """Tell that a run of a workflow was `completed`."""
    body = {
        "action": action,
        "workflow_run": runs.workflow_run(github, repository, run),
        "workflow": runs.workflow(github, repository, run),
    }
    _send(github, "workflow_run", repository, sender, body)


def status_event(github: GitHub, repository: Repository, status: CommitStatus, sender: Account) -> None:
    """Tell about a commit's new status."""
    git = github.git(repository)
    shaped = statuses.status(github, repository, status)
    branches = [
        {
            "name": name.removeprefix("refs/heads/"),
            "commit": {"sha": head, "url": github.links.repo(repository, f"/commits/{head}")},
            "protected": False,
        }
        for name, head in git.refs().items()
        if git.is_ancestor(status.sha, head)
    ]
    names = ("id", "avatar_url", "state", "description", "target_url", "context", "created_at", "updated_at")
    body = {
        **{name: shaped[name] for name in names},
        "sha": status.sha,
        "name": repository.full_name,
        "commit": commits.commit(github, repository, git.commit(status.sha)),
        "branches": branches[:_MOST_BRANCHES],
    }
    _send(github, "status", repository, sender, body)


def push_event(
    github: GitHub,
    repository: Repository,
    sender: Account,
    ref: str,
    *,
    before: str,
    after: str,
    fresh: list[Commit],
    head: Commit | None,
    forced: bool,
) -> None:
    """Tell about a branch or tag that was created, moved or deleted.

    Args:
        ref: full name.
        fresh: the commits that came with it, oldest first.
        head: the new commit, unless deleted.
    """
    zero = "0" * 40
    page = github.links.page(repository)
    body = {
        "ref": ref,
        "before": before,
        "after": after,
        "base_ref": None,
        "created": before == zero,
        "deleted": after == zero,
        "forced": forced,
        "compare": f"{page}/compare/{before[:12]}...{after[:12]}",
        "commits": [_pushed(github, repository, commit) for commit in fresh[:_MOST_COMMITS]],
        "head_commit": _pushed(github, repository, head) if head else None,
        "pusher": {"name": sender.login, "email": f"{sender.id}+{sender.login}@{github.links.noreply}"},
    }
    _send(github, "push", repository, sender, body)


def repository_event(
    github: GitHub, repository: Repository, action: str, sender: Account, changes: JSON | None = None
) -> None:
    """Tell about a repository that was `renamed`, `edited`, `deleted`, `archived` or the like.

    Args:
        changes: what was before, as https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository
            has it.
    """
    more = {} if changes is None else {"changes": changes}
    _send(github, "repository", repository, sender, {"action": action, **more})


def _pushed(github: GitHub, repository: Repository, commit: Commit) -> JSON:
    git = github.git(repository)
    flags = ("--root", "--no-commit-id", "-r", "--name-status", "-z")
    fields = git.run_fixed("diff-tree", *flags, commit.sha).decode(errors="replace").split("\0")
    changes = list(zip(fields[::2], fields[1::2], strict=False))[:_MOST_FILES]
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": commit.committer.date,
        "url": github.links.page(repository, f"/commit/{commit.sha}"),
        "author": commits.signature(commit.author),
        "committer": commits.signature(commit.committer),
        "added": [path for letter, path in changes if letter == "A"],
        "removed": [path for letter, path in changes if letter == "D"],
        "modified": [path for letter, path in changes if letter not in "AD"],
    }


def installation_event(
    github: GitHub,
    installation: Installation,
    action: str,
    added: list[Repository],
    removed: list[Repository] | None = None,
) -> None:
    """Tell about the installation itself: `created`, `deleted`, or repositories `added` and `removed`."""
    account = github.store.accounts[installation.account_id]
    body: JSON = {"action": action, "installation": accounts.installation(github, installation)}
    event = "installation"
    if action in ("added", "removed"):
        event = "installation_repositories"
        body["repository_selection"] = "selected"
        body["repositories_added"] = [repositories.brief_repository(it) for it in added]
        body["repositories_removed"] = [repositories.brief_repository(it) for it in removed or []]
    else:
        body["repositories"] = [repositories.brief_repository(it) for it in added]
    body["requester"] = None
    body["sender"] = accounts.user(github, account)
    github.outbox.send(event, body, installation=installation)


def ping(github: GitHub) -> None:
    """Tell the webhook that it was set up."""
    app = github.app
    if app is None:
        return
    hook = {
        "type": "App",
        "id": app.hook_id,
        "name": "web",
        "active": True,
        "events": accounts.app(github, app)["events"],
        "config": {
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
            "url": app.webhook_url,
        },
        "app_id": app.id,
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "deliveries_url": f"{github.links.api}/app/hook/deliveries",
    }
    github.outbox.send("ping", {"zen": "Speak like a human.", "hook_id": app.hook_id, "hook": hook})

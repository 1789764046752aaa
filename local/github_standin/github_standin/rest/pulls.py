"""Pull requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from github_standin import changes, events, forks, pushes, reviewing, workflows
from github_standin.answers import ApiError, forbidden, invalid, not_found
from github_standin.auth import allow
from github_standin.git.diffs import changed_files
from github_standin.mergeability import mergeability
from github_standin.permissions import EDIT_PULLS, READ_PULLS, WRITE_PULLS
from github_standin.records import Pull
from github_standin.rest.commits import as_diff
from github_standin.rest.issues import change, in_state
from github_standin.routing import Router
from github_standin.shapes import commits, pulls
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.git.repository import GitRepository
    from github_standin.permissions import Rule
    from github_standin.records import Issue, Repository

ROUTER = Router()
_PULL = "/repos/{owner}/{repo}/pulls/{number}"
_MOST_COMMITS = 250
_MOST_FILES = 3_000
_MOST_IN_DIFF = 300
_MOST_LINES = 20_000
_LONGEST_PATCH = 500_000


@ROUTER.on("GET", "/repos/{owner}/{repo}/pulls")
def list_pulls(call: Call) -> Reply:
    """List pull requests; a `head` that is not `owner:branch` is ignored."""
    repository = call.repository(READ_PULLS)
    chosen = in_state(call, [issue for issue in call.github.issues_of(repository) if issue.pull])
    chosen = [issue for issue in chosen if not call.hidden(repository, "issue", issue.number)]
    owner, colon, branch = call.query.get("head", "").partition(":")
    # As on GitHub, a head without an owner is not a filter at all.
    if colon:
        wanted = (owner.lower(), branch)
        chosen = [issue for issue in chosen if _head_name(call, repository, issue) == wanted]
    if base := call.query.get("base"):
        chosen = [issue for issue in chosen if issue.pull and issue.pull.base == base]
    return call.page(chosen, lambda issue: pulls.pull_request(call.github, repository, issue, full=False))


def _head_name(call: Call, repository: Repository, issue: Issue) -> tuple[str, str]:
    pull = issue.pull
    if pull is None:
        raise not_found()
    owner = call.github.store.accounts.get(pull.fork_owner_id or repository.owner_id)
    return owner.login.lower() if owner else "", pull.head


@ROUTER.on("POST", "/repos/{owner}/{repo}/pulls")
def create_pull(call: Call) -> Reply:
    """Open a pull request from a branch that has commits of its own, here or in a fork."""
    repository = call.repository(EDIT_PULLS)
    if not repository.has_pull_requests:
        raise forbidden("Pull requests are disabled for this repository.")
    head, base = call.text("head"), call.text("base")
    title = changes.checked_title(call.text("title"), "PullRequest")
    body = changes.checked_body(call.maybe_text("body"), "PullRequest")
    draft = call.flag("draft") or False
    place, head = _place(call, repository, head)
    head_sha, base_sha = _ends(call, repository, place, head, base)
    if draft and not repository.drafts:
        raise ApiError(422, "Draft pull requests are not supported in this repository.")
    call.create_content()
    number = call.github.store.next_id("pull")
    pull = Pull(id=number, head=head, base=base, head_sha=head_sha, base_sha=base_sha, draft=draft)
    if place.id != repository.id:
        pull.fork_id, pull.fork_owner_id = place.id, place.owner_id
        # As GraphQL documents it; REST does not say.
        pull.maintainer_can_modify = call.flag("maintainer_can_modify") is not False
    issue = changes.begin(call, repository, title, body, pull)
    pushes.follow(call.github, repository, place, issue, head_sha)
    call.github.lag.made("issue", repository.id, issue.number)
    workflows.start_for_pull(call.github, repository, issue, call.account())
    events.issue_event(call.github, repository, issue, "opened", call.account())
    return Reply(201, pulls.pull_request(call.github, repository, issue))


def _place(call: Call, repository: Repository, head: str) -> tuple[Repository, str]:
    """Return repository and branch of a new pull request's head, to which its author must be able to write.

    https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
    """
    owner, colon, branch = head.partition(":")
    if not colon or owner.lower() == repository.owner.lower():
        allow(call.actor, repository, WRITE_PULLS)
        return repository, branch if colon else head
    fork = forks.fork_of(call.github, repository, owner)
    # An installation of the base repository does not reach a fork.
    if fork is None or call.by_app:
        raise invalid("PullRequest", "invalid", field="head")
    allow(call.actor, fork, WRITE_PULLS)
    return fork, branch


def _ends(call: Call, repository: Repository, place: Repository, head: str, base: str) -> tuple[str, str]:
    """Return the commits of the head and base branches; refuse where no pull request can be between them."""
    git = call.github.git(repository)
    base_sha, head_sha = git.branch(base), call.github.git(place).branch(head)
    if head_sha is None or call.hidden(place, "ref", f"refs/heads/{head}"):
        raise invalid("PullRequest", "invalid", field="head")
    if base_sha is None:
        raise invalid("PullRequest", "invalid", field="base")
    if changes.open_for(call.github, repository, place, head, base):
        message = f"A pull request already exists for {place.owner}:{head}."
        raise invalid("PullRequest", "custom", message=message)
    if place.id != repository.id:
        forks.bring(call.github, repository, place, head_sha)
    if git.merge_base(base_sha, head_sha) is None:
        message = f"The {head} branch has no history in common with {base}"
        raise invalid("PullRequest", "custom", message=message)
    if git.count(base_sha, head_sha) == 0:
        raise invalid("PullRequest", "custom", message=f"No commits between {base} and {head}")
    return head_sha, base_sha


def find_pull(call: Call, rule: Rule) -> tuple[Repository, Issue]:
    """Return repository and pull request of the path, if the rule allows it.

    Raises:
        ApiError: 401, 403 or 404.
    """
    repository, issue = call.issue(rule)
    if issue.pull is None:
        raise not_found()
    return repository, issue


def _whole_diff(call: Call, git: GitRepository, start: str, head: str) -> Reply | None:
    """Return the difference as text; GitHub refuses one of many files.

    https://github.com/danger/danger-js/pull/1440
    """
    diff = as_diff(call, git, start, head)
    if diff is not None and len(changed_files(git, start, head)) > _MOST_IN_DIFF:
        message = (
            f"Sorry, the diff exceeded the maximum number of files ({_MOST_IN_DIFF}). Consider using "
            "'List pull requests files' API or locally cloning the repository instead."
        )
        details = [{"resource": "PullRequest", "field": "diff", "code": "too_large"}]
        raise ApiError(406, message, errors=details)
    return diff


@ROUTER.on("GET", _PULL)
def get_pull(call: Call) -> Reply:
    """Return one pull request, or its difference when only that is accepted."""
    repository, issue = find_pull(call, READ_PULLS)
    diff = _whole_diff(call, call.github.git(repository), *reviewing.span(call.github, repository, issue))
    if diff is not None:
        return diff
    mergeable, state = mergeability(call.github, repository, issue)
    known = {"mergeable": mergeable, "rebaseable": mergeable, "mergeable_state": state}
    return Reply(200, pulls.pull_request(call.github, repository, issue) | known)


@ROUTER.on("PATCH", _PULL)
def change_pull(call: Call) -> Reply:
    """Change title, text, state or base, as the author or with write access."""
    repository, issue = find_pull(call, EDIT_PULLS)
    changes.check_author(call, repository, issue, "write")
    if (base := call.maybe_text("base")) is not None:
        changes.set_base(call, repository, issue, base)
    if (modify := call.flag("maintainer_can_modify")) is not None and issue.pull and issue.pull.fork_id:
        issue.pull.maintainer_can_modify = modify
    change(call, repository, issue)
    call.github.store.issues.put(issue)
    return Reply(200, pulls.pull_request(call.github, repository, issue))


@ROUTER.on("GET", f"{_PULL}/commits")
def list_commits(call: Call) -> Reply:
    """List a pull request's commits, oldest first."""
    repository, issue = find_pull(call, READ_PULLS)
    start, head = reviewing.span(call.github, repository, issue)
    history = call.github.git(repository).log("--reverse", f"{start}..{head}")[:_MOST_COMMITS]
    return call.page(history, lambda commit: commits.commit(call.github, repository, commit))


@ROUTER.on("GET", f"{_PULL}/files")
def list_files(call: Call) -> Reply:
    """List the changed files, 3,000 at most, with their hunks.

    A file whose hunks are beyond GitHub's limits for one file has no `patch`
    (https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits#diff-limits),
    and once a page's hunks add up to the limit of lines, the rest of the page looks as if nothing was changed
    in it (https://github.com/orgs/community/discussions/213491).
    """
    repository, issue = find_pull(call, READ_PULLS)
    start, head = reviewing.span(call.github, repository, issue)
    found = changed_files(call.github.git(repository), start, head)[:_MOST_FILES]
    shown, headers = call.slice(found)
    lines, shaped = 0, []
    for file in shown:
        lines += (file.patch or "").count("\n")
        if lines > _MOST_LINES:
            limited = replace(file, additions=0, deletions=0, patch=None)
        elif len(file.patch or "") > _LONGEST_PATCH:
            limited = replace(file, patch=None)
        else:
            limited = file
        shaped.append(commits.changed_file(call.github, repository, limited, head))
    return Reply(200, shaped, headers)

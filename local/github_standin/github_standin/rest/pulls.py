"""Pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import changes, events, workflows
from github_standin.answers import ApiError, Reply, forbidden, invalid, not_found
from github_standin.permissions import EDIT_PULLS, READ_PULLS, WRITE_PULLS
from github_standin.records import Pull
from github_standin.rest.commits import as_diff
from github_standin.rest.issues import change, in_state
from github_standin.routing import Router
from github_standin.shapes import commits, pulls

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.permissions import Rule
    from github_standin.records import Issue, Repository

ROUTER = Router()
_PULL = "/repos/{owner}/{repo}/pulls/{number}"
_MOST_COMMITS = 250


@ROUTER.on("GET", "/repos/{owner}/{repo}/pulls")
def list_pulls(call: Call) -> Reply:
    """List pull requests; a `head` that is not `owner:branch` is ignored."""
    found = call.repository(READ_PULLS)
    chosen = in_state(call, [it for it in call.github.issues_of(found) if it.pull])
    chosen = [it for it in chosen if not call.hidden(found, "issue", it.number)]
    owner, colon, branch = call.query.get("head", "").partition(":")
    # As on GitHub, a head without an owner is not a filter at all.
    if colon:
        mine = owner.lower() == found.owner.lower()
        chosen = [it for it in chosen if mine and it.pull and it.pull.head == branch]
    if base := call.query.get("base"):
        chosen = [it for it in chosen if it.pull and it.pull.base == base]
    return call.page(chosen, lambda it: pulls.pull_request(call.github, found, it, full=False))


@ROUTER.on("POST", "/repos/{owner}/{repo}/pulls")
def create_pull(call: Call) -> Reply:
    """Open a pull request from a branch that has commits of its own."""
    found = call.repository(WRITE_PULLS)
    if not found.has_pull_requests:
        raise forbidden("Pull requests are disabled for this repository.")
    head, base = call.text("head"), call.text("base")
    title = changes.checked_title(call.text("title"), "PullRequest")
    body = changes.checked_body(call.maybe_text("body"), "PullRequest")
    draft = call.flag("draft") or False
    owner, colon, branch = head.partition(":")
    if colon:
        head = branch if owner.lower() == found.owner.lower() else ""
    head_sha, base_sha = _ends(call, found, head, base)
    if draft and not found.drafts:
        raise ApiError(422, "Draft pull requests are not supported in this repository.")
    call.create_content()
    number = call.github.store.next_id("pull")
    pull = Pull(id=number, head=head, base=base, head_sha=head_sha, base_sha=base_sha, draft=draft)
    it = changes.begin(call, found, title, body, pull)
    call.github.store.issues.put(it)
    call.github.lag.made("issue", found.id, it.number)
    call.github.git(found).set_ref(f"refs/pull/{it.number}/head", head_sha)
    workflows.start_for_pull(call.github, found, it, call.account())
    events.issue_event(call.github, found, it, "opened", call.account())
    return Reply(201, pulls.pull_request(call.github, found, it))


def _ends(call: Call, found: Repository, head: str, base: str) -> tuple[str, str]:
    """Return the commits of the head and base branches; refuse where no pull request can be between them."""
    git = call.github.git(found)
    base_sha, head_sha = git.branch(base), git.branch(head)
    if head_sha is None or call.hidden(found, "ref", f"refs/heads/{head}"):
        raise invalid("PullRequest", "invalid", field="head")
    if base_sha is None:
        raise invalid("PullRequest", "invalid", field="base")
    if changes.open_for(call.github, found, head, base):
        message = f"A pull request already exists for {found.owner}:{head}."
        raise invalid("PullRequest", "custom", message=message)
    if git.merge_base(base_sha, head_sha) is None:
        message = f"The {head} branch has no history in common with {base}"
        raise invalid("PullRequest", "custom", message=message)
    if git.count(base_sha, head_sha) == 0:
        raise invalid("PullRequest", "custom", message=f"No commits between {base} and {head}")
    return head_sha, base_sha


def _pull(call: Call, rule: Rule) -> tuple[Repository, Issue]:
    found, it = call.issue(rule)
    if it.pull is None:
        raise not_found()
    return found, it


def _span(call: Call, found: Repository, it: Issue) -> tuple[str, str]:
    """Return the pull request's merge base and head."""
    if it.pull is None:
        raise not_found()
    head, base = call.github.head_of(found, it), pulls.base_sha(call.github, found, it, it.pull)
    return call.github.git(found).merge_base(base, head) or base, head


@ROUTER.on("GET", _PULL)
def get_pull(call: Call) -> Reply:
    """Return one pull request, or its difference when only that is accepted."""
    found, it = _pull(call, READ_PULLS)
    diff = as_diff(call, call.github.git(found), *_span(call, found, it))
    return diff or Reply(200, pulls.pull_request(call.github, found, it))


@ROUTER.on("PATCH", _PULL)
def change_pull(call: Call) -> Reply:
    """Change title, text, state or base, as the author or with write access."""
    found, it = _pull(call, EDIT_PULLS)
    changes.check_author(call, found, it, "write")
    base = call.maybe_text("base")
    if base is not None and it.pull is not None and base != it.pull.base:
        if call.github.git(found).branch(base) is None:
            raise invalid("PullRequest", "invalid", field="base")
        it.pull.base = base
    change(call, found, it)
    call.github.store.issues.put(it)
    return Reply(200, pulls.pull_request(call.github, found, it))


@ROUTER.on("GET", f"{_PULL}/commits")
def list_commits(call: Call) -> Reply:
    """List a pull request's commits, oldest first."""
    found, it = _pull(call, READ_PULLS)
    start, head = _span(call, found, it)
    history = call.github.git(found).log("--reverse", f"{start}..{head}")[:_MOST_COMMITS]
    return call.page(history, lambda commit: commits.commit(call.github, found, commit))

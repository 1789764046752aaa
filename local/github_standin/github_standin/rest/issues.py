"""Issues, which pull requests are too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import changes, events
from github_standin.answers import invalid, issues_disabled, unprocessable
from github_standin.auth import role_of
from github_standin.permissions import READ_ISSUES, ROLES, TALK, Rule
from github_standin.rest.labels import ensure_labels
from github_standin.routing import Router
from github_standin.shapes import issues
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Issue, Repository

ROUTER = Router()
_STATES = ("open", "closed", "all")
_LOCK = Rule("issues", "write", "write", or_pulls=True)


def in_state(call: Call, listed: list[Issue]) -> list[Issue]:
    """Return those in the state that the query asks for, newest first unless asked otherwise.

    Raises:
        ApiError: 422, there is no such state.
    """
    state = call.query.get("state", "open")
    if state not in _STATES:
        raise unprocessable("Invalid request.\n\nstate must be one of open, closed, all.")
    chosen = [issue for issue in listed if state in ("all", issue.state)]
    updated = call.query.get("sort") == "updated"
    newest_first = call.query.get("direction", "desc") != "asc"
    return sorted(
        chosen, key=lambda issue: (issue.updated_at if updated else 0, issue.number), reverse=newest_first
    )


@ROUTER.on("GET", "/repos/{owner}/{repo}/issues")
def list_issues(call: Call) -> Reply:
    """List issues and pull requests."""
    repository = call.repository(READ_ISSUES)
    chosen = in_state(call, list(call.github.issues_of(repository)))
    wanted = {name.lower() for name in call.query.get("labels", "").split(",") if name}
    chosen = [issue for issue in chosen if wanted <= {name.lower() for name in issue.labels}]
    return call.page(chosen, lambda issue: issues.issue(call.github, repository, issue))


@ROUTER.on("POST", "/repos/{owner}/{repo}/issues")
def create_issue(call: Call) -> Reply:
    """Open an issue; labels are dropped silently if the actor may not add them."""
    repository = call.repository(TALK)
    if not repository.has_issues:
        raise issues_disabled()
    title = changes.checked_title(call.text("title"), "Issue")
    body = changes.checked_body(call.maybe_text("body"), "Issue")
    names = [_name(label) for label in call.items("labels") or []]
    call.create_content()
    account = call.account()
    issue = changes.begin(call, repository, title, body)
    if call.by_app or ROLES[role_of(repository, account)] >= ROLES["triage"]:
        issue.labels = ensure_labels(call, repository, names)
    call.github.store.issues.put(issue)
    events.issue_event(call.github, repository, issue, "opened", account)
    for name in issue.labels:
        events.label_event(call.github, repository, issue, "labeled", account, name)
    return Reply(201, issues.issue(call.github, repository, issue))


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name")
    if not isinstance(value, str):
        raise unprocessable("Invalid request.\n\nFor 'items', nil is not a string.")
    return value


@ROUTER.on("GET", "/repos/{owner}/{repo}/issues/{number}")
def get_issue(call: Call) -> Reply:
    """Return one issue."""
    repository, issue = call.issue(READ_ISSUES)
    return Reply(200, issues.issue(call.github, repository, issue))


@ROUTER.on("PATCH", "/repos/{owner}/{repo}/issues/{number}")
def change_issue(call: Call) -> Reply:
    """Change title, text, state or labels, as the author or with the triage role."""
    repository, issue = call.issue(TALK)
    changes.check_author(call, repository, issue, "triage")
    labels = call.items("labels")
    reason = call.maybe_text("state_reason")
    change(call, repository, issue)
    if reason is not None and issue.state == "closed":
        issue.state_reason = reason
    if labels is not None:
        changes.set_labels(
            call, repository, issue, ensure_labels(call, repository, [_name(name) for name in labels])
        )
    call.github.store.issues.put(issue)
    return Reply(200, issues.issue(call.github, repository, issue))


@ROUTER.on("PUT", "/repos/{owner}/{repo}/issues/{number}/lock")
def lock_issue(call: Call) -> Reply:
    """Lock a conversation: https://docs.github.com/en/rest/issues/issues#lock-an-issue."""
    _, issue = call.issue(_LOCK)
    issue.locked, issue.lock_reason = True, call.maybe_text("lock_reason")
    call.github.store.issues.put(issue)
    return Reply(204)


def change(call: Call, repository: Repository, issue: Issue) -> None:
    """Apply title, body and state from the request's body, and tell the App.

    Raises:
        ApiError: 422, one of them is not valid.
    """
    kind = "PullRequest" if issue.pull else "Issue"
    body = call.body()
    title, state = call.maybe_text("title"), call.maybe_text("state")
    text = call.maybe_text("body")
    if state not in (None, "open", "closed"):
        raise invalid(kind, "invalid", field="state")
    if title is not None:
        changes.checked_title(title, kind)
    changes.checked_body(text, kind)
    if state == "open" and issue.state == "closed":
        changes.check_reopening(call, repository, issue)
    if title is not None or "body" in body:
        call.create_content(edit=True)
        changes.edit(call, repository, issue, title, text if "body" in body else issue.body)
    if state is not None and state != issue.state:
        changes.set_state(call, repository, issue, state)

"""What a session that is asked for in Jira is about, as it stood there, and who may ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pullwright.errors import (
    AlreadyRunning,
    InvalidRequest,
    IssueEdited,
    IssueWithoutText,
    LabelRemoved,
    NotAllowed,
    PullwrightError,
)
from pullwright.jira.adf import document_text
from pullwright.jira.client import browse_url
from pullwright.jira.telling import tell_started
from pullwright.json_object import as_object
from pullwright.log import logger
from pullwright.models import AuthorRole, IssueComment
from pullwright.opening.conversation import MOST_COMMENTS
from pullwright.opening.subject import LONGEST_TITLE, Subject
from pullwright.text import plain_line, printable

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright.jira.client import JiraClient
    from pullwright.jira.payloads import Comment, Issue
    from pullwright.models import AgentRequest, JiraIssue, SessionRequest
    from pullwright.services import Services
    from pullwright.settings import OpenPullRequestSettings
    from pullwright.store import Store

_MOST_LOOKUPS = 30
_LONGEST_BODY = 65_536
_LONGEST_NAME = 100
# Links, pictures and macros of the older markup have parts that no page shows.
_HIDING = re.compile(r"[{\[]|!\S[^!\n]*!")


def jira_subject(
    services: Services[OpenPullRequestSettings],
    request: SessionRequest,
    repository: str,
    session_id: str,
    *,
    asked_at: datetime,
    only_comments: bool,
) -> Subject:
    """Read the issue in Jira that a session is asked for on.

    Args:
        repository: its current name.
        asked_at: up to when comments count.
        only_comments: the session's worker writes nothing.

    Raises:
        NotAllowed: who asked is in none of the groups that may.
        AlreadyRunning: a session was started before by the same change.
        LabelRemoved, IssueEdited, IssueWithoutText, InvalidRequest: about the issue.
        JiraIssueNotFound, JiraUnavailable, JiraRateLimited, JiraRefused: Jira does not give it.
    """
    asked = request.jira
    if asked is None or only_comments:
        raise InvalidRequest(f"jira: the worker {request.worker} only comments, which is not done in Jira.")
    client = services.jira()
    people = _People(client, services.settings.jira_groups)
    branch = f"claude/{asked.key}"
    # Who asks again by a comment on GitHub, or in the AWS account, has been judged there.
    if request.delivery_id is not None and request.requested_by is None and asked.account is not None:
        people.check(asked.account)
        _check_new(services.store, repository, branch, request, session_id)
    issue = client.issue(asked.key)
    if request.label is not None and not issue.has_label(request.label):
        raise LabelRemoved(f"The label {request.label} is not on {asked.key} in Jira any more.")
    title, body = _as_asked(client, issue, asked)
    if len(body) > _LONGEST_BODY:
        raise InvalidRequest(
            f"The description of {asked.key} has {len(body)} characters; {_LONGEST_BODY} can be read.",
            remedy="Make the description shorter, then add the label again.",
        )
    if not (body or request.prompt):
        raise IssueWithoutText(f"The issue {asked.key} has no description to work from.")
    creator = issue.fields.creator
    comments, left_out = _comments(client, people, asked.key, asked_at)
    return Subject(
        branch=branch,
        number=None,
        issue=None,
        pull_request=None,
        jira=asked.key,
        title=plain_line(title, LONGEST_TITLE),
        body=body,
        opened_by=None if creator is None else plain_line(creator.name, _LONGEST_NAME) or "somebody",
        opened_by_role=None if creator is None else people.role(creator.account_id),
        url=browse_url(client.site, asked.key),
        comments=comments,
        comments_left_out=left_out,
    )


def tell_begin(services: Services[OpenPullRequestSettings], opened: AgentRequest) -> None:
    """Tell Jira where the pull request is; the outcome tells it again where Jira does not take it now."""
    try:
        tell_started(services.jira(), opened)
    except PullwrightError as error:
        logger.warning("Jira was not told of the pull request", error=error.sentence)


@dataclass(slots=True)
class _People:
    """Asks Jira once for each account, and for a limited number of them.

    What somebody may do with an issue says nothing about the code: only groups that the operator names count.

    Attributes:
        groups: names or ids, separated by commas.
    """

    client: JiraClient
    groups: str
    _roles: dict[str, AuthorRole] = field(default_factory=dict)

    def check(self, account: str) -> None:
        """Refuse an account that is deactivated or in none of the groups."""
        if not self.groups.strip():
            raise NotAllowed(
                "No group in Jira may start sessions.",
                remedy="Ask the operator to name the groups in the parameter JiraGroups.",
            )
        person = self.client.person(account)
        name = "Whoever asked in Jira" if person is None else plain_line(person.name, _LONGEST_NAME)
        if person is None or not person.active:
            raise NotAllowed(
                f"{name} has no active account there.", remedy="Ask somebody else to add the label."
            )
        if self.role(account) is not AuthorRole.WRITER:
            raise NotAllowed(
                f"{name} is in none of the groups in Jira that may start sessions.",
                remedy="Ask a member of one of them to add the label.",
            )

    def role(self, account: str) -> AuthorRole:
        """Return `writer` for members of the groups."""
        if account not in self._roles:
            if len(self._roles) >= _MOST_LOOKUPS:
                return AuthorRole.UNKNOWN
            wanted = {name.strip().casefold() for name in self.groups.split(",")} - {""}
            found = self.client.groups(account) if wanted else []
            mine = {text.casefold() for group in found for text in (group.name, group.group_id)}
            self._roles[account] = AuthorRole.WRITER if wanted & mine else AuthorRole.READER
        return self._roles[account]


def _check_new(store: Store, repository: str, branch: str, request: SessionRequest, session_id: str) -> None:
    """Refuse what an earlier session was started by: a webhook that came again under another identifier.

    Under the same one it has the same execution's name; what has it under another is an operator's retry.
    """
    record = store.read_branch(repository, branch)
    if record is None or record.session_id == session_id or request.jira is None:
        return
    earlier = store.read_session(record.session_id).request
    issue, is_again = as_object(earlier.get("jira")), earlier.get("delivery_id") == request.delivery_id
    if not is_again and (issue.get("change"), issue.get("id")) == (request.jira.change, request.jira.id):
        raise AlreadyRunning(f"Another session was started by the same change: {record.pull_request_url}")


def _as_asked(client: JiraClient, issue: Issue, asked: JiraIssue) -> tuple[str, str]:
    """Return title and description as they stood with the change that asked.

    The history has the description in the markup of Jira's older interface, of which only plain text can be
    known to be what people saw.
    """
    title, body = issue.fields.summary, document_text(issue.fields.description)
    if asked.change is None:
        return title, body
    earlier: dict[str, str] = {}
    for change in client.changes(asked.key):
        if change.id > asked.change:
            for item in change.items:
                earlier.setdefault(item.field, item.before or "")
    if "description" in earlier:
        body = printable(earlier["description"]).strip()
        if _HIDING.search(body):
            raise IssueEdited(
                f"The description of {asked.key} was edited after the session was asked for, and Jira's "
                "history does not show what people saw before."
            )
    return earlier.get("summary", title), body


def _comments(
    client: JiraClient, people: _People, key: str, asked_at: datetime
) -> tuple[tuple[IssueComment, ...], int]:
    """Return the newest comments that stood there when somebody asked, and how many more there were.

    Without ours, and without those that not everybody reads who sees the issue.
    """
    me = client.myself().account_id
    standing = [it for it in client.comments(key) if _stood(it, me, asked_at)]
    read = [
        IssueComment(
            author=plain_line(it.author.name, _LONGEST_NAME) if it.author is not None else "somebody",
            author_role=people.role(it.author.account_id) if it.author is not None else AuthorRole.READER,
            created_at=it.created,
            body=body,
        )
        for it in standing[:MOST_COMMENTS]
        if (body := document_text(it.body))
    ]
    return tuple(reversed(read)), len(standing[MOST_COMMENTS:])


def _stood(comment: Comment, me: str, asked_at: datetime) -> bool:
    is_ours = comment.author is not None and comment.author.account_id == me
    is_open = comment.visibility is None and comment.is_public
    return is_open and not is_ours and comment.created <= asked_at and comment.updated <= asked_at

"""The part of GitHub's GraphQL API that has no REST twin: drafts, edit histories, issues that go."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import build_schema, graphql_sync

from github_standin import changes, events, graphql_threads
from github_standin.answers import ApiError
from github_standin.auth import authenticate, may_see, role_of
from github_standin.graphql_parts import (
    JSON,
    RefusedError,
    actor,
    check,
    connection,
    mutation_id,
    refused,
    unresolved,
)
from github_standin.links import node_id, parse_node_id
from github_standin.mergeability import mergeability
from github_standin.permissions import ADMINISTER, ROLES, WRITE_CONTENTS, WRITE_PULLS
from github_standin.times import stamp
from standin.answers import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLError, GraphQLResolveInfo

    from github_standin.calls import Call
    from github_standin.records import Issue, Repository

    Info = GraphQLResolveInfo[Any]

_MERGEABLE = {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}
_SCHEMA = build_schema(Path(__file__).with_name("schema.graphql").read_text())


class Root:
    """Answers the fields of queries and mutations for one request."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._github = call.github

    # Queries

    def viewer(self, _info: Info) -> JSON | None:
        """Return who asks."""
        return actor(self._github, self._call.account().id)

    def node(self, _info: Info, *, id: str) -> JSON:  # noqa: A002 - GitHub's name of the argument
        """Return an issue, a pull request or a review's thread by its id."""
        if (thread := graphql_threads.find(self._call, id)) is not None:
            return graphql_threads.thread(self._call, *thread)
        repository, issue = self._find(id)
        return self._subject(repository, issue)

    def repository(
        self,
        _info: Info,
        *,
        owner: str,
        name: str,
        followRenames: bool = True,  # noqa: N803 - GitHub's name of the argument
    ) -> JSON:
        """Return a repository."""
        del followRenames
        repository = self._github.repository(owner, name)
        if repository is None or not may_see(self._call.actor, repository):
            message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise RefusedError("NOT_FOUND", message)
        return self._repository(repository)

    # Mutations

    def markPullRequestReadyForReview(self, _info: Info, *, input: JSON) -> JSON:  # noqa: A002, N802 - GitHub's names
        """End a pull request's life as a draft."""
        return self._draft(input, changes.mark_ready)

    def convertPullRequestToDraft(self, _info: Info, *, input: JSON) -> JSON:  # noqa: A002, N802 - GitHub's names
        """Make a pull request a draft again."""
        return self._draft(input, changes.convert_to_draft)

    def _draft(self, arguments: JSON, change: Callable[[Call, Repository, Issue], None]) -> JSON:
        repository, issue = self._find(arguments["pullRequestId"])
        if issue.pull is None:
            raise unresolved(arguments["pullRequestId"])
        # Of an App, GitHub wants both here: write access to pull requests and to contents.
        check(self._call.actor, repository, WRITE_PULLS, WRITE_CONTENTS)
        try:
            change(self._call, repository, issue)
        except ApiError as error:
            raise refused(error) from None
        return {**mutation_id(arguments), "pullRequest": self._subject(repository, issue)}

    def resolveReviewThread(self, _info: Info, *, input: JSON) -> JSON:  # noqa: A002, N802 - GitHub's names
        """Resolve a conversation of a review."""
        thread = graphql_threads.resolve(self._call, input["threadId"], resolved=True)
        return {**mutation_id(input), "thread": thread}

    def unresolveReviewThread(self, _info: Info, *, input: JSON) -> JSON:  # noqa: A002, N802 - GitHub's names
        """Open a resolved conversation again."""
        thread = graphql_threads.resolve(self._call, input["threadId"], resolved=False)
        return {**mutation_id(input), "thread": thread}

    def deleteIssue(self, _info: Info, *, input: JSON) -> JSON:  # noqa: A002, N802 - GitHub's names
        """Delete an issue, which only an owner may."""
        repository, issue = self._find(input["issueId"])
        viewer = self._call.actor
        if viewer.kind != "user" or ROLES[role_of(repository, self._call.account())] < ROLES[ADMINISTER.role]:
            raise RefusedError(
                "FORBIDDEN", f"{self._call.account().login} does not have permission to delete"
            )
        issue.deleted = True
        self._github.store.issues.put(issue)
        events.issue_event(self._github, repository, issue, "deleted", self._call.account())
        return {**mutation_id(input), "repository": self._repository(repository)}

    def transferIssue(self, _info: Info, *, input: JSON) -> JSON:  # noqa: A002, N802 - GitHub's names
        """Move an issue to another repository of the same owner, which takes write access to both."""
        repository, issue = self._find(input["issueId"])
        prefix, number = parse_node_id(input["repositoryId"]) or ("", 0)
        target = self._github.store.repositories.get(number) if prefix == "R" else None
        viewer = self._call.actor
        if target is None or not may_see(viewer, target):
            raise unresolved(input["repositoryId"])
        if issue.pull is not None or target is repository or target.owner_id != repository.owner_id:
            raise RefusedError("UNPROCESSABLE", "The issue cannot be transferred to that repository.")
        account, least = self._call.account(), ROLES[WRITE_CONTENTS.role]
        if viewer.kind != "user" or any(
            ROLES[role_of(place, account)] < least for place in (repository, target)
        ):
            raise RefusedError("FORBIDDEN", f"{account.login} does not have permission to transfer")
        changes.transfer(self._call, repository, issue, target)
        return {**mutation_id(input), "issue": self._subject(target, issue)}

    # Shapes

    def _find(self, text: str) -> tuple[Repository, Issue]:
        prefix, number = parse_node_id(text) or ("", 0)
        for issue in self._github.store.issues:
            own = ("PR", issue.pull.id) if issue.pull else ("I", issue.id)
            repository = self._github.store.repositories.get(issue.repository_id)
            if own == (prefix, number) and repository and not issue.deleted:
                hidden = self._github.lag.hides(self._call.actor, "issue", repository.id, issue.number)
                if may_see(self._call.actor, repository) and not hidden:
                    return repository, issue
                break
        raise unresolved(text)

    def _repository(self, repository: Repository) -> JSON:
        def subject(number: int, *, pull: bool) -> JSON:
            issue = self._github.issue(repository, number)
            kind = "PullRequest" if pull else "Issue"
            if issue is None or issue.deleted or (issue.pull is not None) != pull:
                message = f"Could not resolve to {'a' if pull else 'an'} {kind} with the number of {number}."
                raise RefusedError("NOT_FOUND", message)
            return self._subject(repository, issue)

        return {
            "__typename": "Repository",
            "id": node_id("R", repository.id),
            "name": repository.name,
            "nameWithOwner": repository.full_name,
            "isPrivate": repository.private,
            "isArchived": repository.archived,
            "url": self._github.links.page(repository),
            "issue": lambda _info, number: subject(number, pull=False),
            "pullRequest": lambda _info, number: subject(number, pull=True),
        }

    def _subject(self, repository: Repository, issue: Issue) -> JSON:
        edited = issue.edits[-1].edited_at if len(issue.edits) > 1 else None
        shaped = {
            "__typename": "PullRequest" if issue.pull else "Issue",
            "id": node_id("PR", issue.pull.id) if issue.pull else node_id("I", issue.id),
            "number": issue.number,
            "title": issue.title,
            "body": issue.body or "",
            "state": issue.state.upper(),
            "url": self._github.links.page(
                repository, f"/{'pull' if issue.pull else 'issues'}/{issue.number}"
            ),
            "author": actor(self._github, issue.user_id),
            "createdAt": stamp(issue.created_at),
            "updatedAt": stamp(issue.updated_at),
            "lastEditedAt": stamp(edited),
            "userContentEdits": lambda _info, **page: connection(self._edits(issue), page),
        }
        if issue.pull is None:
            # Issue.databaseId is a 32-bit Int in GitHub's schema: newer issues have null there.
            shaped["databaseId"] = None
            shaped["timelineItems"] = lambda _info, **page: connection(self._renamings(issue), page)
        else:
            of_pull: JSON = {
                "isDraft": issue.pull.draft,
                "headRefName": issue.pull.head,
                "headRepository": self._head_repository(repository, issue),
                "mergeable": lambda _info: _MERGEABLE[mergeability(self._github, repository, issue)[0]],
                "isCrossRepository": issue.pull.fork_id is not None,
                "maintainerCanModify": issue.pull.maintainer_can_modify,
                "headRefOid": self._github.head_of(repository, issue),
                "baseRefName": issue.pull.base,
                "reviewThreads": lambda _info, **page: graphql_threads.threads(
                    self._call, repository, issue, page
                ),
            }
            shaped |= of_pull
        return shaped

    def _head_repository(self, repository: Repository, issue: Issue) -> JSON | None:
        head = self._github.head_repository(repository, issue)
        return None if head is None else self._repository(head)

    def _edits(self, issue: Issue) -> list[JSON]:
        # Newest first; a text that was never edited has no history, and the original counts as an edit.
        return [
            {
                "id": node_id("UCE", edit.id),
                "createdAt": stamp(edit.edited_at),
                "editedAt": stamp(edit.edited_at),
                "diff": edit.text,
                "editor": actor(self._github, edit.editor_id),
            }
            for edit in (reversed(issue.edits) if len(issue.edits) > 1 else ())
        ]

    def _renamings(self, issue: Issue) -> list[JSON]:
        return [
            {
                "__typename": "RenamedTitleEvent",
                "id": node_id("RTE", renaming.id),
                "createdAt": stamp(renaming.created_at),
                "previousTitle": renaming.before,
                "currentTitle": renaming.after,
                "actor": actor(self._github, renaming.actor_id),
            }
            for renaming in issue.renamings
        ]


def respond(call: Call) -> Reply:
    """Answer a GraphQL request: HTTP 200 even for refusals, which stand in `errors`."""
    try:
        query, variables = _admit(call)
    except ApiError as error:
        return _limit(call, error) or error.reply()
    result = graphql_sync(_SCHEMA, query, root_value=Root(call), variable_values=variables)
    body: JSON = {} if result.data is None and result.errors else {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error) for error in result.errors]
    headers = call.github.meter.headers(call.actor)
    return Reply(200, json.loads(json.dumps(body)), headers)


def _limit(call: Call, error: ApiError) -> Reply | None:
    """Return a rate limit in the form that GraphQL gives it: 200, or 403 in a secondary one.

    https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#exceeding-the-rate-limit;
    the type and code of a primary one are as reported in https://github.com/yanyongyu/githubkit/issues/271.
    """
    if "rate limit" not in error.message:
        return None
    settings = call.github.store.settings.limits
    headers = {**call.github.meter.headers(call.actor), **error.headers}
    if "secondary" in error.message:
        reply = error.reply() if settings.graphql_status != HTTPStatus.OK.value else Reply()
        return Reply(reply.status, reply.body or {"errors": [{"message": error.message}]}, headers)
    refusal = {"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": error.message}
    return Reply(200, {"errors": [refusal]}, headers)


def _admit(call: Call) -> tuple[str, JSON | None]:
    """Authenticate the request, and return its query and variables."""
    call.actor = authenticate(call.github, call.headers.get("authorization"))
    if call.actor.kind in ("anonymous", "app"):
        raise ApiError(401, "This endpoint requires you to be authenticated.")
    call.github.meter.count(call.actor)
    call.github.lag.check(call.actor)
    return call.text("query"), call.table("variables")


def _error(error: GraphQLError) -> JSON:
    shaped: JSON = {}
    if isinstance(error.original_error, RefusedError):
        shaped["type"] = error.original_error.kind
    if error.path is not None:
        shaped["path"] = list(error.path)
    shaped["locations"] = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    shaped["message"] = error.message
    return shaped

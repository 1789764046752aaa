"""Finds tasks in a repository's own history: merged pull requests that closed one issue and changed tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from pullwright.errors import GitHubRefused, RepositoryNotFound
from pullwright.evaluation import EvaluationTask
from pullwright.github.connection import parse
from pullwright.github.payloads import Payload
from pullwright.repository.tested import is_test

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pullwright.github.client import GitHubClient

# `closingIssuesReferences` are the issues that the merge has closed, linked by keyword or by hand:
# https://docs.github.com/en/graphql/reference/objects#pullrequest
QUERY = """
query($owner: String!, $name: String!, $count: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(
      states: [MERGED], first: $count, after: $after, orderBy: {field: CREATED_AT, direction: DESC}
    ) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number
        createdAt
        baseRefOid
        headRefOid
        closingIssuesReferences(first: 2) {
          nodes {
            number
            title
            body
            createdAt
            repository { nameWithOwner }
            userContentEdits(first: 100) { nodes { editedAt diff } }
            timelineItems(last: 100, itemTypes: [RENAMED_TITLE_EVENT]) {
              nodes { ... on RenamedTitleEvent { createdAt previousTitle } }
            }
          }
        }
      }
    }
  }
}
"""
_PAGE = 25
_MOST_PULLS = 1_000
# The comparison lists so many files at most, without saying that there are more:
# https://docs.github.com/en/rest/commits/commits#compare-two-commits
_MOST_FILES = 300
_WHAT = "list merged pull requests"


NodeT = TypeVar("NodeT")
# GraphQL's lists may hold null in the place of what the token does not reach.
Nodes = Annotated[
    list[NodeT], BeforeValidator(lambda nodes: [node for node in nodes or () if node is not None])
]


class _Edit(Payload):
    edited_at: str = Field(alias="editedAt")
    diff: str | None = None


class _Renaming(Payload):
    created_at: str = Field(alias="createdAt")
    previous_title: str = Field(alias="previousTitle")


class _Edits(Payload):
    nodes: Nodes[_Edit]


class _Renamings(Payload):
    nodes: Nodes[_Renaming]


class _Place(Payload):
    name: str = Field(alias="nameWithOwner")


class _Issue(Payload):
    number: int
    title: str
    body: str
    created_at: str = Field(alias="createdAt")
    repository: _Place
    edits: _Edits | None = Field(default=None, alias="userContentEdits")
    renamings: _Renamings = Field(alias="timelineItems")

    def title_at(self, moment: str) -> str:
        """Return the title at a time, which GitHub writes so that texts compare as times do."""
        later = sorted(
            (it for it in self.renamings.nodes if it.created_at > moment), key=lambda it: it.created_at
        )
        return later[0].previous_title if later else self.title

    def body_at(self, moment: str) -> str | None:
        """Return the description at a time; None if GitHub does not give it any more."""
        edits = sorted(self.edits.nodes if self.edits is not None else [], key=lambda it: it.edited_at)
        if not edits or edits[-1].edited_at <= moment:
            return self.body
        # The first of them is the text that the issue began with.
        return next((it.diff for it in reversed(edits) if it.edited_at <= moment), None)


class _Issues(Payload):
    nodes: Nodes[_Issue]


class _Pull(Payload):
    number: int
    created_at: str = Field(alias="createdAt")
    base: str = Field(alias="baseRefOid")
    head: str = Field(alias="headRefOid")
    issues: _Issues = Field(alias="closingIssuesReferences")


class _PageInfo(Payload):
    has_next: bool = Field(alias="hasNextPage")
    end: str | None = Field(default=None, alias="endCursor")


class _Pulls(Payload):
    info: _PageInfo = Field(alias="pageInfo")
    nodes: Nodes[_Pull]


class _Commit(Payload):
    sha: str


class _File(Payload):
    filename: str
    previous_filename: str | None = None


class _Comparison(Payload):
    merge_base_commit: _Commit
    files: tuple[_File, ...] = ()


class _NoTaskError(Exception):
    """A pull request makes no task; the text says why."""


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        left_out: why pull requests are no tasks, by their numbers.
    """

    tasks: list[EvaluationTask] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)


def discover(client: GitHubClient, repository: str, count: int) -> Found:
    """Find the newest tasks of a repository.

    A task begins where the pull request's branch left its base, and is judged by the tests at the branch's
    head: both are the same however it was merged. The issue's text is that of the moment when the pull
    request was opened.

    Args:
        client: reads with the operator's own token.
        repository: `owner/name`.
        count: how many are wanted; there may be fewer.

    Raises:
        PullwrightError: GitHub does not say.
    """
    found = Found()
    for pull in _merged(client, repository):
        if len(found.tasks) == count:
            break
        try:
            task = _task(client, repository, pull)
        except _NoTaskError as error:
            found.left_out[pull.number] = str(error)
        except GitHubRefused as error:
            found.left_out[pull.number] = f"GitHub does not compare it with its base: {error.sentence}"
        else:
            if task.id in {it.id for it in found.tasks}:
                found.left_out[pull.number] = "another pull request closed its issue after it"
            else:
                found.tasks.append(task)
    return found


def _merged(client: GitHubClient, repository: str) -> Iterator[_Pull]:
    owner, _, name = repository.partition("/")
    after: str | None = None
    for _ in range(_MOST_PULLS // _PAGE):
        variables = {"owner": owner, "name": name, "count": _PAGE, "after": after}
        answer: Any = client.graphql(QUERY, variables, _WHAT) or {}
        if answer.get("repository") is None:
            raise RepositoryNotFound(
                f"The repository {repository} does not exist, or the token does not reach it."
            )
        page = parse(_Pulls, answer["repository"].get("pullRequests"), _WHAT)
        yield from page.nodes
        if not page.info.has_next:
            return
        after = page.info.end


def _task(client: GitHubClient, repository: str, pull: _Pull) -> EvaluationTask:
    """Return the task that a pull request makes.

    Raises:
        _NoTaskError: it makes none.
    """
    issue = _issue(repository, pull)
    body = issue.body_at(pull.created_at)
    if body is None:
        raise _NoTaskError("the issue's text before it is not known any more")
    path = f"/repos/{repository}/compare/{pull.base}...{pull.head}"
    compared = client.get(path, "compare a pull request with its base", _Comparison)
    if compared.merge_base_commit.sha == pull.head:
        raise _NoTaskError("its base holds it already")
    return EvaluationTask(
        id=str(issue.number),
        repository=repository,
        base_commit=compared.merge_base_commit.sha,
        solution_commit=pull.head,
        title=issue.title_at(pull.created_at),
        body=body,
        tests=_tests(compared.files),
        issue=issue.number,
        pull_request=pull.number,
    )


def _issue(repository: str, pull: _Pull) -> _Issue:
    if len(pull.issues.nodes) != 1:
        raise _NoTaskError("it closed several issues" if pull.issues.nodes else "it closed no issue")
    [issue] = pull.issues.nodes
    if issue.repository.name.lower() != repository.lower():
        raise _NoTaskError(f"its issue is in {issue.repository.name}")
    if issue.created_at > pull.created_at:
        raise _NoTaskError("its issue was written after it")
    return issue


def _tests(files: Sequence[_File]) -> tuple[str, ...]:
    if len(files) >= _MOST_FILES:
        raise _NoTaskError(f"it changed {_MOST_FILES} files or more")
    # A test that was renamed must not stay under its old name.
    names = {name for it in files for name in (it.filename, it.previous_filename) if name is not None}
    tests = tuple(sorted(filter(is_test, names)))
    if not tests:
        raise _NoTaskError("it changed no test")
    if len(tests) == len(names):
        raise _NoTaskError("it changed nothing but tests")
    return tests

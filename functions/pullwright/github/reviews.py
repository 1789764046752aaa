"""Reviews on GitHub: what a pull request changes, the threads about it, and what we add to them.

https://docs.github.com/en/rest/pulls/reviews; whether a thread is resolved only GraphQL knows:
https://docs.github.com/en/graphql/reference/objects#pullrequestreviewthread
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from pullwright.github.client import GitHubClient
from pullwright.github.connection import parse
from pullwright.github.payloads import Payload, PullRequest
from pullwright.github.refusals import validation_words
from pullwright.log import scrub

_UNPROCESSABLE = 422
_MOST_FILES = 3_000
_MOST_PAGES = 5

_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved path line
          resolvedBy { login }
          comments(first: 50) {
            nodes { fullDatabaseId body createdAt lastEditedAt author { __typename login } }
          }
        }
      }
    }
  }
}
"""


class ChangedFile(Payload):
    """A file that a pull request changes.

    Attributes:
        filename: its path, the new one if it was renamed.
        patch: its hunks; absent for binary files, and for what is too large.
    """

    filename: str
    patch: str | None = None


class Comparison(Payload):
    """What differs between two commits, 300 files at most."""

    files: tuple[ChangedFile, ...] = ()


class Author(Payload):
    """Whose a comment is; GraphQL names an App's account without the suffix `[bot]`."""

    kind: str = Field(default="", alias="__typename")
    login: str = ""


class ThreadComment(Payload):
    """One comment of a thread; a deleted account leaves `author` empty.

    Attributes:
        edited_at: when its text was last edited. `updatedAt` is no measure of that: it changes when the
            comment's review is submitted, too.
    """

    id: int | None = Field(default=None, alias="fullDatabaseId")
    body: str = ""
    created_at: datetime = Field(alias="createdAt")
    edited_at: datetime | None = Field(default=None, alias="lastEditedAt")
    author: Author | None = None

    def is_by_app(self, slug: str) -> bool:
        """Return whether the App of that name wrote it."""
        return self.author is not None and self.author.kind == "Bot" and self.author.login == slug


class _Comments(Payload):
    nodes: tuple[ThreadComment, ...] = ()


class ReviewThread(Payload):
    """A conversation about lines of a pull request's changes.

    Attributes:
        line: where it is now; None if it is outdated.
        resolver: who resolved it. GitHub has only people there: one that an App resolved has nobody.
    """

    id: str
    is_resolved: bool = Field(alias="isResolved")
    path: str = ""
    line: int | None = None
    resolver: Author | None = Field(default=None, alias="resolvedBy")
    comments_: _Comments = Field(default=_Comments(), alias="comments")

    @property
    def comments(self) -> tuple[ThreadComment, ...]:
        """Its comments, oldest first; the first has begun it."""
        return self.comments_.nodes

    @property
    def comment_id(self) -> int | None:
        """Id of the comment that began it, to which replies are made."""
        return self.comments[0].id if self.comments else None


class MadeReview(Payload):
    """A review that was submitted."""

    id: int
    html_url: str


class Reviews:
    """The reviews of one pull request."""

    def __init__(self, client: GitHubClient, repository: str, number: int) -> None:
        self._client = client
        self._repository = repository
        self._number = number

    def changed_files(self, pull: PullRequest, commit: str) -> list[ChangedFile]:
        """Return what the pull request changes up to a commit of it."""
        what = "list what the pull request changes"
        if pull.head.sha == commit:
            path = f"{self._path}/files"
            return list(self._client.pages(path, what, ChangedFile, limit=_MOST_FILES))
        # It has been pushed to since; the list is that of the newest commit.
        path = f"/repos/{self._repository}/compare/{quote(pull.base.ref, safe='')}...{commit}"
        return list(self._client.get(path, what, Comparison, [commit]).files)

    def threads(self) -> list[ReviewThread]:
        """Return the threads, the oldest 500 of them."""
        what = "read the threads of the pull request"
        owner, _, name = self._repository.partition("/")
        after, found = None, []
        for _ in range(_MOST_PAGES):
            place = {"owner": owner, "name": name, "number": self._number, "after": after}
            answer = self._client.graphql(_THREADS, place, what, [f"number:{self._number}"]) or {}
            pull = (answer.get("repository") or {}).get("pullRequest") or {}
            page = pull.get("reviewThreads") or {}
            found += [parse(ReviewThread, node, what) for node in page.get("nodes") or []]
            info = page.get("pageInfo") or {}
            if not info.get("hasNextPage"):
                break
            after = info.get("endCursor")
        return found

    def submit(self, commit: str, body: str, comments: Sequence[Mapping[str, Any]]) -> MadeReview | str:
        """Submit a review that neither approves nor blocks.

        Args:
            commit: a commit of the pull request.
            comments: each with `path`, `line`, `side` and `body`, and for several lines their first.

        Returns:
            It, or in GitHub's words why it would not.
        """
        what = "submit a review"
        fields = {
            "commit_id": commit,
            "event": "COMMENT",
            "body": scrub(body),
            "comments": [{**comment, "body": scrub(comment["body"])} for comment in comments],
        }
        response = self._client.call(
            "POST",
            f"{self._path}/reviews",
            what,
            body=fields,
            allow=(_UNPROCESSABLE,),
            about=[f"number:{self._number}", commit],
            is_content=True,
        )
        if response.status == _UNPROCESSABLE:
            return validation_words(response)
        return parse(MadeReview, response.decoded, what)

    def reply(self, comment_id: int, body: str) -> None:
        """Answer in a thread.

        https://docs.github.com/en/rest/pulls/comments#create-a-reply-for-a-review-comment

        Args:
            comment_id: of the comment that began it.
        """
        self._client.call(
            "POST",
            f"{self._path}/comments/{comment_id}/replies",
            "answer in a thread",
            body={"body": scrub(body)},
            is_content=True,
        )

    def resolve(self, threads: Sequence[str]) -> None:
        """Resolve threads by their ids, all in one request."""
        names = [f"t{number}" for number, _ in enumerate(threads)]
        arguments = ", ".join(f"${name}: ID!" for name in names)
        parts = [
            f"{name}: resolveReviewThread(input: {{threadId: ${name}}}) {{ thread {{ id }} }}"
            for name in names
        ]
        variables = dict(zip(names, threads, strict=True))
        mutation = f"mutation({arguments}) {{ {' '.join(parts)} }}"
        self._client.graphql(mutation, variables, "resolve threads of the pull request")

    @property
    def _path(self) -> str:
        return f"/repos/{self._repository}/pulls/{self._number}"

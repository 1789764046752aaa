"""The fields of GitHub's answers that we read; everything else in them is ignored."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Payload(BaseModel):
    """A frozen view of an answer of GitHub's."""

    # An answer may hold a token, and a validation error would quote it.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True)


class User(Payload):
    """An account: a person, an organisation or an App's bot."""

    id: int
    login: str


class RepositoryInfo(Payload):
    """A repository; `full_name` is its current name, even if it was asked for by an earlier one."""

    id: int
    full_name: str
    default_branch: str
    archived: bool = False
    has_pull_requests: bool = True
    private: bool = False


class Label(Payload):
    """A label of an issue."""

    name: str = ""


class Issue(Payload):
    """An issue, or a pull request seen as one.

    Attributes:
        body: Markdown, as it was written.
        body_html: the same version as GitHub renders it, if that was asked for.
        labels: objects, or names alone: GitHub's schema allows both.
        pull_request: present if the number belongs to a pull request.
        repository_url: tells where an issue went that was transferred.
    """

    number: int
    title: str
    body: str | None = None
    body_html: str | None = None
    user: User | None = None
    state: str
    html_url: str
    repository_url: str = ""
    labels: tuple[Label | str, ...] = ()
    pull_request: dict[str, object] | None = None

    def has_label(self, name: str) -> bool:
        """Return whether it has a label; case does not matter on GitHub."""
        names = (label if isinstance(label, str) else label.name for label in self.labels)
        return name.casefold() in {label.casefold() for label in names}


class Edit(Payload):
    """One version of a description; one that somebody deleted from the history has no text."""

    diff: str | None = None


class Edits(Payload):
    """The versions of a description."""

    nodes: tuple[Edit, ...] = ()


class Renaming(Payload):
    """One change of a title."""

    previous_title: str = Field(alias="previousTitle")
    current_title: str = Field(alias="currentTitle")


class Renamings(Payload):
    """The changes of a title."""

    nodes: tuple[Renaming, ...] = ()


class IssueHistory(Payload):
    """What an issue said before."""

    edits: Edits | None = Field(default=None, alias="userContentEdits")
    renamings: Renamings = Field(default=Renamings(), alias="timelineItems")

    @property
    def bodies(self) -> list[str]:
        """The descriptions that it had."""
        return [edit.diff for edit in (self.edits.nodes if self.edits else ()) if edit.diff is not None]

    @property
    def titles(self) -> list[str]:
        """The titles that it had."""
        return [
            title
            for renaming in self.renamings.nodes
            for title in (renaming.previous_title, renaming.current_title)
        ]


class Comment(Payload):
    """A comment on an issue or a pull request; a deleted account leaves `user` empty.

    Attributes:
        body: Markdown, as it was written.
        body_html: the same version as GitHub renders it, if that was asked for.
        minimized: why somebody has hidden it, as spam for example; None if it is shown.
    """

    id: int
    body: str | None = None
    body_html: str | None = None
    minimized: dict[str, object] | None = None
    user: User | None = None
    created_at: datetime
    updated_at: datetime

    def is_by(self, account_id: int, marker: str) -> bool:
        """Return whether our account wrote it and it begins with a marker.

        Anybody can write the marker, and what we write may quote it: so it has to be ours and begin with it.
        """
        return self.user is not None and self.user.id == account_id and (self.body or "").startswith(marker)


class Review(Payload):
    """A submitted review of a pull request; `body` and `body_html` as of a comment."""

    id: int
    body: str | None = None
    body_html: str | None = None
    state: str
    user: User | None = None
    submitted_at: datetime | None = None


class ReviewComment(Payload):
    """A comment on a file or on lines of it; `line` is empty once they are gone."""

    id: int
    pull_request_review_id: int | None = None
    path: str
    line: int | None = None
    body: str | None = None
    body_html: str | None = None
    user: User | None = None
    created_at: datetime

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return self.path if self.line is None else f"{self.path}, line {self.line}"


class Tree(Payload):
    """The files of a commit."""

    sha: str


class Committer(Payload):
    """Who made a commit, and when."""

    date: datetime


class Commit(Payload):
    """A commit as the git database has it."""

    sha: str
    tree: Tree
    message: str
    committer: Committer


class Delivery(Payload):
    """One attempt to deliver a webhook.

    Attributes:
        guid: the delivery's, the same for all of its attempts.
        status: `OK`, or in words what went wrong.
        status_code: of our answer; 0 when there was none.
    """

    id: int
    guid: str
    delivered_at: datetime
    status: str
    status_code: int
    event: str
    action: str | None = None


class ReachedRepository(Payload):
    """A repository that an installation reaches."""

    full_name: str


class ReachedRepositories(Payload):
    """A page of the repositories that an installation reaches."""

    total_count: int
    repositories: tuple[ReachedRepository, ...]


class HeadRepository(Payload):
    """The repository that a pull request comes from."""

    full_name: str


class Head(Payload):
    """A pull request's branch; `repo` is empty when that repository is gone."""

    ref: str
    sha: str
    repo: HeadRepository | None = None


class Base(Payload):
    """The branch that a pull request goes to, and its commit."""

    ref: str
    sha: str


class PullRequest(Payload):
    """A pull request."""

    number: int
    node_id: str
    html_url: str
    state: str
    title: str
    body: str | None = None
    body_html: str | None = None
    draft: bool = False
    merged_at: datetime | None = None
    user: User | None = None
    head: Head
    base: Base

    def comes_from(self, repository: str) -> bool:
        """Return whether its branch is in a repository, and not in a fork."""
        return self.head.repo is not None and self.head.repo.full_name.lower() == repository.lower()


class KnownCheckRun(Payload):
    """A check run that is there already."""

    external_id: str | None = None


class CheckRuns(Payload):
    """The check runs of a commit."""

    check_runs: tuple[KnownCheckRun, ...]


class ChangedFile(Payload):
    """One file of a pull request's changes."""

    filename: str
    previous_filename: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Its paths: a renamed file has two."""
        return (self.filename,) if self.previous_filename is None else (self.filename, self.previous_filename)


class CheckRun(BaseModel):
    """A finished check run as we write it.

    Attributes:
        external_id: ours, tells a repeated report from a new one.
        summary: Markdown.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    head_sha: str
    external_id: str
    conclusion: Literal["success", "failure", "neutral"]
    title: str
    summary: str = Field(max_length=65_535)

    def body(self) -> dict[str, object]:
        """Return the request's body."""
        return {
            "name": self.name,
            "head_sha": self.head_sha,
            "external_id": self.external_id,
            "status": "completed",
            "conclusion": self.conclusion,
            "output": {"title": self.title, "summary": self.summary},
        }


class Owner(Payload):
    """An owner: a person, an organisation, or an enterprise, which has no login."""

    login: str | None = None


class App(Payload):
    """The GitHub App itself."""

    id: int
    slug: str
    owner: Owner | None = None


class Installation(Payload):
    """Where the App is installed, and what it may do there."""

    id: int
    account: Owner | None = None
    permissions: dict[str, str] = Field(default_factory=dict)
    suspended_at: datetime | None = None


class InstallationToken(Payload):
    """A token of an installation; its value never shows in a repr.

    Attributes:
        installation_id: whose token it is, filled in by us.
        minted_at: when we got it, Unix seconds, filled in by us.
    """

    token: str = Field(repr=False)
    expires_at: datetime
    installation_id: int = 0
    minted_at: float = 0.0

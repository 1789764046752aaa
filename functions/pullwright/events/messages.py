"""The messages that the webhook puts into the queue."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from pullwright.fields import CommitHash, Model, Repository, SessionId, Sha256, WorkerName
from pullwright.json_object import as_object
from pullwright.models import SessionRequest
from pullwright.previewing.store import PreviewRecord
from pullwright.reconciling.executions import is_at_or_before
from pullwright.record import SessionRecord

_LOGIN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


class QueuedStart(Model):
    """Start an execution for which Step Functions had no room, or about which GitHub has to be asked first.

    Attributes:
        input: the execution's, byte for byte as the webhook made it.
        machine: which state machine runs it.
        paths: patterns of which one must fit a file that the pull request changes.
        teams: of which the person who asked must be in one.
    """

    kind: Literal["start"]
    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    input: Annotated[str, StringConstraints(min_length=2)]
    machine: Literal["session", "preview"] = "session"
    paths: tuple[str, ...] = Field(default=(), strict=False)
    teams: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return self.name


class QueuedPreview(Model):
    """Start the preview that a session leaves, if the repository's configuration wants one.

    Attributes:
        session: that changed the pull request; its id names the host.
    """

    kind: Literal["preview"]
    session: SessionId
    repository: Repository
    pull_request: int = Field(ge=1)
    installation_id: int | None = Field(default=None, ge=1)

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return self.session


class QueuedStop(Model):
    """End the sessions whose label, issue, pull request or installation is gone.

    Attributes:
        error: what their executions end with, a class of `pullwright.errors`.
        repository: with `issue`, whose sessions that a label started end if they were asked for before `at`.
        pull_request: with `repository`, whose sessions end if they began before `at`.
        label: the one that was taken off; sessions that another one started go on.
        jira: id of the issue in Jira, by itself, whose sessions end if they were asked for before `at`.
        installation_id: with `repositories` (None is all), whose sessions end.
    """

    kind: Literal["stop"]
    error: Literal["LabelRemoved", "SessionStopped"]
    cause: str
    repository: str | None = None
    issue: int | None = None
    pull_request: int | None = None
    label: str | None = None
    jira: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")] | None = None
    at: str = ""
    installation_id: int | None = None
    repositories: tuple[str, ...] | None = Field(default=None, strict=False)

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return f"Jira {self.jira}" if self.jira else f"{self.repository}#{self.issue or self.pull_request}"

    def is_about(self, record: SessionRecord) -> bool:
        """Return whether a session is one of those that end."""
        if self.installation_id is not None:
            is_reached = self.repositories is None or record.repository in self.repositories
            return is_reached and record.installation_id == self.installation_id
        if self.jira is not None:
            # By id: an issue that was moved has another key, and perhaps another repository.
            asked_at = record.request.get("asked_at")
            is_meant = as_object(record.request.get("jira")).get("id") == self.jira
            return is_meant and bool(asked_at) and is_at_or_before(asked_at, self.at)
        if self.pull_request is not None and self.label is None:
            place = (record.repository, record.pull_request)
            is_meant = place == (self.repository, self.pull_request)
            return is_meant and is_at_or_before(str(record.created_at), self.at)
        return self._is_labelled(record)

    def is_about_preview(self, record: PreviewRecord) -> bool:
        """Return whether a preview is one of those that end."""
        if self.installation_id is not None:
            is_reached = self.repositories is None or record.preview_repository in self.repositories
            return is_reached and record.installation_id == self.installation_id
        place = (record.preview_repository, record.pull_request)
        if self.pull_request is None or place != (self.repository, self.pull_request):
            return False
        # One that a session left stands without a label.
        is_meant = self.label is None or record.label.casefold() == self.label.casefold()
        return is_meant and is_at_or_before(record.started_at, self.at)

    def _is_labelled(self, record: SessionRecord) -> bool:
        """Return whether the label started a session; one that was added again afterwards stands."""
        request = record.request
        subject = (request.get("issue"), request.get("pull_request"))
        is_meant = (record.repository, *subject) == (self.repository, self.issue, self.pull_request)
        label = request.get("label")
        # What older releases queued names no label, and who started a session without one needs none.
        is_other = None not in (self.label, label) and str(self.label).casefold() != str(label).casefold()
        if not is_meant or is_other or not request.get("asked_at"):
            return False
        return is_at_or_before(request["asked_at"], self.at)


class QueuedRelease(Model):
    """Release held CI, because a person has read the work.

    Attributes:
        comment_id: of the comment that asked, if one did.
        asked_at: when it was written; later work is not what was read.
        commit: what was approved, if it was a review.
    """

    kind: Literal["release"]
    repository: Repository
    pull_request: int = Field(ge=1)
    login: Annotated[str, StringConstraints(pattern=_LOGIN)]
    installation_id: int = Field(ge=1)
    comment_id: int | None = Field(default=None, ge=1)
    asked_at: datetime | None = Field(default=None, strict=False)
    commit: CommitHash | None = None

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return f"{self.repository}#{self.pull_request}"


class QueuedReview(Model):
    """A review that may ask for a session: GitHub has to be asked what its comments in the code say.

    Attributes:
        name: of the execution that it then starts, with the input `request`.
    """

    kind: Literal["review"]
    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
    request: SessionRequest

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return self.name


class QueuedCommand(Model):
    """A command in a new comment of a person, such as `/stop`.

    Attributes:
        name: without the slash; none of ours, if it was meant for us and misspelt.
        is_alone: whether nothing else stands in the comment.
        number: of the issue or pull request that was commented on.
        text_sha256: of the comment; None in messages of an earlier release.
        title_sha256: of the issue or pull request as it stood then, as is `body_sha256`.
    """

    kind: Literal["command"]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
    is_alone: bool
    repository: Repository
    number: int = Field(ge=1)
    is_pull_request: bool
    login: Annotated[str, StringConstraints(pattern=_LOGIN)]
    installation_id: int = Field(ge=1)
    comment_id: int = Field(ge=1)
    asked_at: datetime = Field(strict=False)
    delivery_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
    text_sha256: Sha256 | None = None
    title_sha256: Sha256
    body_sha256: Sha256

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return f"{self.repository}#{self.number}"


class QueuedChecks(Model):
    """Checks of pull requests ended, badly or well.

    Attributes:
        pull_requests: whose head the commit may be.
        app_id: of the App whose checks they are.
        workers: that mend what failed.
    """

    kind: Literal["checks"]
    repository: Repository
    pull_requests: tuple[int, ...] = Field(strict=False)
    branch: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    commit: CommitHash
    app_id: int | None = None
    has_passed: bool
    workers: tuple[WorkerName, ...] = Field(strict=False)
    installation_id: int = Field(ge=1)
    delivery_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return f"{self.repository}@{self.commit}"


class QueuedHint(Model):
    """Tell the person who added a label why it started no worker.

    Attributes:
        number: of the issue or pull request.
        reasons: by worker, the rest of a sentence that begins with its name.
    """

    kind: Literal["hint"]
    repository: Repository
    number: int = Field(ge=1)
    installation_id: int = Field(ge=1)
    login: Annotated[str, StringConstraints(pattern=_LOGIN)]
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reasons: dict[str, str]

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return f"{self.repository}#{self.number}"


class QueuedSync(Model):
    """Read the workers of repositories anew, as they stand by then.

    Attributes:
        repositories: full names; None is all that the installation reaches, page by page.
        commit: that a push brought, and which GitHub has to know by then.
        is_gone: whether GitHub has said that the App does not reach them any more.
        page: from 1.
        attempt: how often it was put back because GitHub did not know yet what it had told.
    """

    kind: Literal["sync"]
    installation_id: int = Field(ge=1)
    repositories: tuple[Repository, ...] | None = Field(default=None, strict=False)
    commit: CommitHash | None = None
    is_gone: bool = False
    page: int = Field(default=1, ge=1)
    attempt: int = Field(default=1, ge=1)

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return ",".join(self.repositories or ()) or f"installation {self.installation_id}"


Queued = (
    QueuedStart
    | QueuedPreview
    | QueuedStop
    | QueuedRelease
    | QueuedReview
    | QueuedCommand
    | QueuedChecks
    | QueuedHint
    | QueuedSync
)
MESSAGE: TypeAdapter[Queued] = TypeAdapter(Annotated[Queued, Field(discriminator="kind")])

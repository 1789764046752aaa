"""What starts a preview, and what its functions answer to the state machine."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pullwright.fields import CommitHash, Model, Number, Repository, SessionId, Stored

Hours = Annotated[int, Field(ge=1, le=168)]


class PreviewRequest(Model):
    """The input of one execution of the machine of previews: `repository` and `pull_request` are enough.

    Attributes:
        commit: what the pull request's head was when it was asked for; what runs is the head as it is then.
        staging: whether the image runs that is tried, and not the promoted one.
        hours: for how long at most; what the configuration and the operator say holds below it.
        session: that left it: its id names the host.
        delivery_id: of a webhook, whose sender has to have write permission; without one, IAM is the
            authority.
    """

    repository: Repository
    pull_request: Number
    commit: CommitHash | None = None
    staging: bool = False
    hours: Hours | None = None
    session: SessionId | None = None
    requested_by: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    delivery_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")] | None = None
    installation_id: Number | None = None


class PreviewPlan(Stored):
    """What a preview's task does. The record keeps it, and the broker gives it to the task.

    Attributes:
        commit: full hash of what runs.
        build: command; empty if nothing has to be built.
        start_seconds: that build and start may take together.
        host: with the suffix; what a browser asks for.
        health: path that answers with 200 to 399 when the server is ready.
        screenshots: paths of which pictures are taken.
    """

    preview_id: str
    repository: str
    commit: str
    build: str
    start: str
    port: int
    env: dict[str, str] = Field(default_factory=dict)
    start_seconds: int
    host: str = ""
    health: str = "/"
    screenshots: tuple[str, ...] = Field(default=(), strict=False)


class PreparedPreview(Stored):
    """What PreparePreview answers to the state machine, and what it passes on.

    Attributes:
        host: with the suffix.
        health: path that answers with 200 to 399 when the server is ready.
        seconds: that build, start and service may take together.
        start_seconds: that build and start may take.
        comment_id: of the comment that tells how the preview is.
        base: the branch that the pull request is to go into.
        screenshots: how many pages pictures are taken of.
    """

    repository: str
    pull_request: int
    branch: str
    commit: str
    host: str
    port: int
    health: str
    seconds: int
    start_seconds: int
    task_definition: str
    comment_id: int
    installation_id: int
    base: str = ""
    screenshots: int = 0


class PreviewRoute(Stored):
    """What RoutePreview answers.

    Attributes:
        healthy_seconds: from the execution's start until it was healthy.
    """

    url: str
    healthy_seconds: float


class PreviewVerdict(Stored):
    """What RemovePreview answers.

    Attributes:
        error: class name from `pullwright.errors`; empty when it was served as long as it was needed.
    """

    status: Literal["SUCCEEDED", "FAILED"]
    error: str = ""
    sentence: str

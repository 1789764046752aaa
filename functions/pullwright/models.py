"""The public contracts: what starts a session, what the task reads and what it writes.

Models of what is asked for reject unknown fields; those of what we leave to ourselves ignore them. All are
frozen. Times are ISO 8601 in UTC, money is US dollars, durations are seconds unless a name says otherwise.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pullwright.errors import FailureClass, PullwrightError
from pullwright.evaluation import EvaluationRun, HiddenTests
from pullwright.fields import (
    CONVERSATION_PATTERN,
    Branch,
    CommitHash,
    Model,
    Number,
    Prompt,
    Repository,
    SessionId,
    Sha256,
    Stored,
    WorkerName,
)
from pullwright.prices import Price
from pullwright.worker_names import IMPLEMENT

Plan = bool | Literal["only"]
"""Whether the agent makes a plan before it edits; `only` ends with the plan."""
Image = Literal["latest", "staging"]
"""Which image of the agent a task runs: the release's own, or what `staging` points to in the registry."""


class Limits(Model):
    """What one session may use at most; a request may set any of them lower or higher than the default."""

    usd: float | None = Field(default=None, gt=0, le=1_000, strict=False)
    turns: int | None = Field(default=None, ge=1, le=1_000)
    minutes: float | None = Field(default=None, ge=0.1, le=1_440, strict=False)


class JiraIssue(Model):
    """An issue of Jira that a session is asked for on.

    Attributes:
        id: Jira's own, which stays when the issue is moved and gets another key.
        account: id of who asked; without it, whoever may start executions in the AWS account did.
        change: number of the change in the issue's history with which they asked, 0 for its creation: what
            was edited after it is not what was asked for.
    """

    key: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,19}-[1-9][0-9]{0,9}$")]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")] | None = None
    account: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z:_-]{1,128}$")] | None = None
    change: int | None = Field(default=None, ge=0)


class SessionRequest(Model):
    """The input of one execution of the AgentSession state machine.

    `repository` and one of `issue`, `pull_request`, `jira` and `prompt` are enough. The fields after
    `requested_by` are what a webhook adds.

    Attributes:
        comment_id: of the comment that asks for more; the session then goes on with the conversation.
        review_id: the same for a review.
        text_sha256: of that comment's or review's text when it was written.
        checked_commit: the head of the pull request whose checks failed; once it has another, the session
            ends.
        retry_of: the session that is done again; what it had taken along is taken along again.
        evaluation: the task is then in the session's `task.json`, and nothing is made on GitHub.
    """

    repository: Repository
    issue: Number | None = None
    pull_request: Number | None = None
    jira: JiraIssue | None = None
    prompt: Prompt | None = None
    worker: WorkerName = IMPLEMENT
    base: Branch | None = None
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    limits: Limits = Limits()
    stub: bool = False
    plan: Plan | None = None
    image: Image = "latest"
    requested_by: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None

    delivery_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")] | None = None
    installation_id: Number | None = None
    comment_id: Number | None = None
    review_id: Number | None = None
    text_sha256: Sha256 | None = None
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    asked_at: datetime | None = Field(default=None, strict=False)
    title_sha256: Sha256 | None = None
    body_sha256: Sha256 | None = None
    checked_commit: CommitHash | None = None
    retry_of: SessionId | None = None
    evaluation: EvaluationRun | None = None

    @model_validator(mode="after")
    def _has_one_subject(self) -> Self:
        if self.issue is not None and self.pull_request is not None:
            raise ValueError("issue and pull_request exclude each other: give one of them")
        if self.jira is not None and (self.issue is not None or self.pull_request is not None):
            raise ValueError("jira excludes issue and pull_request: give one of them")
        nothing = self.has_no_subject and self.prompt is None
        if self.evaluation is not None:
            if not nothing or self.base is not None or self.delivery_id is not None:
                raise ValueError(
                    "evaluation excludes issue, pull_request, jira, prompt, base and delivery_id"
                )
            return self
        # Other workers may have instructions that say all.
        if nothing and self.worker == IMPLEMENT:
            raise ValueError("one of issue, pull_request, jira and prompt is needed")
        return self

    @property
    def has_no_subject(self) -> bool:
        """Whether a prompt, or the worker's instructions, say all that is wanted."""
        return self.issue is None and self.pull_request is None and self.jira is None

    @property
    def is_follow_up(self) -> bool:
        """Whether a comment or a review asks for it, so that it waits for the session before it."""
        return self.comment_id is not None or self.review_id is not None


class SessionStatus(StrEnum):
    """The life of a session record."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Outcome(StrEnum):
    """What came of a session.

    `planned` is a plan that waits for `/go`; `taken_along` is a request that waited, and that another session
    took along with its own.
    """

    CHANGED = "changed"
    NO_CHANGE = "no_change"
    COMMENTED = "commented"
    PLANNED = "planned"
    TAKEN_ALONG = "taken_along"
    FAILED = "failed"


class Failure(Stored):
    """Why a session failed, for a person.

    Attributes:
        error: class name from `pullwright.errors`.
        remedy: what the reader can do about it.
    """

    error: str
    failure_class: Annotated[FailureClass, Field(strict=False)]
    sentence: str
    remedy: str

    @classmethod
    def of(cls, error: PullwrightError) -> Self:
        """Return an error as it is recorded and shown."""
        return cls(
            error=type(error).__name__,
            failure_class=error.failure_class,
            sentence=error.sentence,
            remedy=error.remedy,
        )


class GitIdentity(Stored):
    """Who stands in a commit."""

    name: str
    email: str


class AuthorRole(StrEnum):
    """What the author of a text on GitHub may do in the repository.

    `writer` has write permission, or is an App that the deployment lists; `app` is any other App; `unknown`
    is somebody whose permission was not asked for, because too many people wrote.
    """

    WRITER = "writer"
    READER = "reader"
    APP = "app"
    UNKNOWN = "unknown"


class IssueComment(Stored):
    """One comment as it stood when the session was asked for."""

    author: str
    author_role: Annotated[AuthorRole, Field(strict=False)] = AuthorRole.UNKNOWN
    created_at: datetime = Field(strict=False)
    body: str


class ReviewThread(Stored):
    """One conversation about lines of a pull request's changes, as it stood when the session was asked for.

    Attributes:
        id: GraphQL's.
        line: None if the lines were changed since it began.
        finding: which of our own findings it is about.
        comments: oldest first.
    """

    id: str
    path: str
    line: int | None = None
    is_resolved: bool = False
    finding: str | None = None
    comments: tuple[IssueComment, ...] = Field(default=(), strict=False)


class FollowUp(Stored):
    """What a person asked for in a comment or review, with the text that stood there when it was written.

    Attributes:
        session_id: the session that was started for it; another one may take it along.
        body: what GitHub's page shows; of a review, with its comments in the code.
    """

    session_id: str
    author: str
    author_role: Annotated[AuthorRole, Field(strict=False)] = AuthorRole.UNKNOWN
    created_at: datetime = Field(strict=False)
    body: str
    comment_id: int | None = None
    review_id: int | None = None


class FailingCheck(Stored):
    """A check that failed on the commit that the session mends.

    Attributes:
        log: its last lines, in plain text; empty where there is none to be had.
    """

    name: str
    conclusion: str
    log: str = ""


class ResolvedLimits(Stored):
    """The limits that hold for one session, defaults applied."""

    usd: float = Field(gt=0, strict=False)
    turns: int = Field(ge=1)
    minutes: float = Field(gt=0, strict=False)


class WorkerMode(StrEnum):
    """What a worker may do: `write` pushes to the branch, `comment` only says something."""

    WRITE = "write"
    COMMENT = "comment"


class WorkerType(StrEnum):
    """What a worker's agent is asked for, and what comes of it.

    `implement` works on an issue, `review` reads a pull request's changes, `fix-ci` mends failing checks,
    `task` does what its instructions say.
    """

    IMPLEMENT = "implement"
    REVIEW = "review"
    FIX_CI = "fix-ci"
    TASK = "task"


class AgentRequest(Stored):
    """`sessions/<id>/request.json`: all that the task needs to know. Written once, never changed.

    Attributes:
        git_url: HTTPS address to clone, without credentials.
        author: the App's bot; stands in checkpoints, GitHub itself puts it into what comes onto the branch.
        jira: key of the issue in Jira that asks for the session, if one does.
        title: plain text on one line.
        body: what GitHub's page shows of the description.
        opened_by: GitHub login of who wrote title and body; in Jira, their name there.
        comments: oldest first; the repository's configuration says which of them the agent reads.
        threads: about the pull request's changes: of a session that only comments, all; of a follow-up, those
            that are open.
        failing: the checks to be mended.
        follow_ups: what is asked for now, oldest first; without any, the issue or prompt says what is wanted.
        conversation: id of the conversation that goes on; the CLI's record of it is in `resumed.jsonl`.
        begins_afresh: why an earlier conversation does not go on, if there was one.
        instructions: of the worker, from the repository's default branch.
        tools: the worker's choice among those that the repository allows; all of these if it makes none.
        labels: for the pull request, set when the session has succeeded.
        plan: whether a plan is made first; `only` ends with it.
        requested_by: GitHub login of who asked, if somebody did.
        model: model id or inference-profile id, as the provider calls it.
        price: what the model costs, where OpenPullRequest found it out.
        pull_request: number of the pull request; in comment mode, of what is commented on, an issue as well.
        head_commit: the commit that a worker in comment mode reads; a later push does not change it.
        is_fork: the pull request comes from another repository, whose files are data and nothing else.
        branch_is_ours: false on the branch of a pull request that somebody else opened: files that steer
            tools then come from the base branch, and are not pushed.
        evaluation: what judges the agent's work; it then begins at `head_commit`, and nothing is pushed.
        repository_is_private: where not everybody sees it, workflows run on our work unless it is configured
            otherwise; where everybody does, they wait for somebody to read it.
    """

    schema_version: Literal[1] = 1
    session_id: str
    execution_arn: str
    repository: Repository
    git_url: str
    base: Branch
    branch: Branch
    pull_request: int
    pull_request_url: str
    comment_id: int
    issue: int | None
    jira: str | None = None
    title: str
    body: str
    opened_by: str | None = None
    opened_by_role: Annotated[AuthorRole, Field(strict=False)] = AuthorRole.UNKNOWN
    comments: tuple[IssueComment, ...] = Field(default=(), strict=False)
    comments_left_out: int = 0
    threads: tuple[ReviewThread, ...] = Field(default=(), strict=False)
    follow_ups: tuple[FollowUp, ...] = Field(default=(), strict=False)
    failing: tuple[FailingCheck, ...] = Field(default=(), strict=False)
    conversation: Annotated[str, StringConstraints(pattern=CONVERSATION_PATTERN)] | None = None
    begins_afresh: str | None = None
    worker: WorkerName = IMPLEMENT
    worker_type: Annotated[WorkerType, Field(strict=False)] = WorkerType.IMPLEMENT
    mode: Annotated[WorkerMode, Field(strict=False)] = WorkerMode.WRITE
    instructions: str | None = None
    tools: tuple[str, ...] | None = Field(default=None, strict=False)
    labels: tuple[str, ...] = Field(default=(), strict=False)
    plan: Plan = False
    prompt: str | None
    requested_by: str | None
    requested_by_id: int | None = None
    author: GitIdentity
    provider: Literal["bedrock", "anthropic"]
    model: str
    price: Price | None = None
    limits: ResolvedLimits
    stub: bool
    head_commit: CommitHash | None = None
    is_fork: bool = False
    branch_is_ours: bool = True
    repository_is_private: bool = False
    evaluation: HiddenTests | None = None
    created_at: datetime = Field(strict=False)

    @property
    def only_comments(self) -> bool:
        """Whether the session writes to no branch."""
        return self.mode is WorkerMode.COMMENT

    @property
    def only_reads(self) -> bool:
        """Whether the task writes nothing on GitHub at all."""
        return self.only_comments or self.evaluation is not None


class OpenedPullRequest(Stored):
    """What OpenPullRequest answers to the state machine.

    Attributes:
        lock_key: `pk` of the branch lock that this execution now owns.
        timeout_seconds: for RunAgent: the session's minutes plus 15.
        max_sessions: how many sessions may hold a slot at once.
    """

    repository: Repository
    branch: Branch
    pull_request: int
    pull_request_url: str
    comment_id: int
    lock_key: str
    timeout_seconds: int
    max_sessions: int
    max_sessions_of_repository: int
    installation_id: int | None = None

    @classmethod
    def of(cls, request: AgentRequest, **fields: Any) -> Self:
        """Return what was opened for a session, by its request and what that does not hold."""
        return cls.model_validate({**request.model_dump(include=set(cls.model_fields)), **fields})

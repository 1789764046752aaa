"""The public contracts: what starts a session, what the task reads and what it writes.

Models of what is asked for reject unknown fields; those of what we leave to ourselves ignore them. All are
frozen. Times are ISO 8601 in UTC, money is US dollars, durations are seconds unless a name says otherwise.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pullwright.errors import FailureClass, PullwrightError
from pullwright.prices import Price
from pullwright.worker_names import IMPLEMENT

# Owners of GitHub's enterprise-managed accounts carry an underscore; a name of dots alone is none.
REPOSITORY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{0,99}[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"

CONVERSATION_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""Claude Code's own ids of conversations are UUIDs."""

Repository = Annotated[str, StringConstraints(pattern=REPOSITORY_PATTERN, max_length=140)]
WorkerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Branch = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=255, pattern=r"^[^\s~^:?*\[\\\x00-\x1f-][^\s~^:?*\[\\\x00-\x1f]*$"
    ),
]
CommitHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=60_000, strip_whitespace=True)]


Plan = bool | Literal["only"]
"""Whether the agent makes a plan before it edits; `only` ends with the plan."""


class Model(BaseModel):
    """A frozen model that rejects what it does not know: for what people and webhooks ask."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Stored(Model):
    """A frozen model that ignores what it does not know: for what one part of ours leaves to another.

    Sessions go on while a deployment replaces functions and image, so that each may meet what the release
    before or after it wrote. New fields therefore have a default.
    """

    model_config = ConfigDict(extra="ignore")


class Limits(Model):
    """What one session may use at most; a request may set any of them lower or higher than the default."""

    usd: float | None = Field(default=None, gt=0, le=1_000, strict=False)
    turns: int | None = Field(default=None, ge=1, le=1_000)
    minutes: float | None = Field(default=None, ge=0.1, le=1_440, strict=False)


class SessionRequest(Model):
    """The input of one execution of the AgentSession state machine.

    `repository` and one of `issue`, `pull_request` and `prompt` are enough. The fields after
    `requested_by` are what a webhook adds.

    Attributes:
        comment_id: of the comment that asks for more; the session then goes on with the conversation.
        review_id: the same for a review.
        text_sha256: of that comment's or review's text when it was written.
        checked_commit: the head of the pull request whose checks failed; once it has another, the session
            ends.
    """

    repository: Repository
    issue: int | None = Field(default=None, ge=1)
    pull_request: int | None = Field(default=None, ge=1)
    prompt: Prompt | None = None
    worker: WorkerName = IMPLEMENT
    base: Branch | None = None
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    limits: Limits = Limits()
    stub: bool = False
    plan: Plan | None = None
    requested_by: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None

    delivery_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")] | None = None
    installation_id: int | None = Field(default=None, ge=1)
    comment_id: int | None = Field(default=None, ge=1)
    review_id: int | None = Field(default=None, ge=1)
    text_sha256: Sha256 | None = None
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    asked_at: datetime | None = Field(default=None, strict=False)
    title_sha256: Sha256 | None = None
    body_sha256: Sha256 | None = None
    checked_commit: CommitHash | None = None

    @model_validator(mode="after")
    def _has_one_subject(self) -> Self:
        if self.issue is not None and self.pull_request is not None:
            raise ValueError("issue and pull_request exclude each other: give one of them")
        nothing = self.issue is None and self.pull_request is None and self.prompt is None
        # Other workers may have instructions that say all.
        if nothing and self.worker == IMPLEMENT:
            raise ValueError("one of issue, pull_request and prompt is needed")
        return self

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


class ThreadAnswer(Stored):
    """What the agent says in a thread of a review about what was asked there.

    Attributes:
        thread: id of one of the request's threads.
        is_done: nothing is left to decide there, so that it is resolved.
    """

    thread: str
    text: str
    is_done: bool = False


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
        title: plain text on one line.
        body: what GitHub's page shows of the description.
        opened_by: GitHub login of who wrote title and body.
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
    created_at: datetime = Field(strict=False)

    @property
    def only_comments(self) -> bool:
        """Whether the session writes to no branch."""
        return self.mode is WorkerMode.COMMENT


class TokenUsage(Stored):
    """Tokens of one session, all models together."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class SessionUsage(Stored):
    """`sessions/<id>/usage.json`: what the tasks of a session have used so far, all together.

    A task writes it with its checkpoints and at its end. Whoever goes on after it begins with these figures,
    so that each counts once and the limits hold for the session as a whole.

    Attributes:
        phases: seconds per phase.
    """

    tasks: int = 0
    cost_usd: float = Field(default=0.0, ge=0, strict=False)
    tokens: TokenUsage = TokenUsage()
    turns: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0, strict=False)
    phases: dict[str, float] = Field(default_factory=dict)
    started_at: datetime | None = Field(default=None, strict=False)


class CheckResult(Stored):
    """One command of the repository's own that the runner ran: its setup, or a check.

    Attributes:
        status: `not_run` when no time was left for it or the task was stopped.
        exit_code: negative if a signal ended it.
    """

    name: str
    command: str
    status: Literal["passed", "failed", "timed_out", "not_run"]
    exit_code: int | None = None
    seconds: float = Field(default=0.0, strict=False)
    output: str = ""


class SteeringFiles(Stored):
    """Changed files that other programs obey."""

    reason: str
    paths: tuple[str, ...] = Field(strict=False)
    count: int


class EgressTarget(Stored):
    """What processes of a session tried to reach in vain.

    Attributes:
        step: of the session: setup, agent, checks.
        target: a domain, or an address.
        count: how often.
    """

    step: str
    target: str
    count: int


class EgressResult(Stored):
    """Whether the session's processes were kept from the network, and what they missed.

    Attributes:
        state: `unavailable` where they were to be kept from it, and could not.
        reason: why they could not, or what went wrong on the way.
        refused: the most frequent ones.
        entries: what the repository's configuration allows; None where it has no say.
    """

    state: Literal["caged", "off", "unavailable"]
    reason: str | None = None
    refused: tuple[EgressTarget, ...] = Field(default=(), strict=False)
    entries: tuple[str, ...] | None = Field(default=None, strict=False)


class AgentResult(Stored):
    """`sessions/<id>/result.json`: the outcome as the runner reports it.

    Attributes:
        outcome: `changed` only if a commit of the agent's work is on the branch.
        summary: the agent's last words, Markdown.
        answers: what it says in the request's threads.
        commit: head of the branch after the push, when something was pushed.
        exit_code: the runner's own: 0, or that of the error's class.
        phases: seconds per phase (start, clone, agent, push …).
        setup: how the repository's setup command ended, if it has one.
        checks: what the repository's checks say about `commit`.
        ci: whether the repository's workflows ran on the commit, or wait until somebody releases them.
        notices: what people should know besides, one sentence each.
        steering: what was pushed that other programs heed, for people to read.
        egress: what the session's processes could not reach; None if none ran.
    """

    schema_version: Literal[1] = 1
    session_id: str
    task_arn: str
    outcome: Annotated[Outcome, Field(strict=False)]
    failure: Failure | None = None
    summary: str = ""
    answers: tuple[ThreadAnswer, ...] = Field(default=(), strict=False)
    commit: str | None = None
    files_changed: int = 0
    additions: int = 0
    deletions: int = 0
    cost_usd: float = Field(default=0.0, strict=False)
    tokens: TokenUsage = TokenUsage()
    turns: int = 0
    conversation_id: str | None = None
    started_at: datetime = Field(strict=False)
    ended_at: datetime = Field(strict=False)
    exit_code: int
    phases: dict[str, float] = Field(default_factory=dict)
    setup: CheckResult | None = None
    checks: tuple[CheckResult, ...] = Field(default=(), strict=False)
    ci: Literal["run", "hold"] | None = None
    notices: tuple[str, ...] = Field(default=(), strict=False)
    steering: tuple[SteeringFiles, ...] = Field(default=(), strict=False)
    egress: EgressResult | None = None

    @property
    def checks_passed(self) -> bool:
        """Whether no check failed; true if there are none."""
        return all(check.status in {"passed", "not_run"} for check in self.checks)


class AgentPlan(Stored):
    """`sessions/<id>/plan.json`: what the agent means to do, for the task that carries it out.

    Attributes:
        conversation: in which it was made; the CLI's record of it is then in `resumed.jsonl`.
        text: Markdown.
    """

    conversation: Annotated[str, StringConstraints(pattern=CONVERSATION_PATTERN)]
    text: str


class Todo(Stored):
    """One line of the agent's todo list."""

    text: str
    status: Literal["pending", "in_progress", "completed"]


class Progress(Stored):
    """What the tracking comment shows while a session is under way.

    Attributes:
        activity: what is happening now, one short line.
        plan: what the agent means to do, Markdown; empty if it was not asked for a plan.
    """

    activity: str
    plan: str = ""
    todos: tuple[Todo, ...] = Field(default=(), strict=False)
    elapsed_seconds: float = 0.0
    cost_usd: float = 0.0
    turns: int = 0


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


class Verdict(Stored):
    """What ReportOutcome answers to the state machine.

    Attributes:
        status: the session's final status, which is the execution's too.
        error: class name from `pullwright.errors`; empty when the session succeeded.
        lock_key: `pk` of the branch lock if this execution owns one, else empty.
        report_due: GitHub refused the report, so it still has to be made.
        ttl: when the closed record may go, Unix seconds.
    """

    status: Literal["SUCCEEDED", "FAILED"]
    outcome: Annotated[Outcome, Field(strict=False)]
    error: str = ""
    failure_class: str = ""
    sentence: str
    remedy: str = ""
    lock_key: str = ""
    report_due: bool = False
    ttl: int

"""Records of the stand-in. Each class is one kind of record in the store."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from standin.store import Record

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
Access = Literal["read", "write", "admin"]
SquashTitle = Literal["PR_TITLE", "COMMIT_OR_PR_TITLE"]
SquashMessage = Literal["PR_BODY", "COMMIT_MESSAGES", "BLANK"]
MergeTitle = Literal["PR_TITLE", "MERGE_MESSAGE"]
MergeMessage = Literal["PR_BODY", "PR_TITLE", "BLANK"]


class App(BaseModel):
    """The one GitHub App that the stand-in knows.

    Attributes:
        public_key_pem: verifies the App's JSON web tokens.
        owner_id: account that owns it; 0 for one that is not told.
        webhook_host: sent as `Host` instead of the address's own, if given.
        name: as people see it; the slug if it was given none.
        permissions: what it asks for, if it was made from a manifest; None for what `--permissions` says.
        events: the webhooks it listens to, if it was made from a manifest; None if `--permissions` says them.
    """

    id: int
    client_id: str
    slug: str
    public_key_pem: str
    webhook_secret: str
    webhook_url: str
    webhook_host: str = ""
    owner_id: int = 0
    hook_id: int
    created_at: float
    name: str = ""
    permissions: dict[str, Access] | None = None
    events: list[str] | None = None
    webhook_content_type: Literal["json", "form"] = "json"
    webhook_insecure_ssl: str = "0"


class Limits(BaseModel):
    """Rate limits of the stand-in.

    Attributes:
        anonymous_per_hour: requests without a token.
        content_per_minute: issues, comments and pull requests that one installation may create.
        content_per_hour: the same, in an hour.
        edits_count: whether an edit counts as content creation.
        requests_per_minute: of one installation, before a secondary limit stops all that it asks; None for
            any number.
        retry_after: whether a secondary limit names its end; without that it lasts a minute.
        graphql_status: of GraphQL's answer in a secondary limit; GitHub documents both.
    """

    per_hour: int = Field(default=5_000, ge=0)
    anonymous_per_hour: int = Field(default=5_000, ge=0)
    content_per_minute: int = Field(default=80, ge=0)
    content_per_hour: int = Field(default=500, ge=0)
    edits_count: bool = False
    requests_per_minute: int | None = Field(default=None, ge=0)
    retry_after: bool = True
    graphql_status: Literal[200, 403] = 200


class Lags(BaseModel):
    """How long the stand-in hides what is new.

    Attributes:
        token_lag: seconds in which a new installation token is refused.
        read_lag: seconds in which an installation is not shown what was made.
    """

    token_lag: float = Field(default=0, ge=0, le=600)
    token_status: Literal[401, 403, 404] = 401
    read_lag: float = Field(default=0, ge=0, le=600)


class Settings(Record):
    """Settings of the whole stand-in."""

    app: App | None = None
    limits: Limits = Limits()
    lags: Lags = Lags()


class Account(Record):
    """A person, an organization or the App's bot.

    Attributes:
        tokens: personal access tokens, all valid until the account goes.
        teams: an organization's, by slug, each with the ids of its members.
    """

    login: str
    type: Literal["User", "Organization", "Bot"] = "User"
    tokens: list[str] = Field(default_factory=list)
    teams: dict[str, list[int]] = Field(default_factory=dict)
    created_at: float


class Installation(Record):
    """The App on one account, with the repositories that it reaches.

    Attributes:
        own: made for one repository because it was created with permissions of its own.
        suspended_at: when it was suspended, Unix seconds; None if it is not.
    """

    account_id: int
    permissions: dict[str, Access]
    events: list[str]
    repository_ids: list[int] = Field(default_factory=list)
    own: bool = False
    suspended_at: float | None = None
    created_at: float


class InstallationToken(Record):
    """An installation access token.

    Attributes:
        repository_ids: the repositories it was narrowed to, or None for all of the installation.
        expires_at: Unix seconds.
    """

    token: str
    installation_id: int
    permissions: dict[str, Access]
    repository_ids: list[int] | None
    expires_at: float


class Label(BaseModel):
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


class Outcome(BaseModel):
    """How jobs of workflows end.

    Attributes:
        workflow: path or name; None for all.
        job: name; None for all.
        attempts: conclusion of each attempt, the last one for all that follow.
        path: only while this file is in the commit and has `contains` in it.
    """

    model_config = ConfigDict(extra="forbid")

    workflow: str | None = None
    job: str | None = None
    attempts: list[Literal["success", "failure", "cancelled", "timed_out", "skipped"]] = Field(min_length=1)
    log: str = ""
    path: str | None = None
    contains: str = ""


class Repository(Record):
    """A repository.

    Attributes:
        roles: account id → role of the people who were given one.
        organization_roles: the same for roles that reach all repositories of the organization.
        protected_branches: patterns of branches that only people with `admin` may change.
        rebase_keeps_empty: whether commits that change nothing survive a rebase merge.
        drafts: whether draft pull requests are supported (private ones of some plans lack them).
        next_number: of the next issue or pull request.
        former_names: full names that it had before, in lower case.
        parent_id: the repository that it is a fork of.
        outcomes: how workflows end, or None to leave them queued; the first that fits a job counts.
        outcomes_wait: whether they end on request only, and not at once.
    """

    owner_id: int
    owner: str
    name: str
    former_names: list[str] = Field(default_factory=list)
    parent_id: int | None = None
    private: bool = False
    archived: bool = False
    description: str | None = None
    default_branch: str = "main"
    roles: dict[int, Role] = Field(default_factory=dict)
    organization_roles: dict[int, Role] = Field(default_factory=dict)
    has_issues: bool = True
    has_pull_requests: bool = True
    protected_branches: list[str] = Field(default_factory=list)
    rulesets: list[dict[str, Any]] = Field(default_factory=list)
    squash_merge_commit_title: SquashTitle = "COMMIT_OR_PR_TITLE"
    squash_merge_commit_message: SquashMessage = "COMMIT_MESSAGES"
    merge_commit_title: MergeTitle = "MERGE_MESSAGE"
    merge_commit_message: MergeMessage = "PR_TITLE"
    rebase_keeps_empty: bool = True
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    delete_branch_on_merge: bool = False
    drafts: bool = True
    outcomes: list[Outcome] | None = None
    outcomes_wait: bool = False
    labels: list[Label] = Field(default_factory=list)
    next_number: int = 1
    created_at: float
    updated_at: float
    pushed_at: float

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


class Reaction(BaseModel):
    """One reaction of one account."""

    id: int
    user_id: int
    content: str
    created_at: float


class Edit(BaseModel):
    """One version of an issue's text, and who wrote it."""

    id: int
    editor_id: int
    edited_at: float
    text: str


class Renaming(BaseModel):
    """A change of an issue's title."""

    id: int
    actor_id: int
    created_at: float
    before: str
    after: str


class Pull(BaseModel):
    """The fields that a pull request has beyond an issue's.

    Attributes:
        head_sha: last known head; while it is open the branch itself is asked.
        fork_id: the repository of the head, if it is another one; that may be gone.
        fork_owner_id: whose it is, or was.
        maintainer_can_modify: whether people who may write to the base may push to the fork's branch.
    """

    id: int
    head: str
    base: str
    head_sha: str
    base_sha: str
    fork_id: int | None = None
    fork_owner_id: int | None = None
    maintainer_can_modify: bool = False
    draft: bool = False
    merged_at: float | None = None
    merged_by_id: int | None = None
    merge_commit_sha: str | None = None


class Issue(Record):
    """An issue or a pull request.

    Attributes:
        former_places: repository ids and numbers that it had before it was transferred.
    """

    former_places: list[tuple[int, int]] = Field(default_factory=list)
    repository_id: int
    number: int
    title: str
    body: str | None
    user_id: int
    by_app: bool = False
    state: Literal["open", "closed"] = "open"
    state_reason: str | None = None
    locked: bool = False
    lock_reason: str | None = None
    labels: list[str] = Field(default_factory=list)
    assignees: list[int] = Field(default_factory=list)
    reactions: list[Reaction] = Field(default_factory=list)
    edits: list[Edit] = Field(default_factory=list)
    renamings: list[Renaming] = Field(default_factory=list)
    pull: Pull | None = None
    deleted: bool = False
    created_at: float
    updated_at: float
    closed_at: float | None = None
    closed_by_id: int | None = None


class Comment(Record):
    """A comment on an issue or a pull request."""

    repository_id: int
    number: int
    user_id: int
    by_app: bool = False
    body: str
    reactions: list[Reaction] = Field(default_factory=list)
    created_at: float
    updated_at: float


class Delivery(Record):
    """One attempt to deliver one event.

    Attributes:
        status_code: 0 until it was tried, and when no answer came.
    """

    guid: str
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    redelivery: bool = False
    delivered_at: float
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    pending: bool = True
    url: str = ""
    request_headers: dict[str, str] = Field(default_factory=dict)
    payload: dict[str, Any]
    response_headers: dict[str, str] = Field(default_factory=dict)
    response_body: str = ""

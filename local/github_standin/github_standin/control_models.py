"""The bodies of control requests. They reject what they do not know."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from github_standin.git.rules import KINDS as RULES
from github_standin.permissions import KNOWN
from github_standin.records import Access, MergeMessage, MergeTitle, Outcome, SquashMessage, SquashTitle

GivenRole = Literal["admin", "maintain", "write", "triage", "read", "none"]
Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,33})$")]
FullName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$",
        max_length=140,
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AppBody(_Body):
    """The App: its identity and where its events go."""

    app_id: Annotated[int, Field(ge=1)]
    slug: Slug
    public_key_pem: str
    webhook_secret: str = ""
    webhook_url: str = ""
    webhook_host: str = ""
    client_id: str | None = None
    owner: Login | None = None

    @field_validator("public_key_pem")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - slow to import
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - as above

        try:
            key = load_pem_public_key(value.encode())
        except ValueError:
            raise ValueError("not a public key in PEM form") from None
        if not isinstance(key, RSAPublicKey):
            raise ValueError("not an RSA key")  # noqa: TRY004 - pydantic reports a ValueError with its field
        return value

    @field_validator("webhook_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("not an http address")
        return value


class UserBody(_Body):
    """A person, or an App's account; another token is added to those they have."""

    login: Login
    type: Literal["User", "Bot"] = "User"
    token: Annotated[str, StringConstraints(min_length=8)]


class RuleBody(_Body):
    """A rule of a ruleset, `repository-rule` in GitHub's OpenAPI description."""

    type: str
    parameters: dict[str, Any] | None = None

    @field_validator("type")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in RULES:
            raise ValueError(f"the stand-in has no rule {value}; it has {', '.join(sorted(RULES))}")
        return value


class RulesetBody(_Body):
    """A ruleset, `repository-ruleset` in GitHub's OpenAPI description."""

    name: str
    target: Literal["branch", "tag", "push"] = "branch"
    enforcement: Literal["disabled", "active", "evaluate"] = "active"
    bypass_actors: list[dict[str, Any]] = Field(default_factory=list)
    conditions: dict[str, Any] | None = None
    rules: list[RuleBody]


class _RepositorySettings(_Body):
    private: bool | None = None
    archived: bool | None = None
    has_issues: bool | None = None
    has_pull_requests: bool | None = None
    suspended: bool | None = None
    organization_permissions: dict[str, GivenRole] | None = None
    drafts: bool | None = None
    protected_branches: list[str] | None = None
    rulesets: list[RulesetBody] | None = None
    squash_merge_commit_title: SquashTitle | None = None
    squash_merge_commit_message: SquashMessage | None = None
    merge_commit_title: MergeTitle | None = None
    merge_commit_message: MergeMessage | None = None
    rebase_keeps_empty: bool | None = None
    allow_merge_commit: bool | None = None
    allow_squash_merge: bool | None = None
    allow_rebase_merge: bool | None = None
    delete_branch_on_merge: bool | None = None
    installed: bool | None = None
    installation_permissions: dict[str, Access] | None = None
    permissions: dict[str, GivenRole] | None = None

    @field_validator("installation_permissions")
    @classmethod
    def _are_known(cls, value: dict[str, Access] | None) -> dict[str, Access] | None:
        unknown = sorted(set(value or ()) - KNOWN)
        if unknown:
            raise ValueError(f"GitHub has no permission {', '.join(unknown)}")
        return value


class NewRepository(_RepositorySettings):
    """A repository to create: from another git repository, from files, or empty."""

    full_name: FullName
    source: str | None = None
    files: dict[str, str] | None = None
    default_branch: str | None = None
    description: str | None = None


class ChangedRepository(_RepositorySettings):
    """What can be changed in a repository; what is not given stays."""


class OutcomesBody(_Body):
    """How the workflows of a repository end from now on."""

    outcomes: list[Outcome] | None
    wait: bool = False


class TeamsBody(_Body):
    """The teams of an organization, by slug, each with the logins of its members."""

    teams: dict[Slug, list[Login]]

"""Records of the stand-in. Each class is one kind of record in the store; times are Unix seconds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from standin.store import Record


class Person(Record):
    """Somebody with an Atlassian account, or a service account.

    Attributes:
        email: signs in with it and one of the tokens.
        tokens: API tokens that are good.
        active: a deactivated account signs in nowhere and stays in its groups.
        browses_people: whether it has the global permission to browse users and groups.
    """

    account_id: str
    display_name: str
    email: str
    tokens: list[str] = Field(default_factory=list)
    active: bool = True
    browses_people: bool = True


class Group(Record):
    """A group of people.

    Attributes:
        members: account ids.
    """

    group_id: str
    name: str
    members: list[str] = Field(default_factory=list)


class Project(Record):
    """A project.

    Attributes:
        permissions: names of the groups that have a permission, by its key; everybody who is signed in has
            those that are not there.
        issues: how many it has had, which numbers the next.
    """

    key: str
    name: str
    permissions: dict[str, list[str]] = Field(default_factory=dict)
    issues: int = 0


class Issue(Record):
    """An issue.

    Attributes:
        description: Atlassian Document Format, or None.
        former_keys: those that it had in other projects.
        security: names of the groups that see it; None for everybody who sees the project.
    """

    key: str
    project_id: int
    summary: str
    description: dict[str, Any] | None = None
    labels: list[str] = Field(default_factory=list)
    type: str = "Task"
    status: str = "To Do"
    creator: str
    former_keys: list[str] = Field(default_factory=list)
    security: list[str] | None = None
    created_at: float
    updated_at: float


class Change(Record):
    """One entry of an issue's changelog.

    Attributes:
        items: each as Jira shows it: `field`, `fieldtype`, `fieldId`, `from`, `fromString`, `to`, `toString`.
    """

    issue_id: int
    author: str
    at: float
    items: list[dict[str, str | None]]


class Comment(Record):
    """A comment on an issue.

    Attributes:
        body: Atlassian Document Format.
        properties: values by key.
    """

    issue_id: int
    author: str
    update_author: str
    body: dict[str, Any]
    visibility: dict[str, str] | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    created_at: float
    updated_at: float


class RemoteLink(Record):
    """A link from an issue to something elsewhere.

    Attributes:
        content: `application`, `globalId`, `object` and `relationship` as they were given.
    """

    issue_id: int
    content: dict[str, Any]


class Hook(Record):
    """A webhook that an administrator has made.

    Attributes:
        filter: JQL; empty for all issues.
        failing_since: of the first attempt that failed after the last one that did not.
    """

    name: str
    url: str
    events: list[str]
    filter: str = ""
    exclude_body: bool = False
    secret: str = ""
    enabled: bool = True
    failing_since: float | None = None
    author: str
    updated_at: float


class Attempt(BaseModel):
    """One attempt to deliver.

    Attributes:
        status_code: 0 if the connection failed, 504 if no answer came in time.
    """

    at: float
    status: str
    status_code: int
    response_body: str = ""


class Delivery(Record):
    """One event for one webhook.

    Attributes:
        identifier: the same in all attempts.
        due_at: when the next attempt is made; None when none is.
        once: whether it is not repeated.
    """

    identifier: str
    hook_id: int
    event: str
    issue_key: str
    payload: dict[str, Any]
    due_at: float | None
    once: bool = False
    attempts: list[Attempt] = Field(default_factory=list)


class Limits(BaseModel):
    """The limit on how many requests one account makes.

    Attributes:
        requests: in each window; None for any number.
        window: seconds.
        retry_after: whether a refusal says how long to wait.
    """

    requests: int | None = Field(default=None, ge=1)
    window: int = Field(default=60, ge=1)
    retry_after: bool = True


class Settings(Record):
    """What is configured.

    Attributes:
        advance: seconds by which the stand-in's clock is ahead.
        hosts: what to send as `Host` to a webhook's address, by that address.
        longest_text: characters of a description or comment.
    """

    limits: Limits = Limits()
    advance: float = 0
    hosts: dict[str, str] = Field(default_factory=dict)
    longest_text: int = 32_767

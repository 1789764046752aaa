"""What Jira answers, as far as it is needed; other fields are ignored.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _time(value: Any) -> Any:
    """Read a time such as 2024-11-01T00:00:00.123+0000."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Time = Annotated[datetime, BeforeValidator(_time)]


class Payload(BaseModel):
    """An answer of Jira's, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Person(Payload):
    """An account."""

    account_id: str = Field(alias="accountId")
    name: str = Field(default="", alias="displayName")
    active: bool = True


class Group(Payload):
    """A group of accounts."""

    name: str = ""
    group_id: str = Field(default="", alias="groupId")


class Fields(Payload):
    """Fields of an issue; the description is a document, or null."""

    summary: str = ""
    description: Any = None
    labels: tuple[str, ...] = ()
    creator: Person | None = None


class Issue(Payload):
    """An issue.

    Attributes:
        key: its present one, whichever it was asked for by.
    """

    id: str
    key: str
    fields: Fields

    def has_label(self, name: str) -> bool:
        """Return whether it has a label, in letters of any case."""
        return name.casefold() in (label.casefold() for label in self.fields.labels)


class ChangedField(Payload):
    """One field of a change; texts are in the markup of Jira's older interface."""

    field: str = ""
    before: str | None = Field(default=None, alias="fromString")


class Change(Payload):
    """One entry of an issue's history."""

    id: int
    created: Time
    items: tuple[ChangedField, ...] = ()


class Comment(Payload):
    """A comment.

    Attributes:
        visibility: whom it is restricted to; None if everybody who sees the issue reads it.
        is_public: false for what only agents of a service desk read.
    """

    id: str
    author: Person | None = None
    body: Any = None
    created: Time
    updated: Time
    visibility: Any = None
    is_public: bool = Field(default=True, alias="jsdPublic")

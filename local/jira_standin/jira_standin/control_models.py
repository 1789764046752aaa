"""Bodies of control requests."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from jira_standin.records import Limits

PermissionKey = Literal[
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "EDIT_ISSUES",
    "ADD_COMMENTS",
    "DELETE_ISSUES",
    "LINK_ISSUES",
    "EDIT_ALL_COMMENTS",
    "EDIT_OWN_COMMENTS",
    "DELETE_ALL_COMMENTS",
    "DELETE_OWN_COMMENTS",
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PersonBody(_Body):
    """A person to have; who has the address already gets the token besides earlier ones."""

    email: str = Field(pattern=r".@.")
    token: str = ""
    display_name: str = ""
    account_id: str = ""


class ChangedPerson(_Body):
    """What is different about a person from now on.

    Attributes:
        tokens: these and no others are good.
    """

    active: bool = True
    tokens: list[str] = []
    browses_people: bool = True
    display_name: str = ""


class GroupBody(_Body):
    """A group's members, by account id.

    Attributes:
        members: these and no others; None for those that it has.
        add: these besides.
    """

    members: list[str] | None = None
    add: list[str] = []


class ProjectBody(_Body):
    """A project, with the names of the groups that have a permission; everybody has what is not named."""

    name: str = ""
    permissions: dict[PermissionKey, list[str]] = {}


class IssueBody(_Body):
    """The groups that see an issue; None for everybody who sees the project."""

    security: list[str] | None


class MoveBody(_Body):
    """Where an issue is moved to, and by which account."""

    project: str
    by: str


class SettingsBody(_Body):
    """Settings to change; the others stay."""

    limits: Limits = Limits()
    hosts: dict[str, str] = {}
    longest_text: int = Field(default=32_767, ge=1)


class ClockBody(_Body):
    """Seconds by which the clock is put forward."""

    advance: float = Field(gt=0)

"""The records of the stand-in, by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jira_standin.records import (
    Change,
    Comment,
    Delivery,
    Group,
    Hook,
    Issue,
    Person,
    Project,
    RemoteLink,
    Settings,
)
from standin.store import Database

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_IDS = dict.fromkeys(("issue", "project", "comment", "change", "link"), 10_000) | {"hook": 1}


class Store(Database):
    """All records of the Jira stand-in."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _FIRST_IDS)
        self.people = self.table("person", Person)
        self.groups = self.table("group", Group)
        self.projects = self.table("project", Project)
        self.issues = self.table("issue", Issue)
        self.changes = self.table("change", Change)
        self.comments = self.table("comment", Comment)
        self.links = self.table("link", RemoteLink)
        self.hooks = self.table("hook", Hook)
        self.deliveries = self.table("delivery", Delivery)
        self._settings = self.table("settings", Settings)

    @property
    def settings(self) -> Settings:
        """What is configured; save changes with `save_settings`."""
        return self._settings.get(1) or self._settings.put(Settings(id=1))

    def save_settings(self) -> None:
        """Write changed settings through."""
        self._settings.put(self.settings)

"""The state of one stand-in, and how to find things in it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from jira_standin.limits import Meter
from jira_standin.store import Store
from jira_standin.webhooks import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jira_standin.records import Comment, Group, Issue, Person, Project

ADMINISTRATORS = "jira-administrators"
"""The group whose members administer Jira."""


class Jira:
    """Everything that one stand-in knows; hold `lock` to read or change it.

    Args:
        url: of the site, without a slash at the end.
        clock: returns Unix seconds; control requests put the stand-in's own ahead of it.
    """

    def __init__(self, folder: Path, url: str, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.store = Store(folder / "state.sqlite3")
        self.url = url
        self.clock = clock
        self.outbox = Outbox(self.store, self.lock, self.now)
        self.meter = Meter(self.store, self.now)

    def now(self) -> float:
        """Return Unix seconds of the stand-in's clock."""
        return self.clock() + self.store.settings.advance

    def person(self, account_id: str) -> Person | None:
        """Find an account."""
        return next((it for it in self.store.people if it.account_id == account_id), None)

    def group(self, name: str = "", group_id: str = "") -> Group | None:
        """Find a group by its name or its id."""
        return next((it for it in self.store.groups if name == it.name or group_id == it.group_id), None)

    def groups_of(self, account_id: str) -> list[Group]:
        """Return the groups that somebody is in."""
        return [it for it in self.store.groups if account_id in it.members]

    def project(self, key_or_id: str) -> Project | None:
        """Find a project by its key, whatever the case, or its id."""
        wanted = key_or_id.upper()
        return next((it for it in self.store.projects if wanted in (it.key, str(it.id))), None)

    def issue(self, key_or_id: str) -> Issue | None:
        """Find an issue by its key, whatever the case, by one that it had before, or by its id."""
        wanted = key_or_id.upper()
        found = next((it for it in self.store.issues if wanted in (it.key, str(it.id))), None)
        return found or next((it for it in self.store.issues if wanted in it.former_keys), None)

    def comments_on(self, issue: Issue) -> list[Comment]:
        """Return an issue's comments, oldest first."""
        return [it for it in self.store.comments if it.issue_id == issue.id]

    def next_key(self, project: Project) -> str:
        """Count an issue of a project and return its key."""
        project.issues += 1
        self.store.projects.put(project)
        return f"{project.key}-{project.issues}"

    def close(self) -> None:
        """Stop delivering and close the database."""
        self.outbox.stop()
        self.store.close()

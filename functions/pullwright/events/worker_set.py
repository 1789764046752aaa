"""One repository's set of workers: what its files say now, against what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pullwright.events.broken_workers import comment_on, render_broken
from pullwright.github.commit_files import CommitFiles
from pullwright.log import logger
from pullwright.workers.bundle import Bundle, bundle
from pullwright.workers.collection import Collection
from pullwright.workers.head import Head, Problem
from pullwright.workers.source import read_source
from pullwright.workers.unpacking import BrokenManifest

if TYPE_CHECKING:
    from pullwright.events.services import EventServices
    from pullwright.github.client import GitHubClient
    from pullwright.workers.collection import Problem as FileProblem
    from pullwright.workers.store import WorkerStore

_LONGEST_PROBLEM = 4_000


@dataclass(frozen=True, slots=True)
class WorkerSet:
    """The workers of one repository.

    Attributes:
        repository: its current name.
    """

    client: GitHubClient
    services: EventServices
    repository: str
    installation_id: int

    @property
    def _store(self) -> WorkerStore:
        return self.services.store.workers

    def update(self, commit: str | None) -> tuple[bool, str]:
        """Store what the files of a commit say; a broken set leaves the one before as it is.

        Args:
            commit: the default branch's newest; None if there is none.

        Returns:
            Whether something was written, and what came of it, for the log.

        Raises:
            Overtaken: somebody else has written meanwhile.
        """
        before = self._store.writable_head(self.repository)
        collection = Collection((), ())
        if commit is not None:
            collection = read_source(CommitFiles(self.client, self.repository, commit))
        new = bundle(collection.workers)
        problems = (*collection.problems, *(() if isinstance(new, Bundle) else (new,)))
        if commit is not None and (problems or not isinstance(new, Bundle)):
            return self._refuse(before, commit, problems)
        if commit is None or not isinstance(new, Bundle) or not new.workers:
            # Nothing is stored of a repository that says nothing.
            is_removed = before is not None and self._store.remove(self.repository)
            return is_removed, "It has no workers of its own."
        head = Head(repository=self.repository, installation_id=self.installation_id, source_commit=commit)
        if before is None or not self._is_stored(before, new):
            self._store.replace(before, head, new)
            return True, f"{len(new.workers)} workers were stored."
        current = before.model_copy(
            update={"repository": self.repository, "installation_id": self.installation_id, "problem": None}
        )
        if current == before:
            return False, "Its workers are stored already."
        self._store.note(before, current)
        return True, "Its workers are stored already; the rest of what is known was corrected."

    def _is_stored(self, before: Head, new: Bundle) -> bool:
        """Return whether a set holds already, and whole."""
        if before.current is None or before.current.sha256 != new.packed.sha256:
            return False
        try:
            return self._store.read(self.repository) == new.workers
        except BrokenManifest as error:
            logger.warning("what is stored is damaged", repository=self.repository, reason=str(error))
            return False

    def _refuse(
        self, before: Head | None, commit: str, problems: tuple[FileProblem, ...]
    ) -> tuple[bool, str]:
        """Say on the commit what is wrong, once, and note it."""
        told = f"{len(problems)} problems, nothing was stored."
        text = "\n".join(f"{problem.path}: {problem.text}" for problem in problems)[:_LONGEST_PROBLEM]
        head = before if before is not None else Head(repository=self.repository)
        known = head.problem
        if known is not None and (known.commit, known.text) == (commit, text):
            return False, told
        comment_on(
            self.services.app,
            self.repository,
            commit,
            render_broken(problems, f"{self.client.urls.web}/{self.repository}/blob/{commit}", head),
            self.installation_id,
        )
        problem = Problem(commit=commit, text=text, at=datetime.now(UTC).isoformat())
        update = {
            "repository": self.repository,
            "installation_id": self.installation_id,
            "problem": problem,
        }
        self._store.note(before, head.model_copy(update=update))
        return True, told

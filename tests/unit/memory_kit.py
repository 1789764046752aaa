"""The stores of AWS in memory: the sessions table, totals of months, and artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pullwright.artifacts import LONGEST_CONVERSATION, Artifacts, UnreadableResultError
from pullwright.models import AgentRequest
from pullwright.months import Months, Spent
from pullwright.record import SessionRecord
from pullwright.results import AgentResult
from pullwright.reviewing.models import Findings
from pullwright.store import BranchRecord, Store
from pullwright.table import decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from pullwright.evaluation import EvaluationTask
    from pullwright.workers.definition import WorkerDefinition


class CountedMonths(Months):
    """Totals of months, as the calls that made them.

    Attributes:
        calls: session and what it added.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Spent]] = []

    def count(self, record: SessionRecord, spent: Spent, *, now: datetime) -> None:
        """See `Months`."""
        assert now.tzinfo is not None
        self.calls.append((record.session_id, spent))


class MemoryStore(Store):
    """The sessions table in memory."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.definitions: tuple[WorkerDefinition, ...] = ()
        """The repository's own workers."""
        self.counted = CountedMonths()

    @property
    def workers(self) -> Any:
        """See `Store`."""
        return self

    def read(self, repository: str) -> tuple[WorkerDefinition, ...]:
        """See `WorkerStore`."""
        assert repository
        return self.definitions

    def read_session(self, session_id: str) -> SessionRecord:
        """See `Store`."""
        return SessionRecord.of(session_id, self.items.get(f"SESSION#{session_id}", {}))

    def update_session(self, session_id: str, fields: Mapping[str, Any]) -> None:
        """See `Store`."""
        assert set(fields) <= set(SessionRecord.model_fields)
        item = self.items.setdefault(f"SESSION#{session_id}", {})
        item.update(decoded({name: encoded(value) for name, value in fields.items() if value is not None}))

    def forget(self, session_id: str, names: Collection[str]) -> None:
        """See `Store`."""
        for name in names:
            self.items[f"SESSION#{session_id}"].pop(name)

    def count_in_a_row(self, failure_class: str) -> dict[str, int]:
        """See `Store`."""
        self.items.setdefault("IN_A_ROW", {})["last"] = failure_class
        return {"service": 1} if failure_class == "service" else {}

    def take_lock(self, key: str, *, owner: str, session_id: str) -> bool:
        """See `Store`."""
        lock = self.items.setdefault(key, {"owner": owner, "session_id": session_id})
        return bool(lock["owner"] == owner)

    def release_lock(self, key: str, *, owner: str) -> None:
        """See `Store`."""
        if self.items.get(key, {}).get("owner") == owner:
            del self.items[key]

    def lock_owner(self, key: str) -> str | None:
        """See `Store`."""
        return self.items.get(key, {}).get("owner")

    def read_branch(self, repository: str, branch: str) -> BranchRecord | None:
        """See `Store`."""
        item = self.items.get(f"BRANCH#{repository}#{branch}")
        return None if item is None else BranchRecord.model_validate(item)

    def begin_branch(self, record: BranchRecord) -> None:
        """See `Store`."""
        self.items[f"BRANCH#{record.repository}#{record.branch}"] = record.model_dump(exclude_none=True)

    def write_branch(self, record: BranchRecord) -> None:
        """See `Store`."""
        item = self.items.setdefault(f"BRANCH#{record.repository}#{record.branch}", {})
        item.update(record.model_dump(exclude_none=True))

    @property
    def months(self) -> Months:
        """See `Store`."""
        return self.counted

    def _read(self, key: str) -> dict[str, Any]:
        return dict(self.items.get(key, {}))

    def holders(self, repository: str | None = None) -> int:
        """See `Store`."""
        return len(self.items.get(f"SLOTS#{repository}" if repository else "SLOTS", {}).get("holders", ()))

    def queued(self) -> int:
        """See `Store`."""
        return sum(item.get("status") == "QUEUED" for item in self.items.values())

    def waiting_sessions(self, repository: str, branch: str) -> list[SessionRecord]:
        """See `Store`."""
        assert repository
        assert branch
        return []

    def locks(self) -> list[str]:
        """Return the locks that are held."""
        return [key for key in self.items if key.startswith("LOCK#")]


class MemoryArtifacts(Artifacts):
    """The bucket in memory; what is stored goes through JSON."""

    def __init__(self) -> None:
        self.requests: dict[str, str] = {}
        self.results: dict[str, str] = {}
        self.findings: dict[str, str] = {}
        self.tasks: dict[str, EvaluationTask] = {}
        self.conversations: dict[str, int] = {}
        """Sizes in bytes, by session."""

    def url(self, session_id: str) -> str:
        """See `Artifacts`."""
        return f"s3://bucket/sessions/{session_id}/"

    def write_request(self, request: AgentRequest) -> AgentRequest:
        """See `Artifacts`."""
        text = self.requests.setdefault(request.session_id, request.model_dump_json())
        return AgentRequest.model_validate_json(text)

    def read_request(self, session_id: str) -> AgentRequest | None:
        """See `Artifacts`."""
        text = self.requests.get(session_id)
        return None if text is None else AgentRequest.model_validate_json(text)

    def read_task(self, session_id: str) -> EvaluationTask | None:
        """See `Artifacts`."""
        return self.tasks.get(session_id)

    def read_findings(self, session_id: str) -> Findings | None:
        """See `Artifacts`."""
        text = self.findings.get(session_id)
        return None if text is None else Findings.model_validate_json(text)

    def copy_conversation(self, source: str, target: str) -> str | None:
        """See `Artifacts`."""
        size = self.conversations.get(source)
        if size is None:
            return "the earlier conversation is not kept any more"
        if size > LONGEST_CONVERSATION:
            return f"the earlier conversation is too long ({size >> 20} MiB)"
        self.conversations[target] = size
        return None

    def read_result(self, session_id: str) -> AgentResult | None:
        """See `Artifacts`."""
        text = self.results.get(session_id)
        try:
            return None if text is None else AgentResult.model_validate_json(text)
        except ValueError as error:
            raise UnreadableResultError from error

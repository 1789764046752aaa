"""A deployment in which people ask for more, in comments and reviews."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tests.unit.pipeline_kit import PERSON, REPOSITORY, execution
from tests.unit.reconcile_kit import SweptDeployment
from tests.unit.webhook_kit import GUID

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.models import AgentRequest


class Talking(SweptDeployment):
    """A deployment in which people ask for more."""

    def __init__(self, folder: Path, client: Any) -> None:
        super().__init__(folder, client)
        self.begin("s-1", "claimed", requested_by=PERSON)
        self.number = int(self.sessions.read_session("s-1").pull_request or 0)

    def comment(self, text: str, login: str = PERSON) -> dict[str, Any]:
        """Write a comment on the pull request and return the input of its session."""
        made = self.github.person("POST", f"/issues/{self.number}/comments", {"body": text}, login)
        return self._input(made, made["created_at"], login, comment_id=made["id"])

    def review(self, event: str, text: str, *comments: dict[str, Any], login: str = PERSON) -> dict[str, Any]:
        """Submit a review and return the input of its session."""
        body = {"event": event, "body": text, "comments": list(comments)}
        made = self.github.person("POST", f"/pulls/{self.number}/reviews", body, login)
        return self._input(made, made["submitted_at"], login, review_id=made["id"])

    def _input(self, made: dict[str, Any], moment: str, login: str, **ids: int) -> dict[str, Any]:
        return {
            "pull_request": self.number,
            "requested_by": login,
            "delivery_id": GUID,
            "asked_at": moment,
            "text_sha256": sha256(made["body"].encode()).hexdigest(),
            **ids,
        }

    def record(self, session_id: str, request: dict[str, Any]) -> None:
        """Write a session's record, as the state machine's first state does."""
        fields = {
            "status": "QUEUED",
            "input": json.dumps({"repository": REPOSITORY, **request}),
            "created_at": datetime.now(UTC).isoformat(),
            "heartbeat_at": datetime.now(UTC).isoformat(),
        }
        self.sessions.update_session(session_id, fields)

    def ask(self, session_id: str, request: dict[str, Any]) -> AgentRequest:
        """Open a session for a request and return what its task reads."""
        self.record(session_id, request)
        return self.again(session_id, request)

    def again(self, session_id: str, request: dict[str, Any]) -> AgentRequest:
        """Try to open the session once more."""
        self.open(session_id, **request)
        found = self.artifacts.read_request(session_id)
        assert found is not None
        return found

    def close(self, session_id: str = "s-1") -> None:
        """End a session, which frees its branch."""
        self.sessions.update_session(session_id, {"status": "SUCCEEDED"})
        for lock in self.ledger.locks():
            self.sessions.release_lock(lock.key, owner=execution(session_id))


NOTE = {"path": "README.md", "line": 1, "side": "RIGHT", "body": "@pullwright rename this."}


def change(talking: Talking) -> None:
    """Put a commit on the session's branch that changes the first line of a file."""
    branch = str(talking.sessions.read_session("s-1").branch)
    parent = talking.github.head(branch)
    base = talking.github.person("GET", f"/git/commits/{parent}")["tree"]["sha"]
    entry = {"path": "README.md", "mode": "100644", "type": "blob", "content": "# Gadgets\n"}
    tree = talking.github.person("POST", "/git/trees", {"base_tree": base, "tree": [entry]})["sha"]
    fields = {"message": "Rename", "tree": tree, "parents": [parent]}
    sha = talking.github.person("POST", "/git/commits", fields)["sha"]
    talking.github.person("PATCH", f"/git/refs/heads/{branch}", {"sha": sha})

"""A pull request of ours whose checks end as ordered, and the sessions that mend them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, cast

from pullwright.errors import PullwrightError
from pullwright.events.checks import decide_checks
from pullwright.events.checks_texts import CHECKS_MARKER
from pullwright.events.messages import MESSAGE, QueuedChecks
from pullwright.events.services import EventServices
from pullwright.webhook.decision import Decision, decide
from pullwright.webhook.message import Message
from pullwright.workers.events import CHECK_SUITE, STATUS
from tests.unit.commands_kit import MACHINE, States
from tests.unit.pipeline_kit import PERSON, REPOSITORY, execution
from tests.unit.reconcile_kit import SweptDeployment
from tests.unit.webhook_kit import GUID, LABEL, SECRET, headers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORKFLOW = "name: CI\non: pull_request\njobs:\n  test: {}\n  lint: {}\n"
BROKEN = {"job": "test", "attempts": ["failure"], "path": "a.txt", "contains": "bug", "log": "1 != 2"}
"""A check that fails as long as the file has a bug."""
FLAKY = {"job": "test", "attempts": ["failure", "success"]}
HOPELESS = {"job": "test", "attempts": ["failure"]}


def decided(content: Mapping[str, Any], guid: str = GUID, event: str = CHECK_SUITE) -> Decision:
    """Sign a payload about checks, and decide as the webhook does."""
    body = json.dumps(content).encode()
    sent = headers(body, event, x_github_delivery=guid)
    return decide(sent, body, SECRET, trigger_label=LABEL)


class Mended(SweptDeployment):
    """A deployment with one pull request, opened by a session that a label started.

    Attributes:
        branch: the pull request's.
        waiting: what the webhook has queued and nobody has handled.
        ran: sessions that were started and have run, by name: the commit that each was for.
    """

    def __init__(self, folder: Path, client: Any, *, first: Mapping[str, Any] | None = None) -> None:
        super().__init__(folder, client)
        self.github.listen()
        self.github.write("main", {".github/workflows/ci.yml": WORKFLOW})
        self.states = States()
        self.waiting: list[QueuedChecks] = []
        self.ran: dict[str, str] = {}
        self.branch, self.number = "", 0
        self.services = EventServices(
            *(self.github.app(), self.sessions, self.ledger, cast("Any", self.states), MACHINE),
            queue=cast("Any", None),
            allowed_owners="",
        )
        self.first("s-1", **({"requested_by": PERSON, "delivery_id": GUID} if first is None else first))

    def first(self, session_id: str, **asked: Any) -> None:
        """Open a pull request, as a label does, and forget what was before."""
        self.order()
        self.begin(session_id, "opened", **asked)
        record = self.sessions.read_session(session_id)
        self.branch, self.number = str(record.branch), int(record.pull_request or 0)
        self.end(session_id)
        self.listen()
        self.waiting.clear()
        self.states.started.clear()

    def end(self, session_id: str = "s-1") -> None:
        """Give the session's lock back, as CloseSession does."""
        for lock in self.ledger.locks():
            self.sessions.release_lock(lock.key, owner=execution(session_id))

    def order(self, *outcomes: Mapping[str, Any], wait: bool = False) -> None:
        """Say how the repository's workflows end from now on."""
        body = {"outcomes": list(outcomes), "wait": wait}
        self.github.control("PUT", f"/repositories/{REPOSITORY}/outcomes", body)

    def finish(self) -> None:
        """Let all runs that wait end."""
        self.github.control("POST", f"/repositories/{REPOSITORY}/runs/finish", None)
        self.listen()

    def push(self, text: str = "a bug\n", message: str = "Write", branch: str = "") -> str:
        """Push a file and return the commit."""
        github, branch = self.github, branch or self.branch
        parent = github.head(branch)
        entry = {"path": "a.txt", "mode": "100644", "type": "blob", "content": f"{text}{uuid.uuid4()}\n"}
        tree = github.person("GET", f"/git/commits/{parent}")["tree"]["sha"]
        tree = github.person("POST", "/git/trees", {"base_tree": tree, "tree": [entry]})["sha"]
        commit = {"message": message, "tree": tree, "parents": [parent]}
        sha = str(github.person("POST", "/git/commits", commit)["sha"])
        github.person("PATCH", f"/git/refs/heads/{branch}", {"sha": sha})
        self.listen()
        return sha

    def set_status(self, commit: str, state: str, context: str = "ci/other") -> None:
        """Give a commit a status, as another system does."""
        body = {"state": state, "context": context, "description": f"The build is a {state}"}
        self.github.person("POST", f"/statuses/{commit}", body)
        self.listen()

    def listen(self) -> None:
        """Queue what the webhook makes of the deliveries since the last time."""
        for guid, event, payload in self.github.deliveries():
            if event not in {CHECK_SUITE, STATUS}:
                continue
            made = decided(payload, guid, event)
            if isinstance(made, Message):
                message = MESSAGE.validate_json(made.message)
                assert isinstance(message, QueuedChecks)
                self.waiting.append(message)

    def handle(self, message: QueuedChecks) -> str:
        """Handle one message as the events function does."""
        told = decide_checks(message, self.services)
        self.listen()
        return told

    def handle_all(self) -> list[str]:
        """Handle what waits, and what comes of it."""
        told = []
        while self.waiting:
            told.append(self.handle(self.waiting.pop(0)))
        return told

    def run_sessions(self, text: str = "mended\n") -> list[str]:
        """Run the sessions that were started and have not run; return what came of each."""
        ended = []
        for name, request in self.states.started.items():
            if name not in self.ran:
                self.ran[name] = request["checked_commit"]
                ended.append(self._run(name, request, text))
        return ended

    def _run(self, name: str, request: dict[str, Any], text: str) -> str:
        self.sessions.update_session(name, {"session_id": name, "input": json.dumps(request)})
        fields = {field: value for field, value in request.items() if field != "repository"}
        try:
            self.open(name, **fields)
        except PullwrightError as error:
            return type(error).__name__
        if text:
            self.push(text, f"Mend\n\nPullwright-Session: {name}\n")
        self.end(name)
        return "pushed" if text else "no change"

    def word(self) -> str:
        """Return our word about checks; empty if there is none."""
        bodies = [str(comment["body"]) for comment in self.github.comments(self.number)]
        [text] = [body for body in bodies if body.startswith(CHECKS_MARKER)] or [""]
        return text

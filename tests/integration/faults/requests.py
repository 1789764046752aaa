"""Everything that people ask for besides labels, on the whole stack; deliveries are late, lost or doubled.

One repository has its worker files changed, an issue worked on, more asked for, and a pull request reviewed;
in another one a session is stopped.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.people import call
from local.sessions import Session
from tests.integration.conftest import FILES, LABEL
from tests.integration.test_conversation import READ, edit, play, until

if TYPE_CHECKING:
    from local.sessions import Stack
    from tests.integration.conftest import Repositories, Repository

WORKERS = ".pullwright/workers"
REVIEW = {f"{WORKERS}/review.yaml": "enabled: true\n"}
DOCS = "on: {event: issues, labels: never}\ninstructions: Keep it true.\n"
ADDED: dict[str, str | None] = {"src/app.py": "print('hello')\nprint(1 / 0)\n"}
FINDING = {"path": "src/app.py", "line": 2, "text": "It divides by zero."}
_SLOWLY = 120


@dataclass(frozen=True)
class Requests:
    """What was asked for, and the sessions of it.

    Attributes:
        repository: the first one, with four sessions at most in it.
        issue: the number of the issue that was worked on first.
        follow_up: whose comment GitHub could not deliver at first.
        reviewed: the number of the pull request that was reviewed.
    """

    repository: Repository
    issue: int
    first: Session
    follow_up: Session
    review: Session
    reviewed: int
    stopped: Session
    stopped_in: Repository

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All of them."""
        return (self.first, self.follow_up, self.review, self.stopped)


def make_requests(stack: Stack, repositories: Repositories) -> Requests:
    """Ask for everything, and wait until all of it has ended."""
    stopped_in = repositories.make()
    play(stack, stopped_in, READ, edit("hello", "good day"), {"text": "Never said.", "delay": _SLOWLY})
    stopped_in.person.label(stopped_in.name, stopped_in.issue(), LABEL)
    repository = repositories.make(files={**FILES, **REVIEW})
    until(lambda: _source(repository))
    # Two pushes, the first of which is delivered once more when the second is in force.
    commits = [
        repository.person.commit(repository.name, "main", {f"{WORKERS}/{name}.yaml": DOCS})
        for name in ("docs", "more")
    ]
    until(lambda: _source(repository) == commits[-1])
    deliver_again(stack, lambda it: it["event"] == "push" and commits[0] in json.dumps(it["request"]))

    play(
        *(stack, repository, READ, edit("hello", "good day"), {"text": "Good day."}),
        *(READ, edit("good day", "good evening"), {"text": "It is done."}),
    )
    issue = repository.issue()
    repository.person.label(repository.name, issue, LABEL)
    first = stack.wait_for_execution(repository.name, issue, 30)
    reviewed, review = _review(stack, repository)
    stopped = _stop(stack, stopped_in)
    first.wait(180)
    follow_up = _lost_follow_up(stack, repository, int(first.record().pull_request or 0))
    review.wait(180)
    follow_up.wait(180)
    return Requests(repository, issue, first, follow_up, review, reviewed, stopped, stopped_in)


def deliver_again(stack: Stack, is_meant: Any) -> int:
    """Have GitHub deliver again what is meant; return how many deliveries that were."""
    deliveries = [it for it in call(stack.github_url, "GET", "/_standin/deliveries") if not it["redelivery"]]
    chosen = [it for it in deliveries if is_meant(it)]
    for delivery in chosen:
        call(stack.github_url, "POST", f"/_standin/deliveries/{delivery['id']}/redeliver")
    return len(chosen)


def _source(repository: Repository) -> str:
    """Return the commit whose worker files are in force; empty if there is none."""
    stack = repository.stack
    key = {"pk": {"S": f"REPO#{repository.name.lower()}"}}
    table = stack.client("dynamodb")
    item = table.get_item(TableName=stack.outputs["SessionsTable"], Key=key).get("Item", {})
    return str(item.get("source_commit", {}).get("S", ""))


def _review(stack: Stack, repository: Repository) -> tuple[int, Session]:
    title = f"Say hello {uuid.uuid4().hex}"
    answer = {"summary": "One thing is wrong.", "findings": [FINDING], "resolved": []}
    steps = [
        {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}},
        {"text": f"```json\n{json.dumps(answer)}\n```"},
    ]
    call(stack.model_url or "", "PUT", f"/_standin/scripts/{title[-8:]}", {"match": title, "steps": steps})
    repository.person.commit(repository.name, "topic", ADDED)
    number = repository.person.open_pull(repository.name, "topic", title, body="Please read it.")
    found = until(lambda: _sessions(stack, repository, pull_request=number))
    session: Session = found[0]
    return number, session


def _stop(stack: Stack, repository: Repository) -> Session:
    session = stack.wait_for_execution(repository.name, 1, 30)
    until(lambda: any(line.get("tool") == "Edit" for line in session.log_lines()), 120)
    repository.rest("POST", "/issues/1/comments", {"body": "/stop"})
    session.wait(60)
    until(lambda: session.record().is_over, 90)
    return session


def _lost_follow_up(stack: Stack, repository: Repository, number: int) -> Session:
    """Ask for more while the webhook cannot be reached, and let the sweep ask GitHub for the delivery."""
    fault = {"method": "WEBHOOK", "path_regex": r"^issue_comment\.created$", "drop": True}
    call(stack.github_url, "PUT", "/_standin/faults", [fault])
    body = {"body": "@pullwright also in the evening"}
    comment = repository.rest("POST", f"/issues/{number}/comments", body)
    until(lambda: any(it["seen"] for it in call(stack.github_url, "GET", "/_standin/faults")))
    call(stack.github_url, "PUT", "/_standin/faults", [])
    # What is not over yet counts for no attempt.
    time.sleep(1)
    sweep(stack)
    found = until(lambda: _sessions(stack, repository, comment_id=comment["id"]))
    session: Session = found[0]
    return session


def sweep(stack: Stack) -> None:
    """Run the sweep."""
    answer = stack.client("lambda").invoke(FunctionName=stack.outputs["ReconcileFunctionName"], Payload=b"{}")
    said = answer["Payload"].read().decode()
    assert "FunctionError" not in answer, said


def _sessions(stack: Stack, repository: Repository, **fields: int) -> list[Session]:
    sessions = [Session(stack, arn) for arn in stack.executions(repository.name)]
    return [it for it in sessions if fields.items() <= it.input.items()]

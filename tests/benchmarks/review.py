"""What a review writes on GitHub: of a pull request of 500 lines, with findings in them."""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local.people import Person, call
from local.sessions import Session
from tests.benchmarks.figures import Figure, Mark, Section
from tests.benchmarks.session import NotMeasuredError, finished, running_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.sessions import Stack

_LINES = 500
_FINDINGS = 10
_WRITES = 4
_PATIENCE = 60


def measure(say: Callable[[str], None]) -> Section:
    """Measure on the stack that is up, or on one that is started for it.

    Raises:
        NotMeasuredError: no stack came up, or the session did not comment.
    """
    with running_stack(say) as stack:
        if stack.model_url is None:
            return Section("Review", "The stack's model is a real one, so no pull request was reviewed.")
        say("review of a pull request")
        session, repository = _reviewed(stack)
        writes = content_writes(session, repository)
        described = finished(session)
    seconds = (described["stopDate"] - described["startDate"]).total_seconds()
    return Section(
        "Review",
        f"One pull request of {_LINES} lines with {_FINDINGS} findings on the local stack, started by its "
        "webhook: every request by which the session changes something on GitHub, from first to last.",
        (
            Figure("content writes of the review", len(writes), "", mark=Mark(_WRITES)),
            Figure("review, whole", seconds, "s"),
        ),
    )


def content_writes(session: Session, repository: str) -> list[tuple[str, str]]:
    """Return method and path of what a session that has ended wrote on GitHub."""
    ended = datetime.fromisoformat(str(session.record().closed_at))
    return [
        (request["method"], request["path"])
        for request in call(session.stack.github_url, "GET", "/_standin/requests")
        if request["method"] not in {"GET", "HEAD"}
        and f"/repos/{repository}/" in request["path"]
        and not request["actor"].startswith("user:")
        and datetime.fromisoformat(request["time"]) <= ended
    ]


def _reviewed(stack: Stack) -> tuple[Session, str]:
    """Open a pull request that the built-in worker reviews, and wait for the end."""
    person = Person.join(stack.github_url, f"reader-{uuid.uuid4().hex[:8]}")
    repository = f"octo-labs-{uuid.uuid4().hex[:8]}/table"
    files = {"README.md": "# A table\n", ".pullwright/workers/review.yaml": "enabled: true\n"}
    made = {"full_name": repository, "permissions": {person.login: "admin"}, "files": files}
    call(stack.github_url, "POST", "/_standin/repositories", made)
    table = stack.client("dynamodb")
    key = {"pk": {"S": f"REPO#{repository}"}}
    _until(lambda: "Item" in table.get_item(TableName=stack.output("SessionsTable"), Key=key), "its workers")
    person.commit(repository, "topic", {"table.py": "".join(f"ROW_{row} = {row}\n" for row in range(_LINES))})
    title = f"Add a table {uuid.uuid4().hex}"
    findings = [
        {"path": "table.py", "line": line, "text": f"Row {line} has no name."}
        for line in range(1, _LINES, _LINES // _FINDINGS)
    ]
    answer = json.dumps({"summary": "Some rows have no name.", "findings": findings})
    script = {"match": title, "steps": [{"text": f"```json\n{answer}\n```"}]}
    call(str(stack.model_url), "PUT", "/_standin/scripts/bench-review", script)
    number = person.open_pull(repository, "topic", title, body="Please read it.")
    [arn] = _until(lambda: stack.executions(repository), "the session")
    session = Session(stack, arn)
    finished(session)
    comments = person.rest("GET", f"/repos/{repository}/pulls/{number}/comments?per_page=100")
    if len(comments) != _FINDINGS:
        raise NotMeasuredError(f"session {session.id} left {len(comments)} comments, not {_FINDINGS}")
    return session, repository


def _until(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while not (value := found()):
        if time.monotonic() > deadline:
            raise NotMeasuredError(f"{what}: not within {_PATIENCE} s")
        time.sleep(0.2)
    return value

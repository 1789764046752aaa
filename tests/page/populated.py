"""A stack with two hundred sessions, as a team of some months has it, and a dashboard that serves it."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import uvicorn

from pullwright_cli.dashboard.application import make
from tests.unit.cli_kit import cloud
from tests.unit.dashboard_kit import TOKEN, Dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSIONS = 200
LIVE, FAILED, DONE = "implement-118-live", "implement-114-failed", "implement-112-done"
_REPOSITORIES = ("acme/checkout", "acme/storefront", "acme/ledger", "acme/mobile-app")
_PEOPLE = ("mona", "hubot", "octavia", "grace")
_DONE = (
    "Round the total once, after the discount",
    "Retry the upload when the connection breaks",
    "Show an empty basket instead of an error",
    "Read dates in the customer's time zone",
    "Upgrade the parser, and drop the workaround for it",
)
_FAILURES = (
    ("ChecksFailed", "The tests still fail after two attempts to mend them.", "Look at the checks below."),
    ("CostLimit", "The session reached its limit of $5.00.", "Raise the limit, or make the task smaller."),
    (
        "AgentStuck",
        "The same command failed eight times in a row.",
        "Say more in the issue, then start it again.",
    ),
)
STATES = (
    "RecordSession",
    "OpenPullRequest",
    "AdmitSession",
    "RunAgent",
    "ReportOutcome",
    "CloseSession",
    "Outcome",
)


class PopulatedStack(Dashboard):
    """The stack; histories have all states of a good session."""

    def __post_init__(self) -> None:
        """Ask nothing: a real browser does, of an application with a port of its own."""

    def client(self, service: str) -> Any:
        """See `Dashboard`."""
        return _States(super().client(service)) if service == "stepfunctions" else super().client(service)


class _States:
    """Step Functions, with histories of several states."""

    def __init__(self, states: Any) -> None:
        self._states = states

    def describe_execution(self, **call: Any) -> Any:
        """See AWS."""
        return self._states.describe_execution(**call)

    def get_paginator(self, _name: str) -> _States:
        """See boto3."""
        return self

    def paginate(self, *, executionArn: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - AWS's name
        """Return a history that ends, unless the session is live."""
        self._states.describe_execution(executionArn=executionArn)
        is_live = executionArn.endswith("live")
        at = datetime.now(UTC) - timedelta(minutes=8)
        events = []
        for name, seconds in zip(STATES, (0.2, 3.1, 0.3, 190, 2.4, 0.2, 0), strict=True):
            events.append({"stateEnteredEventDetails": {"name": name}, "timestamp": at})
            if is_live and name == "RunAgent":
                break
            at += timedelta(seconds=seconds)
            events.append({"stateExitedEventDetails": {"name": name}, "timestamp": at})
        return [{"events": events}]


def populate(stack: Dashboard, sessions: int) -> None:
    """Record sessions of the last 30 days, many on weekdays, and all that three of them left."""
    chance = random.Random(13)  # noqa: S311 - the same stack each time
    now = datetime.now(UTC)
    requests = [_put(name, _fields(chance, name, place, sessions, now)) for place, name in _names(sessions)]
    for start in range(0, len(requests), 25):
        stack.cloud.dynamodb.batch_write_item(
            RequestItems={stack.output("SessionsTable"): requests[start : start + 25]}
        )
    for name in (LIVE, FAILED, DONE):
        prompt = "Discounts are rounded for each line, so the total is off by a cent now and then."
        status = "RUNNING" if name == LIVE else "FAILED" if name == FAILED else "SUCCEEDED"
        stack.cloud.states.executions[name] = (
            status,
            json.dumps({"repository": _REPOSITORIES[0], "prompt": prompt}),
        )
        _leave(stack, name, now)


def _names(sessions: int) -> Iterator[tuple[int, str]]:
    known = {0: LIVE, 3: FAILED, 5: DONE}
    for place in range(sessions):
        worker = "review" if place % 5 == 4 else "implement"
        yield (
            place,
            known.get(place, f"{worker}-{120 + sessions - place}-{place:08x}-9bb2-11f0-8de9-0242ac120002"),
        )


def _fields(chance: random.Random, name: str, place: int, sessions: int, now: datetime) -> dict[str, Any]:
    is_open = place < 3
    began = now - timedelta(minutes=4 + place * (9 if is_open else 30 * 24 * 60 / sessions))
    has_failed = name == FAILED or (place > 5 and chance.random() < 0.12)
    ended = began + timedelta(seconds=chance.randrange(90, 1_500))
    repository = chance.choices(_REPOSITORIES, (5, 3, 2, 1))[0]
    fields: dict[str, Any] = {
        "repository": repository,
        "worker": name.partition("-")[0],
        "requested_by": chance.choice(_PEOPLE),
        "created_at": began.isoformat(),
        "admitted_at": began.isoformat(),
        "model": "global.anthropic.claude-sonnet-5-5",
        "branch": f"claude/{place + 40}",
        "issue": place + 40,
        "pull_request": place + 41,
        "pull_request_url": f"https://github.com/{repository}/pull/{place + 41}",
    }
    if is_open:
        return {
            **fields,
            "status": "QUEUED" if place == 2 else "RUNNING",
            "heartbeat_at": (now - timedelta(seconds=place)).isoformat(),
            "turns": 14,
        }
    error, sentence, remedy = _FAILURES[0] if name == FAILED else chance.choice(_FAILURES)
    ending = {"status": "FAILED", "outcome": "failed", "error": error, "sentence": sentence, "remedy": remedy}
    if not has_failed:
        ending = {"status": "SUCCEEDED", "outcome": "changed", "sentence": chance.choice(_DONE)}
    return {
        **fields,
        **ending,
        "closed_at": ended.isoformat(),
        "heartbeat_at": ended.isoformat(),
        "cost_usd": round(chance.lognormvariate(-0.9, 0.8), 4),
        "turns": chance.randrange(6, 70),
        "checks": "1 of 2 failed" if has_failed else "all passed",
        "commit": f"{chance.getrandbits(160):040x}",
        "input_tokens": 412,
        "output_tokens": 9_310,
        "cache_read_tokens": 1_204_118,
        "cache_write_tokens": 88_204,
        "egress": "caged",
        "image_digest": f"sha256:{chance.getrandbits(256):064x}",
    }


def _put(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    item = {
        key: {"N": str(value)} if isinstance(value, int | float) else {"S": value}
        for key, value in fields.items()
    }
    return {"PutRequest": {"Item": {"pk": {"S": f"SESSION#{name}"}, **item}}}


def _check(name: str, command: str, status: str, seconds: float, output: str) -> dict[str, Any]:
    return {"name": name, "command": command, "status": status, "seconds": seconds, "output": output}


def _leave(stack: Dashboard, name: str, now: datetime) -> None:
    """Leave artifacts and lines of the log."""

    def said(*blocks: dict[str, Any]) -> str:
        return json.dumps({"type": "assistant", "message": {"content": blocks}})

    failing = (
        "FAIL basket_test.py::test_total\n  assert Decimal('27.99') == Decimal('28.00')\n1 failed, 41 passed"
    )
    lines = [
        said(
            {
                "type": "text",
                "text": "I will reproduce the wrong total first, then look at where discounts are rounded.",
            }
        ),
        said(
            {
                "type": "tool_use",
                "name": "Bash",
                "input": {"command": "python -m pytest -q tests/basket_test.py"},
            }
        ),
        said({"type": "tool_result", "content": failing, "is_error": True}),
        said({"type": "tool_use", "name": "Read", "input": {"file_path": "basket/total.py"}}),
        said(
            {
                "type": "tool_result",
                "content": "def total(lines):\n    return sum(line.discounted() for line in lines)",
            }
        ),
        said(
            {
                "type": "text",
                "text": "Each line is rounded to cents before they are summed. I round once, at the end.",
            }
        ),
        said(
            {"type": "tool_use", "name": "Edit", "input": {"file_path": "basket/total.py", "new_string": "…"}}
        ),
        said({"type": "tool_result", "content": "The file basket/total.py has been updated."}),
        said({"type": "tool_use", "name": "Bash", "input": {"command": "python -m pytest -q"}}),
        said({"type": "tool_result", "content": "42 passed in 1.31s"}),
        json.dumps(
            {"type": "result", "subtype": "success", "num_turns": 14, "result": "The total is rounded once."}
        ),
    ]
    patch = (
        "diff --git a/basket/total.py b/basket/total.py\n--- a/basket/total.py\n+++ b/basket/total.py\n"
        '@@ -8,5 +8,6 @@ def total(lines):\n     """Return what a basket costs."""\n'
        "-    return sum(line.discounted().quantize(CENT) for line in lines)\n"
        "+    # A discount is a share of the whole: rounding each line loses up to half a cent of each.\n"
        "+    return sum(line.discounted() for line in lines).quantize(CENT)\n"
    )
    status, output = ("failed", failing) if name == FAILED else ("passed", "42 passed in 1.31s")
    checks = [
        _check("tests", "python -m pytest -q", status, 1.3, output),
        _check("lint", "ruff check .", "passed", 0.2, "All checks passed!"),
    ]
    result = {
        "session_id": name,
        "task_arn": "arn",
        "outcome": "changed",
        "exit_code": 0,
        "files_changed": 1,
        "additions": 2,
        "deletions": 1,
        "checks": checks,
        "started_at": now.isoformat(),
        "ended_at": now.isoformat(),
        "summary": "The total is rounded once, after the discount.\n\n"
        "Each line was rounded to cents before they were summed.",
    }
    stack.store(name, "transcript.jsonl", "\n".join(lines).encode())
    stack.store(name, "diff.patch", patch.encode())
    if name != LIVE:
        stack.store(name, "result.json", json.dumps(result).encode())
    at = int(now.timestamp() * 1000) - 200_000
    steps = (
        "Cloning the repository",
        "Starting the agent",
        "Running python -m pytest -q",
        "Editing basket/total.py",
    )
    for place, step in enumerate(steps):
        line = {"session_id": name, "activity": step, "tool": ("", "", "Bash", "Edit")[place]}
        stack.logs.write("agent", at + place * 9_000, json.dumps(line))
    line = {"session_id": name, "message": "a check failed", "level": "WARNING"}
    stack.logs.write("agent", at + 60_000, json.dumps(line))
    delivery = {
        "status_code": 200,
        "event": "issues",
        "repository": _REPOSITORIES[0],
        "issue": 118,
        "message": "started",
    }
    stack.logs.write("webhook", at, json.dumps({**delivery, "status": "started", "correlation_id": name}))
    other = {**delivery, "status": "ignored", "message": "no worker listens to this", "issue": 97}
    stack.logs.write(
        "webhook", at + 900, json.dumps({**other, "unmatched": {"review": "it is no pull request"}})
    )


@contextmanager
def serving(sessions: int = SESSIONS) -> Iterator[tuple[PopulatedStack, str]]:
    """Provide the stack, and the address that gives a browser access."""
    with cloud() as made:
        stack = PopulatedStack(made)
        populate(stack, sessions)
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        app = make(stack, "pullwright-prod", "eu-central-1", port, TOKEN)
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", ws="none", log_level="error", access_log=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        try:
            yield stack, f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()

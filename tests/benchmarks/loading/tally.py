"""Counts what a load run left behind: what is missing, and what is there twice."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.sessions import Stack
    from tests.benchmarks.loading.plan import Plan

TRACKING = "<!-- pullwright:tracking -->"
_POLL = 2.0
# One session works, the others of its issue say that it does; later ones go on with its pull request.
_EXPECTED = frozenset({"changed", "no_change", "AlreadyRunning"})


@dataclass
class Tally:
    """The counts.

    Attributes:
        lost: what should be there and is not, as sentences.
        doubled: what is there more often than it should be.
        endings: how many sessions ended how: an outcome, or the error of a failed one.
        tasks: how many sessions got as far as a task.
    """

    executions: int = 0
    sessions: int = 0
    pull_requests: int = 0
    tasks: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


def wait(stack: Stack, guids: set[str], seconds: float, say: Callable[[str], None]) -> float:
    """Wait until the sessions of all deliveries have ended.

    Args:
        seconds: how long at most.

    Returns:
        Seconds that it took.
    """
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds:
        ended = {guid_of(name) for name, status in _executions(stack).items() if status != "RUNNING"} & guids
        say(f"{len(ended)} of {len(guids)} sessions have ended after {waited:.0f} s")
        if ended >= guids:
            break
        time.sleep(_POLL)
    return time.monotonic() - began


def tally(stack: Stack, plan: Plan, accepted: set[str]) -> Tally:
    """Count."""
    found = Tally()
    found.lost += [f"the webhook never took delivery {guid}" for guid in sorted(plan.guids - accepted)]
    ours = _count_sessions(stack, plan, accepted, found)
    _count_pull_requests(stack, plan, found)
    _count_tasks(stack, ours, found)
    return found


def guid_of(session_id: str) -> str:
    """Return the delivery that started a session: its 36 characters end the name."""
    return session_id[-36:]


def _executions(stack: Stack) -> dict[str, str]:
    pages = stack.client("stepfunctions").get_paginator("list_executions")
    return {
        one["name"]: one["status"]
        for page in pages.paginate(stateMachineArn=stack.outputs["StateMachineArn"])
        for one in page["executions"]
    }


def _items(stack: Stack) -> list[dict[str, Any]]:
    pages = stack.client("dynamodb").get_paginator("scan")
    return [
        item for page in pages.paginate(TableName=stack.outputs["SessionsTable"]) for item in page["Items"]
    ]


def _count_sessions(stack: Stack, plan: Plan, accepted: set[str], found: Tally) -> set[str]:
    """Count executions and records, and return their names."""
    items = _items(stack)
    records = {item["session_id"]["S"]: item for item in items if item["pk"]["S"].startswith("SESSION#")}
    records = {
        name: item
        for name, item in records.items()
        if guid_of(name) in plan.guids or item.get("repository", {}).get("S") in plan.issues
    }
    executions = {
        name: status
        for name, status in _executions(stack).items()
        if guid_of(name) in plan.guids or name in records
    }
    found.executions, found.sessions = len(executions), len(records)
    per_delivery = Counter(guid_of(name) for name in executions)
    found.lost += [
        f"delivery {guid} was taken and started nothing" for guid in accepted - per_delivery.keys()
    ]
    found.doubled += [f"delivery {guid} started {n} executions" for guid, n in per_delivery.items() if n > 1]
    found.doubled += [f"nobody asked for {name}" for name in executions if guid_of(name) not in plan.guids]
    for name, status in executions.items():
        record = records.get(name, {})
        ending = record.get("error", {}).get("S") or record.get("outcome", {}).get("S") or status
        found.endings[ending] += 1
        if "closed_at" not in record:
            found.lost.append(f"session {name} was not closed ({status})")
        elif record["report"]["S"] != "made":
            found.lost.append(f"session {name} was not reported ({ending})")
        elif ending not in _EXPECTED:
            said = record.get("sentence", {}).get("S", "")
            found.lost.append(f"session {name} did not do its work ({ending}): {said}")
    found.tasks = sum("task_arn" in record for record in records.values())
    locks = [item["pk"]["S"] for item in items if item["pk"]["S"].startswith("LOCK#")]
    found.lost += [f"{key} is still held" for key in locks if key.split("#")[1] in plan.issues]
    slots = next((item for item in items if item["pk"]["S"] == "SLOTS"), {})
    holders = executions.keys() & set(slots.get("holders", {}).get("SS", []))
    found.lost += [f"{holder} still has a slot" for holder in holders]
    return set(executions)


def _count_pull_requests(stack: Stack, plan: Plan, found: Tally) -> None:
    reader = Person.join(stack.github_url, "maintainer")
    for repository, numbers in plan.issues.items():
        pulls = reader.rest("GET", f"/repos/{repository}/pulls?state=all&per_page=100")
        found.pull_requests += len(pulls)
        heads = Counter(pull["head"]["ref"] for pull in pulls)
        for number in numbers:
            if not heads[f"claude/{number}"]:
                found.lost.append(f"{repository}#{number} has no pull request")
        found.doubled += [f"{repository} has {n} pull requests of {ref}" for ref, n in heads.items() if n > 1]

        def tracked(pull: dict[str, Any], repository: str = repository) -> tuple[str, int]:
            path = f"/repos/{repository}/issues/{pull['number']}/comments?per_page=100"
            ours = sum(TRACKING in comment["body"] for comment in reader.rest("GET", path))
            return f"{repository}#{pull['number']}", ours

        with ThreadPoolExecutor(4) as threads:
            counted = dict(threads.map(tracked, pulls))
        found.lost += [f"{pull} has no tracking comment" for pull, n in counted.items() if n == 0]
        found.doubled += [f"{pull} has {n} tracking comments" for pull, n in counted.items() if n > 1]


def _count_tasks(stack: Stack, ours: set[str], found: Tally) -> None:
    """Look for tasks that still run, and for sessions that had more than one."""
    ecs, cluster = stack.client("ecs"), stack.outputs["EcsClusterArn"]
    launched: Counter[str] = Counter()
    for status in ("RUNNING", "STOPPED"):
        for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status):
            if not page["taskArns"]:
                continue
            for task in ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]:
                name = task["overrides"]["containerOverrides"][0]["environment"][0]["value"]
                if name not in ours or task.get("stopCode") == "TaskFailedToStart":
                    continue
                launched[name] += 1
                if task["lastStatus"] != "STOPPED":
                    found.lost.append(f"the task of session {name} still runs")
    found.doubled += [f"session {name} ran {n} tasks" for name, n in launched.items() if n > 1]

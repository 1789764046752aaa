"""The deliveries of a load run: real issues, real payloads, some of them more than once."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.people import Person, call

if TYPE_CHECKING:
    from local.sessions import Stack

LABEL = "claude-dev"
_ISSUES_PER_REPOSITORY = 5
"""Each repository has an owner of its own: all sessions of an owner share 70 texts and 7 more a minute. Four
deliveries an issue, each with a text or two, stay below that."""
_FILES = {"README.md": "# A project\n"}
_WEBHOOK_SECONDS = 30
_PLENTY = 10_000_000
_LOST: dict[str, Any] = {"method": "WEBHOOK", "path_regex": ".", "times": None, "drop": "vanish"}


@dataclass(frozen=True)
class Delivery:
    """One webhook as GitHub sends it.

    Attributes:
        body: the payload's bytes.
    """

    guid: str
    body: bytes

    def headers(self, secret: str, host: str) -> dict[str, str]:
        """Return the headers that GitHub sends.

        Args:
            host: the Function URL's name.
        """
        signature = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return {
            "Host": host,
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/load",
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": self.guid,
            "X-Hub-Signature-256": f"sha256={signature}",
        }


@dataclass(frozen=True)
class Plan:
    """What is sent.

    Attributes:
        deliveries: in the order in which they are sent.
    """

    deliveries: tuple[Delivery, ...]
    issues: dict[str, tuple[int, ...]]

    @property
    def guids(self) -> set[str]:
        """Each delivery once."""
        return {one.guid for one in self.deliveries}


def prepare(stack: Stack, *, deliveries: int, issues: int, duplicates: float, seed: int) -> Plan:
    """Open and label the issues, and make the deliveries that tell of the labels.

    The stand-in loses its own webhooks meanwhile, so that only the planned ones start something.

    Args:
        duplicates: the share that repeats an earlier GUID, from 0 to 1.
    """
    # GitHub lets an App create 80 texts a minute, and Pullwright itself 70 (docs/scaling.md). Here the
    # pipeline is to be the limit: GitHub's is lifted, and no owner comes near Pullwright's.
    limits = {"per_hour": _PLENTY, "anonymous_per_hour": _PLENTY}
    call(
        stack.github_url,
        "PUT",
        "/_standin/limits",
        {**limits, "content_per_minute": _PLENTY, "content_per_hour": _PLENTY},
    )
    person = Person.join(stack.github_url, "maintainer")
    sizes: dict[str, int] = {}
    while (missing := issues - sum(sizes.values())) > 0:
        repository = f"load-{uuid.uuid4().hex[:10]}/app"
        made = {"full_name": repository, "permissions": {person.login: "admin"}, "files": _FILES}
        call(stack.github_url, "POST", "/_standin/repositories", made)
        sizes[repository] = min(missing, _ISSUES_PER_REPOSITORY)
    told = payloads(stack, person, sizes)
    bodies = [body for those in told.values() for body in those]
    order = random.Random(seed)  # noqa: S311 - an order, no secret
    repeated = int(deliveries * duplicates)
    planned = [Delivery(str(uuid.uuid4()), bodies[n % issues]) for n in range(deliveries - repeated)]
    planned += [order.choice(planned) for _ in range(repeated)]
    order.shuffle(planned)
    return Plan(tuple(planned), {name: tuple(range(1, size + 1)) for name, size in sizes.items()})


def payloads(stack: Stack, person: Person, sizes: dict[str, int]) -> dict[str, list[bytes]]:
    """Open issues in fresh repositories, label them, and return what GitHub would send about the labels."""
    for repository in sizes:
        person.open_issue(repository, "Say good bye 1", "Print `good bye` too.")
    sent = _payloads_about(stack, set(sizes))
    call(stack.github_url, "PUT", "/_standin/faults", [_LOST])
    try:
        told = {name: _labeled(person, sent[name], size) for name, size in sizes.items()}
        _until_quiet(stack)
    finally:
        call(stack.github_url, "PUT", "/_standin/faults", [])
    return told


def _labeled(person: Person, sent: dict[str, Any], size: int) -> list[bytes]:
    """Open a repository's further issues, label all, and return the payloads that tell of the labels."""
    repository = sent["repository"]["full_name"]
    bodies = []
    for number in range(1, size + 1):
        if number > 1:
            person.open_issue(repository, f"Say good bye {number}", "Print `good bye` too.")
        person.label(repository, number, LABEL)
        issue = person.rest("GET", f"/repos/{repository}/issues/{number}")
        payload = {**sent, "action": "labeled", "issue": issue, "label": issue["labels"][0]}
        bodies.append(json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode())
    return bodies


def _payloads_about(stack: Stack, repositories: set[str]) -> dict[str, dict[str, Any]]:
    """Return what the stand-in itself sent about issues: the rest of the payloads is taken from there."""
    deadline = time.monotonic() + _WEBHOOK_SECONDS
    while time.monotonic() < deadline:
        told = call(stack.github_url, "GET", "/_standin/deliveries?event=issues")
        payloads = [one["request"]["payload"] for one in told]
        found = {one["repository"]["full_name"]: one for one in payloads}
        if repositories <= found.keys():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"the stand-in did not tell of all new issues within {_WEBHOOK_SECONDS} s")


def _until_quiet(stack: Stack) -> None:
    """Wait until the stand-in has no webhook left to lose."""
    deadline = time.monotonic() + _WEBHOOK_SECONDS
    while call(stack.github_url, "GET", "/_standin/deliveries?pending=true"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the stand-in still sends webhooks after {_WEBHOOK_SECONDS} s")
        time.sleep(0.1)

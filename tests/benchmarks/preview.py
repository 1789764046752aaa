"""Previews on the local stack: from the label to the address, and what the machine enters for it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import urllib3

from local.demo.previews import MACHINE
from local.people import Person, call
from pullwright_cli.session import ENDED
from tests.benchmarks.figures import Figure, Mark, Section, median
from tests.benchmarks.session import NotMeasuredError, running_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.sessions import Stack

T = TypeVar("T")
_ROUNDS = 5
_BUILD_SECONDS = 5.0
_OWN_SECONDS = 10.0
_STATES = 12
_LABEL = "uat"
_LONGEST = 120.0
_FILES = {
    ".pullwright/config.yaml": (
        "preview:\n"
        f"  build: python3 -c 'import time; time.sleep({_BUILD_SECONDS})'\n"
        "  start: python3 -m http.server --bind $HOST $PORT\n"
    ),
    "index.html": "of main",
}


def measure(say: Callable[[str], None]) -> Section:
    """Measure previews on the stack that is up, or on one that is started for it.

    Raises:
        NotMeasuredError: a preview did not come or go as it has to.
    """
    with running_stack(say) as stack:
        rounds = [_preview(stack, say, number) for number in range(_ROUNDS)]
    return Section(
        "Preview",
        f"{_ROUNDS} previews on the local stack, one after the other, so without Fargate's own start and the "
        "image's pull: a label on a pull request whose repository has a build of "
        f"{_BUILD_SECONDS:g} s, which is taken off. Seconds count from the request that sets the label to "
        "the comment with the address, which answers through the load balancer then, and from the request "
        "that takes it off to the execution's end.",
        tuple(
            median(same[0].name, [figure.value for figure in same], same[0].unit, mark=same[0].mark)
            for same in zip(*rounds, strict=True)
        ),
    )


def _preview(stack: Stack, say: Callable[[str], None], number: int) -> list[Figure]:
    say(f"preview {number + 1} of {_ROUNDS}")
    person = Person.join(stack.github_url, "maintainer")
    repository = f"octo-previews/r{time.time_ns()}"
    request = {"full_name": repository, "permissions": {person.login: "admin"}, "files": _FILES}
    call(stack.github_url, "POST", "/_standin/repositories", request)
    person.commit(repository, "topic", {"index.html": "of the branch"})
    pull_request = person.open_pull(repository, "topic", "Change it")
    labelled = time.monotonic()
    person.label(repository, pull_request, _LABEL)
    address = _until("the address", lambda: _address(person, repository, pull_request))
    told = time.monotonic()
    _check(address)
    arn = _execution(stack, pull_request, repository)
    person.rest("DELETE", f"/repos/{repository}/issues/{pull_request}/labels/{_LABEL}")
    taken_off = time.monotonic()
    states = stack.client("stepfunctions")
    _until("the end", lambda: states.describe_execution(executionArn=arn)["status"] in ENDED)
    return [
        Figure(
            "label to address, beyond the build",
            told - labelled - _BUILD_SECONDS,
            "s",
            mark=Mark(_OWN_SECONDS),
        ),
        Figure("label off to the end", time.monotonic() - taken_off, "s"),
        Figure("states entered", _entered(states, arn), "", mark=Mark(_STATES)),
    ]


def _address(person: Person, repository: str, pull_request: int) -> str:
    """Return the address that the preview's comment tells; empty as long as it tells none."""
    comments = person.rest("GET", f"/repos/{repository}/issues/{pull_request}/comments")
    found = [re.search(r"Preview: <(http://[^>]+)>", comment["body"]) for comment in comments]
    return next((match[1] for match in found if match), "")


def _check(address: str) -> None:
    """Ask for the page as a browser does, to which *.localhost is this machine."""
    parts = urlsplit(address)
    answer = urllib3.request(
        "GET", f"http://127.0.0.1:{parts.port}/", headers={"Host": parts.netloc}, retries=False
    )
    if answer.data != b"of the branch":
        raise NotMeasuredError(f"the preview answered {answer.status} {answer.data[:200]!r}")


def _execution(stack: Stack, pull_request: int, repository: str) -> str:
    states = stack.client("stepfunctions")
    machine = ":".join(stack.output(MACHINE).split(":")[:7])
    newest = states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    for execution in newest:
        arn: str = execution["executionArn"]
        if repository in states.describe_execution(executionArn=arn)["input"]:
            return arn
    raise NotMeasuredError(f"no preview of {repository}#{pull_request} runs")


def _entered(states: Any, arn: str) -> int:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return sum(event["type"].endswith("StateEntered") for page in pages for event in page["events"])


def _until(what: str, look: Callable[[], T]) -> T:
    """Look again and again until there is something.

    Raises:
        NotMeasuredError: there was nothing in time.
    """
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise NotMeasuredError(f"{what} of a preview did not come within {_LONGEST:g} s")

"""One local stack for all integration tests, in a folder of its own beside the developer's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.people import Person, call, set_lags
from local.sessions import Session, Stack
from tests.integration.rights import RIGHTS, policies_of, recorded, rights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.faults.requests import Requests

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".local" / "test" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
"""Each worker's stack has a folder of its own."""
LABEL = "claude-dev"
JIRA_PROJECT, JIRA_GROUP, JIRA_REPOSITORY = "SHOP", "developers", "jira-shop/shop"
JIRA = {
    "JiraBaseUrl": "{jira_url}",
    "JiraProjects": f"{JIRA_PROJECT}={JIRA_REPOSITORY}",
    "JiraGroups": JIRA_GROUP,
}
"""A project in Jira whose repository `test_jira.py` makes; nothing of it is started for other tests."""
_PLENTY = 40
"""Sessions that may run at once where they are stubs: none waits for a slot that another one holds."""
FILES = {"README.md": "# A project\n", "src/app.py": "print('hello')\n"}


def _local(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *command],
        cwd=ROOT,
        env={**os.environ, "PULLWRIGHT_LOCAL": str(FOLDER)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """Provide the whole local stack, up for the length of the test run; with `--lag` its GitHub is slow."""
    parameters = (part for pair in JIRA.items() for part in ("--parameter", "=".join(pair)))
    started = _local("up", *parameters)
    if started.returncode:
        _local("down", "--discard")
        pytest.fail(
            f"`python -m local up` exited with {started.returncode}:\n{started.stdout}{started.stderr}"
        )
    stack = Stack.load(FOLDER)
    set_lags(stack.github_url, pytestconfig.getoption("lag"))
    yield stack
    _note_rights(stack)
    # Nobody wants the hundreds of sessions of a run back; what `down` keeps is test_launcher's to check.
    stopped = _local("down", "--discard")
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr


def _note_rights(stack: Stack) -> None:
    """Leave what was used of the roles' rights to the end of the whole run."""
    folder = Path(os.environ[RIGHTS])
    folder.mkdir(parents=True, exist_ok=True)
    policies = policies_of(stack)
    found = rights_of(policies, recorded(stack, policies))
    (folder / f"{FOLDER.name}.json").write_text(found.model_dump_json(), encoding="utf-8")


@pytest.fixture(scope="session")
def person(stack: Stack) -> Person:
    """Somebody who owns the test repositories."""
    return Person.join(stack.github_url, "maintainer")


@dataclass
class Repository:
    """A repository of one test.

    Args:
        name: `owner/name`.
    """

    stack: Stack
    person: Person
    name: str

    def rest(self, method: str, path: str, body: object = None) -> Any:
        """Call the REST API below the repository, as its owner."""
        return self.person.rest(method, f"/repos/{self.name}{path}", body)

    def issue(self, title: str = "Say good bye", body: str = "Print `good bye` too.") -> int:
        """Open an issue."""
        return self.person.open_issue(self.name, title, body)

    def label(self, issue: int, seconds: float = 60) -> Session:
        """Add the label and wait until the session that it starts has ended."""
        self.person.label(self.name, issue, LABEL)
        session = self.stack.wait_for_execution(self.name, issue, 30)
        session.wait(seconds)
        return session

    def start(self, **request: Any) -> Session:
        """Run a session as `aws stepfunctions start-execution` does, to its end, in stub mode unless told."""
        session = self.stack.start({"repository": self.name, "stub": True, **request})
        session.wait(120)
        return session

    def pulls(self) -> list[dict[str, Any]]:
        """Return all pull requests, closed ones too."""
        return list(self.rest("GET", "/pulls?state=all"))

    def comments(self, number: int) -> list[str]:
        """Return the texts of an issue's or a pull request's comments."""
        return [comment["body"] for comment in self.rest("GET", f"/issues/{number}/comments")]


@dataclass
class Repositories:
    """Makes repositories for tests."""

    stack: Stack
    person: Person

    def make(self, owner: str = "", **settings: Any) -> Repository:
        """Create a repository with two files in it; settings go to the stand-in as they are.

        Each has an owner of its own unless one is given: what GitHub says to one session, limits above all,
        holds for all sessions of an owner's installation.
        """
        name = f"{owner or 'o' + uuid.uuid4().hex[:10]}/r{uuid.uuid4().hex[:10]}"
        request: dict[str, Any] = {"full_name": name, "permissions": {self.person.login: "admin"}}
        if "source" not in settings:
            request["files"] = FILES
        call(self.stack.github_url, "POST", "/_standin/repositories", {**request, **settings})
        return Repository(self.stack, self.person, name)


@pytest.fixture(scope="session")
def repositories(stack: Stack, person: Person) -> Repositories:
    """Provide a maker of repositories."""
    return Repositories(stack, person)


@pytest.fixture(scope="session")
def requests(stack: Stack, repositories: Repositories) -> Requests:
    """Provide what came of follow-ups, a review, a command and pushed worker files."""
    from tests.integration.faults.requests import make_requests  # noqa: PLC0415 - it imports this module

    return make_requests(stack, repositories)


@pytest.fixture
def repository(repositories: Repositories) -> Repository:
    """Provide a fresh repository."""
    return repositories.make()


@pytest.fixture(scope="module")
def stubs(stack: Stack) -> Iterator[None]:
    """Sessions of a module are stubs, however they are started, and more of them may run at once."""
    functions = stack.client("lambda")
    name = next(
        function["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if "STUB_SESSIONS" in function.get("Environment", {}).get("Variables", {})
    )
    given = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def configure(variables: dict[str, str]) -> None:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    configure({**given, "STUB_SESSIONS": "true", "MAX_SESSIONS": str(_PLENTY)})
    version = functions.publish_version(FunctionName=name)["FunctionArn"]
    function = version.rpartition(":")[0]
    with live_machine(stack) as put:
        put(lambda definition: re.sub(rf"{re.escape(function)}:\d+", version, definition))
        yield
    configure(given)


@contextmanager
def live_machine(stack: Stack) -> Iterator[Callable[[Callable[[str], str]], None]]:
    """Give what makes a changed definition the live version of the state machine; put the former one back."""
    states, alias = stack.client("stepfunctions"), stack.outputs["StateMachineArn"]
    machine = alias.rpartition(":")[0]
    live = states.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"]
    latest = states.describe_state_machine(stateMachineArn=machine)["definition"]
    given = states.describe_state_machine(stateMachineArn=alias)["definition"]

    def put(change: Callable[[str], str]) -> None:
        changed = states.update_state_machine(
            stateMachineArn=machine, definition=change(given), publish=True
        )["stateMachineVersionArn"]
        route = {"stateMachineVersionArn": changed, "weight": 100}
        states.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=[route])

    try:
        yield put
    finally:
        states.update_state_machine(stateMachineArn=machine, definition=latest)
        states.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=live)


@pytest.fixture
def environment(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """Provide the environment in which the command meets the local stack, with no browser in it."""
    assert stack.described["region"]
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": stack.described["endpoint_url"],
        "AWS_REGION": stack.described["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BROWSER": "true",
        "PULLWRIGHT_STACK_NAME": "pullwright-local",
        "HOME": str(tmp_path),
    }

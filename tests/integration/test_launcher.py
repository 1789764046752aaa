"""The launcher from outside: `python -m local` up, status, down and clean on a stack of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.people import Person
from local.sam import client
from local.sessions import Session, Stack
from tests.integration.conftest import Repositories, Repository
from tests.integration.test_reconcile import begin, sweep
from tests.integration.test_schedules import schedule
from tests.unit.cli_kit import matches

ROOT = Path(__file__).parents[2]
DOCUMENTS = {
    "up": "LocalStackUp",
    "status": "LocalStackStatus",
    "env": "LocalStackVariables",
    "down": "LocalStackDown",
    "clean": "LocalStackCleaned",
}
"""The schema of what each command prints."""


class Launcher:
    """Runs commands on one stack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and decoded output of a command."""
        done = subprocess.run(
            [sys.executable, "-m", "local", *arguments, "--json"],
            cwd=ROOT,
            env={**os.environ, "PULLWRIGHT_LOCAL": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout:
            return done.returncode, done.stderr
        document = json.loads(done.stdout)
        assert matches(DOCUMENTS[arguments[0]], document)
        return done.returncode, document

    @property
    def told(self) -> dict[str, Any]:
        """What `stack.json` says."""
        found: dict[str, Any] = json.loads((self.folder / "stack.json").read_text())
        return found

    def repository(self, name: str = "") -> Repository:
        """Return a repository on the stack: a new one, or one that is there."""
        stack = Stack.load(self.folder)
        person = Person.join(stack.github_url, "maintainer")
        return Repository(stack, person, name) if name else Repositories(stack, person).make()

    def table(self) -> dict[str, Any]:
        """Return the table's items by key."""
        told = self.told
        found = client("dynamodb", told["endpoint_url"]).scan(TableName=told["outputs"]["SessionsTable"])
        return {item["pk"]["S"]: item for item in found["Items"]}


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Provide a stack of this module's own, gone at the end."""
    made = Launcher(tmp_path_factory.mktemp("stack"))
    yield made
    assert made.run("clean")[0] == 0
    assert list(made.folder.iterdir()) == []


def test_a_stack_goes_down_with_everything_and_comes_back_with_what_was_done(launcher: Launcher) -> None:
    """Down leaves no process; the next up finds records and artifacts, and ends what was open."""
    _up_and_down(launcher)
    _up_again(launcher)


def _up_and_down(launcher: Launcher) -> None:
    assert launcher.run("status")[0] == 3
    code, shown = launcher.run("up")
    assert code == 0, shown
    assert "webhook_secret" not in shown
    told = launcher.told
    contract = (
        "endpoint_url region outputs webhook_url webhook_host webhook_secret github_url model_url log_dir"
    )
    assert set(contract.split()) <= set(told)
    assert (launcher.folder / "stack.json").stat().st_mode & 0o777 == 0o600
    assert launcher.run("up")[0] == 0
    assert launcher.told == told
    code, found = launcher.run("status")
    assert code == 0
    assert found["processes"] == {"github": True, "jira": True, "engine": True, "model": True}

    s3 = client("s3", told["endpoint_url"])
    s3.put_object(Bucket=told["outputs"]["ArtifactsBucket"], Key="sessions/a/x", Body=b"kept")
    schedule(launcher.repository())
    session = begin(launcher.repository())
    assert session.record().status == "RUNNING"
    assert launcher.run("down")[0] == 0
    assert launcher.run("status")[0] == 3
    assert not [one for one in told["processes"] if Path(f"/proc/{one['pid']}/cwd").exists()]


def _up_again(launcher: Launcher) -> None:
    assert launcher.run("up")[0] == 0
    told = launcher.told
    _chore_was_made_up_for(launcher)
    [record] = [
        item
        for pk, item in launcher.table().items()
        if pk.startswith("SESSION#") and item["worker"]["S"] != "chore"
    ]
    assert record["status"] == {"S": "FAILED"}
    assert not [pk for pk in launcher.table() if pk.startswith("LOCK#")]
    assert "holders" not in launcher.table()["SLOTS"]
    [pull] = (repository := launcher.repository(record["repository"]["S"])).pulls()
    [comment] = repository.comments(pull["number"])
    assert record["sentence"]["S"] in comment
    found = client("s3", told["endpoint_url"]).get_object(
        Bucket=told["outputs"]["ArtifactsBucket"], Key="sessions/a/x"
    )
    assert found["Body"].read() == b"kept"


def _chore_was_made_up_for(launcher: Launcher) -> None:
    """Check that what was due before the downtime and in it is one session, which the first sweep starts."""
    [name] = [
        item["repository"]["S"]
        for pk, item in launcher.table().items()
        if pk.startswith("REPO#") and item.get("status") == {"S": "SCHEDULED"}
    ]
    repository = launcher.repository(name)
    [arn] = repository.stack.executions(name)
    session = Session(repository.stack, arn)
    session.wait(120)
    sweep(repository.stack)
    assert repository.stack.executions(name) == [arn]
    assert session.record().worker == "chore"


def test_an_engine_that_was_killed_is_replaced(launcher: Launcher) -> None:
    """Its records were in its memory: up begins anew."""
    assert launcher.run("up")[0] == 0
    told = launcher.told
    engine = next(one for one in told["processes"] if one["name"] == "engine")
    os.kill(engine["pid"], signal.SIGKILL)
    assert launcher.run("status")[0] == 3
    assert launcher.run("up")[0] == 0
    assert launcher.told["endpoint_url"] != told["endpoint_url"]
    assert launcher.table() == {}

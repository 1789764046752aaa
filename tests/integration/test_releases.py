"""Two deployments and a rollback while ten sessions wait and run: all of them end well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import model_choice
from local import stack as local_stack
from local.layout import Layout
from pullwright_cli.releasing.aliases import history, live
from tests.integration.conftest import FILES, FOLDER, JIRA, LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.sam import Sam
    from local.sessions import Session, Stack
    from tests.integration.conftest import Repositories, Repository

ROOT = Path(__file__).parents[2]
FIELD = '    of_the_next_release: str = "said"\n'


@pytest.fixture
def here(stack: Stack) -> Sam:
    """Provide the deployment that stands."""
    local = local_stack.Stack(Layout(FOLDER), model_choice.of_environment(), JIRA)
    return local._sam(stack.described)


@pytest.fixture
def changed(here: Sam) -> Sam:
    """Provide a release whose stored models have a field more, and whose parameters differ."""
    # Beside the other build, as templates name the state machine's file by a relative path.
    build = here.build_dir.with_name("next")
    shutil.rmtree(build, ignore_errors=True)
    shutil.copytree(here.build_dir, build, ignore=shutil.ignore_patterns("*.zip", "packaged.json"))
    for models in build.glob("*/pullwright/models.py"):
        text = models.read_text(encoding="utf-8")
        for name in ("AgentRequest", "OpenedPullRequest"):
            head, found, rest = text.partition(f"class {name}(Stored):\n")
            docstring, end, body = rest.partition('    """\n\n')
            assert found, f"{name} is no stored model any more"
            assert end, f"{name} has no docstring of several lines"
            text = head + found + docstring + end + FIELD + body
        models.write_text(text, encoding="utf-8")
    return replace(here, build_dir=build, parameters={**here.parameters, "LimitTurns": "99"})


@pytest.fixture
def gate() -> Iterator[Path]:
    """Provide a file that the tasks of held sessions wait for, whichever user they are."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "open"


def _held(repositories: Repositories, gate: Path) -> Repository:
    """Make a repository whose setup waits for the gate."""
    setup = f"setup: {{command: 'until [ -e {gate} ]; do sleep 1; done', timeout: 600}}\n"
    return repositories.make(files={**FILES, ".pullwright/config.yaml": setup})


def _label(repository: Repository) -> Session:
    issue = repository.issue()
    repository.person.label(repository.name, issue, LABEL)
    return repository.stack.wait_for_execution(repository.name, issue, 60)


def _stub(repository: Repository) -> Session:
    return repository.stack.start({"repository": repository.name, "issue": repository.issue(), "stub": True})


def _until_claimed(session: Session) -> None:
    deadline = time.monotonic() + 120
    while session.record().task_arn is None:
        assert time.monotonic() < deadline, "no task claims the session"
        time.sleep(0.5)


def _version(session: Session) -> str:
    described = session.stack.client("stepfunctions").describe_execution(executionArn=session.arn)
    return str(described["stateMachineVersionArn"])


def _rollback(stack: Stack) -> str:
    endpoint = stack.described["endpoint_url"]
    return subprocess.run(
        [sys.executable, "-m", "pullwright_cli", "rollback", "--yes", "--stack-name", "pullwright-local"],
        cwd=ROOT,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": stack.described["region"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_sessions_survive_deployments_and_a_rollback(
    stack: Stack, repositories: Repositories, gate: Path, here: Sam, changed: Sam
) -> None:
    """Ten sessions begin before, between and after; each ends well, with one pull request."""
    (first,) = history(stack.client, stack.outputs["ReleaseParameter"])[-1:]
    try:
        made = [_held(repositories, gate) for _ in range(3)] + [repositories.make() for _ in range(7)]
        # Three take all slots, so that those which follow wait for one.
        sessions = [_label(repository) for repository in made[:3]]
        for session in sessions:
            _until_claimed(session)
        sessions += [_stub(repository) for repository in made[3:5]]
        assert changed.deploy()["StateMachineArn"] == stack.outputs["StateMachineArn"]
        (second,) = history(stack.client, stack.outputs["ReleaseParameter"])[-1:]
        assert not first.parts & second.parts
        sessions += [_stub(repository) for repository in made[5:7]]
        assert f"Release {first.number} " in _rollback(stack)
        assert live(stack.client, first) == first.parts
        sessions += [_stub(repository) for repository in made[7:9]]
        assert [session.status() for session in sessions] == ["RUNNING"] * 9
    finally:
        here.deploy()
        gate.touch()
    sessions.append(_stub(made[9]))
    for session in sessions:
        session.wait(180)

    assert [session.status() for session in sessions] == ["SUCCEEDED"] * 10
    began = [_version(session) for session in sessions]
    assert began[:5] == [first.machine] * 5
    assert began[5:7] == [second.machine] * 2
    assert began[7:9] == [first.machine] * 2
    # CloudFormation published the first release's source anew.
    assert began[9] not in began[:9]
    assert [len(repository.pulls()) for repository in made] == [1] * 10

"""The program of a preview's task: each way to end has its exit code and a line in the log."""

from __future__ import annotations

import io
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from pullwright import errors
from runner import exit_codes
from runner.git.command import GitError
from runner.log import Tee, logger
from runner.preview import __main__ as program

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK = {
    "PREVIEW_ID": "p-1",
    "BROKER_URL": "https://broker.test/",
    "GITHUB_API_URL": "https://api.github.com",
    "ECS_CONTAINER_METADATA_URI_V4": "http://metadata.test",
    "AWS_REGION": "eu-central-1",
    "AGENT_ISOLATION": "none",
}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Provide the log of a task whose environment is complete; signals are again as they were afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    mask = os.umask(0o022)
    for name, value in TASK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(program, "adopt_orphans", lambda: None)
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", Tee(written))
    yield written
    logger.remove_keys(["preview_id"])
    os.umask(mask)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (errors.PreviewBuildFailed("The build command ended with exit code 1."), 21),
        (errors.PreviewServerEnded("The start command ended with exit code 1."), 22),
        (errors.PreviewCommitGone("GitHub does not have the commit 1234567 any more."), 23),
        (errors.SessionClosed("The preview is over."), exit_codes.NOT_OURS),
        (errors.TaskStopped("The task was stopped."), exit_codes.STOPPED),
        (errors.GitHubUnavailable("GitHub did not let the repository be cloned."), 24),
        (errors.PreviewBuildTooLong("The build took longer than 60 seconds."), 25),
        (errors.PreviewSecretInvalid("The secret is not JSON."), 26),
        (errors.HistoryRefused("Git refuses the repository's history."), 27),
        (errors.AwsUnavailable("The broker does not answer."), exit_codes.SERVICE),
        (errors.AppNotInstalled("The installation is suspended."), exit_codes.SERVICE),
        (GitError("read-tree", 128, "fatal: disk full"), exit_codes.DEFECT),
        (ValueError("embedded null byte"), exit_codes.DEFECT),
    ],
)
def test_each_failure_has_its_exit_code_and_its_reason(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch, failure: Exception, code: int
) -> None:
    """The state machine sees the code alone; people find the sentence, and the preview's id, in the log."""

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(program, "_run", fail)
    assert program.main() == code
    line = json.loads(log.getvalue())
    assert line["level"] in {"ERROR", "WARNING"}
    assert line["preview_id"] == "p-1"
    assert getattr(failure, "sentence", getattr(failure, "stderr", str(failure))) in json.dumps(line)


def test_a_task_that_is_stopped_ends_well(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM is how a preview that is not needed any more ends."""
    monkeypatch.setattr(program, "_run", lambda *_: None)
    assert program.main() == exit_codes.DONE
    assert "was stopped" in log.getvalue()


@pytest.mark.parametrize("name", [name for name in TASK if name != "AGENT_ISOLATION"])
def test_what_is_missing_is_named(log: io.StringIO, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each variable that the task cannot do without."""
    monkeypatch.delenv(name)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert program.main() == exit_codes.SETTINGS
    assert f"{name} is missing." in json.loads(log.getvalue())["problems"]

"""Edits of the checkout become live in a running stack, as `make watch` publishes them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING

import pytest

from local.edits import DEFINITION, EditError, Publisher
from local.layout import ROOT, Layout
from local.stack import STACK
from tests.integration.conftest import FOLDER
from tests.integration.test_webhook_url import post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.sessions import Stack

_SENTENCE = "The signature is not of the form"
_UNSIGNED = {"X_Hub_Signature_256": "none"}


@pytest.fixture
def publisher(stack: Stack, tmp_path: Path) -> Iterator[Publisher]:
    """Provide what publishes a copy of the checkout; afterwards the checkout's own sources are live."""
    for name in ("functions/pullwright", "statemachine"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    made = _publisher(stack, tmp_path)
    yield made
    _publisher(stack, ROOT).publish_functions()


def _publisher(stack: Stack, source: Path) -> Publisher:
    layout = Layout(FOLDER)
    described = stack.described
    return Publisher(
        endpoint=described["endpoint_url"],
        stack=STACK,
        machine=described["outputs"]["StateMachineArn"],
        build=layout.build,
        folder=layout.edited,
        substitutions=described["substitutions"],
        source=source,
    )


def test_an_edited_function_answers_at_once_and_a_broken_one_never(
    stack: Stack, publisher: Publisher
) -> None:
    """The live alias gets the edit, the machine names its versions, and what cannot be imported stays out."""
    edited = publisher.source / "functions/pullwright/webhook/signature.py"
    edited.write_text(edited.read_text().replace(_SENTENCE, "The edited signature is none of the form"))
    substitutions = publisher.publish_functions()
    assert "edited signature" in str(post(stack, b"{}", "1", **_UNSIGNED))
    machine = stack.client("stepfunctions").describe_state_machine(stateMachineArn=publisher.machine)
    for name in ("OpenPullRequestFunction", "ReportOutcomeFunction"):
        assert substitutions[name] != publisher.substitutions[name]
        assert substitutions[name] in machine["definition"]

    edited.write_text("import nothing_of_that_name\n")
    with pytest.raises(EditError, match="nothing_of_that_name") as failed:
        publisher.publish_functions()
    assert str(publisher.folder) not in str(failed.value)
    assert "edited signature" in str(post(stack, b"{}", "2", **_UNSIGNED))


def test_an_edited_state_machine_is_live_and_a_refused_one_is_named(
    stack: Stack, publisher: Publisher
) -> None:
    """What an alias of the state machine starts is the edited definition, unless it is refused."""
    edited = publisher.source / DEFINITION.relative_to(ROOT)
    text = edited.read_text()
    edited.write_text(text.replace('"Comment": "', '"Comment": "Edited. ', 1))
    publisher.publish_machine()
    states = stack.client("stepfunctions")
    live = states.describe_state_machine(stateMachineArn=publisher.machine)["definition"]
    assert '"Comment": "Edited. ' in live

    edited.write_text(text.replace('"Type": "Task"', '"Type": "Nothing"', 1))
    with pytest.raises(EditError, match=r"^agent_session.asl.json: .*Nothing"):
        publisher.publish_machine()
    assert states.describe_state_machine(stateMachineArn=publisher.machine)["definition"] == live


def test_watch_says_what_is_live_and_ends_with_ctrl_c(stack: Stack) -> None:
    """A saved file is published while `watch` runs; the stack stays up and knows that it was edited."""
    # A job in a shell's background would not hear Ctrl-C.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "local", "watch"]
    environment = {**os.environ, "PULLWRIGHT_LOCAL": str(FOLDER)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as watching:
        assert watching.stdout is not None
        try:
            _read_until(watching.stdout, "Watching")
            DEFINITION.touch()
            _read_until(watching.stdout, "live state machine")
            (ROOT / "container/runner/disk.py").touch()
            _read_until(watching.stdout, "live runner")
        finally:
            watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0
    assert "edited" in stack.load(FOLDER).described


def _read_until(output: IO[str], words: str) -> None:
    said = []
    for line in output:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"watch ended without {words!r}:\n{''.join(said)}")

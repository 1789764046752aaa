"""docs/operations.md: each block that is marked as runnable runs as it stands, on the local stack.

That each command of the command line stands in one is held by `tests/unit/test_operations_page.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from local.people import call
from local.sam import ACCESS_KEY, SECRET_KEY
from local.stack import STACK
from pullwright.errors import TurnLimit
from pullwright_cli.evaluating.tasks import write_tasks
from tests.integration.conftest import FILES, FOLDER
from tests.integration.evaluations import STUB_FILE, push_tasks
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.sessions import Stack
    from tests.integration.conftest import Repositories, Repository

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
COMMAND = Path(sys.prefix) / "bin" / "pullwright"
_BLOCK = re.compile(r"^```sh runnable\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LONGEST = 180
_STOPPED = 3


class Shell(NamedTuple):
    """A shell as the page assumes it: the stack's outputs by name, and a session.

    Attributes:
        folder: working directory of its commands.
    """

    environment: dict[str, str]
    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program."""
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST,
        )


def _play(stack: Stack, prompt: str, *steps: Mapping[str, object]) -> None:
    """Have the model do these steps for a prompt."""
    if stack.model_url is None:
        raise AssertionError("the stack's model is scripted")
    script = {"match": prompt, "steps": steps}
    call(stack.model_url, "PUT", f"/_standin/scripts/{prompt.replace(' ', '-')}", script)


def _push_image(stack: Stack, tag: str) -> None:
    """Push an image of one layer by the calls that a push becomes."""
    ecr, name = stack.client("ecr"), stack.output("AgentRepositoryUri").partition("/")[2]
    content = b"{}"
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
    place = {"repositoryName": name, "uploadId": upload}
    ecr.upload_layer_part(**place, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)
    ecr.complete_layer_upload(**place, layerDigests=[digest])
    kind = "application/vnd.oci.image.manifest.v1+json"
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": len(content)}
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [config]}
    ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag=tag)


def blocks() -> list[str]:
    """Return the page's runnable blocks."""
    return _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def home(repositories: Repositories) -> Repository:
    """Provide the repository of all blocks, whose branches can be previews."""
    return repositories.make(files={**FILES, "Procfile": "web: python3 -m http.server --bind $HOST $PORT\n"})


@pytest.fixture(scope="module")
def shell(stack: Stack, home: Repository, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Provide a shell beside a session that has ended well, a file of one task, and an image to try."""
    session = home.start(prompt="Say hello")
    _push_image(stack, "staging")
    outputs = {name: str(value) for name, value in stack.outputs.items()}
    arn = stack.output("StateMachineArn").replace(":stateMachine:", ":execution:").rpartition(":")[0]
    folder = tmp_path_factory.mktemp("operations")
    write_tasks(folder / "tasks.jsonl", push_tasks(home, {"stub": (f"test -f {STUB_FILE}\n", STUB_FILE)}))
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(folder / "state"),
        **outputs,
        "PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": str(stack.described["endpoint_url"]),
        "AWS_DEFAULT_REGION": str(stack.described["region"]),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "PULLWRIGHT_STACK_NAME": STACK,
        "PULLWRIGHT_LOCAL": str(FOLDER),
        "checkout": str(ROOT),
        "repository": home.name,
        "pull_request": str(session.record().pull_request),
        "id": session.id,
        "execution": f"{arn}:{session.id}",
    }
    return Shell(environment, folder)


@contextmanager
def _held(stack: Stack, repository: Repository) -> Iterator[None]:
    """Let nobody clone a repository meanwhile: a session in stub mode would be over before it is stopped."""
    clone = {"method": "POST", "path_regex": f"/{repository.name}.git/git-upload-pack$", "times": None}
    call(stack.github_url, "PUT", "/_standin/faults", [{**clone, "delay": _LONGEST}])
    try:
        yield
    finally:
        call(stack.github_url, "PUT", "/_standin/faults", [])


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.split("\n")[0][:60])
def test_a_block_of_the_page_runs_as_it_stands(
    block: str, shell: Shell, stack: Stack, home: Repository
) -> None:
    """Every line of it exits with 0, the plain calls of the AWS CLI included."""
    with _held(stack, home) if "pullwright stop" in block else nullcontext():
        done = shell.run("bash", "-euo", "pipefail", "-c", block)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_waiting_ends_as_the_session_does(shell: Shell) -> None:
    """A session that failed ends the command with its error's code, and what is printed has its schema."""
    done = shell.run(
        *(str(COMMAND), "run", "Say hello", "--repo", "nobody/nowhere", "--stub", "--wait", "--json")
    )
    assert done.returncode == _STOPPED, done.stderr
    document = json.loads(done.stdout)
    assert matches("SessionDetails", document)
    assert document["record"]["error"] == "AppNotInstalled"
    assert "OpenPullRequest" in done.stderr


def test_a_limit_has_an_exit_code_of_its_own(shell: Shell, stack: Stack) -> None:
    """With --turns 1 a session that needs three ends as one whose turns are used up."""
    look = {"tool": "Bash", "input": {"command": "ls", "description": "List the files"}}
    _play(stack, "Look around twice", look, look, {"text": "Nothing there."})
    limited = (*("--repo", shell.environment["repository"]), "--turns", "1", "--wait", "--no-download")
    done = shell.run(str(COMMAND), "run", "Look around twice", *limited)
    assert done.returncode == TurnLimit.exit_code, done.stdout + done.stderr
    assert "TurnLimit" in done.stdout


def test_ctrl_c_leaves_it_running_and_stop_ends_it(shell: Shell, stack: Stack) -> None:
    """Exit code 130; then `stop` ends it, and `show --watch` with the code of a session that was stopped."""
    _play(stack, "Wait for nothing", {"text": "At last.", "delay": 120})
    waits = [str(COMMAND), "run", "Wait for nothing", "--repo", shell.environment["repository"], "--wait"]
    with subprocess.Popen(
        waits,
        env=shell.environment,
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stderr is None:
            raise AssertionError("it is a pipe")
        said = ""
        while "RunAgent" not in said:
            said += (line := process.stderr.readline())
            assert line, said
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=_LONGEST)[1]
    assert process.returncode == 130, said
    session = said.split("pullwright stop ")[1].partition("`")[0]
    assert (
        stack.client("stepfunctions").describe_execution(
            executionArn=said.split("execution  ")[1].split()[0]
        )["status"]
        == "RUNNING"
    )
    stopped = shell.run(str(COMMAND), "stop", session, "--json")
    assert matches("Stopped", json.loads(stopped.stdout)), stopped.stderr
    ended = shell.run(str(COMMAND), "show", session, "--watch", "--json")
    assert ended.returncode == _STOPPED, ended.stderr
    assert json.loads(ended.stdout)["record"]["error"] == "SessionStopped"

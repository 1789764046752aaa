"""`pullwright run --local`: what it asks for, what it refuses, and what the session is given."""

from __future__ import annotations

import io
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from pullwright_cli.errors import CliError
from pullwright_cli.local_sessions import engines, model, repository
from runner.folder.settings import Credentials
from runner.task_settings import SettingsError
from tests.container.local_run import IDENTITY, Checkout
from tests.unit.cli_kit import run

if TYPE_CHECKING:
    from pathlib import Path

_KEY = "sk-ant-api03-" + "x" * 40
_AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_REGION": "eu-central-1"}


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No AWS settings but those of the test count."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ANTHROPIC_", "CLAUDE_"))]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Provide a checkout, in which the command is called."""
    made = Checkout(tmp_path)
    monkeypatch.chdir(made.folder)
    return made


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--local",), 2, 'say what to do: pullwright run --local "PROMPT"'),
        (("--local", "x", "--issue", "3"), 2, "--issue cannot go with --local"),
        (("--local", "Say", "hello"), 2, "Say cannot go with --local: put the prompt in quotes"),
        (("x", "--no-branch", "--no-container"), 2, "--no-container, --no-branch: say --local too"),
        (("--local", "x"), 2, "no model can be asked: set ANTHROPIC_API_KEY, or AWS credentials"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    checkout: Checkout, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Options that do not go together, a missing prompt and a missing model end the command at once."""
    assert run("run", *arguments) == code
    assert words in capsys.readouterr().err
    assert checkout.branches() == []


def test_outside_a_checkout_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is nothing to work on outside a checkout, nor in one without a commit."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    assert run("run", "--local", "--stub", "x") == 2
    assert "is in no git checkout with a commit" in capsys.readouterr().err


def test_a_key_comes_before_aws_and_a_profile_before_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Anthropic key asks Anthropic, unless a profile is named; AWS credentials ask Bedrock."""
    for name, value in _AWS.items():
        monkeypatch.setenv(name, value)
    both = {**_AWS, "ANTHROPIC_API_KEY": _KEY}
    chosen = model.choose("", both, region="", profile="", stub=False)
    assert (chosen.provider, json.loads(chosen.credentials)) == ("anthropic", {"api_key": _KEY})
    chosen = model.choose("", _AWS, region="eu-west-1", profile="", stub=False)
    assert chosen.provider == "bedrock"
    assert chosen.model.startswith("global.anthropic.")
    assert json.loads(chosen.credentials) == {"variables": {**_AWS, "AWS_REGION": "eu-west-1"}}


def test_a_login_of_claude_code_is_said_not_to_be_used() -> None:
    """Claude Code's own login would have to be the agent's, who gets no credential."""
    with pytest.raises(CliError, match="CLAUDE_CODE_OAUTH_TOKEN is not used: "):
        model.choose("", {"CLAUDE_CODE_OAUTH_TOKEN": "t"}, region="", profile="", stub=False)


def test_a_model_without_a_price_is_refused() -> None:
    """Without a price the money limit could not hold."""
    with pytest.raises(CliError, match="--model unheard-of: its price is not known"):
        model.choose("unheard-of", {"ANTHROPIC_API_KEY": _KEY}, region="", profile="", stub=False)


def test_without_a_container_engine_and_the_cli_both_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could be installed is said; an image without an engine is no use."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CliError, match="no podman or docker on PATH, and no `claude` either"):
        engines.find("", tmp_path, without_container=False, stub=False)
    with pytest.raises(CliError, match="--image i: there is no podman or docker"):
        engines.find("i", tmp_path, without_container=False, stub=False)
    assert isinstance(engines.find("", tmp_path, without_container=False, stub=True), engines.Processes)


def test_a_container_gets_the_session_folder_and_no_secret_in_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One folder is mounted, capabilities are taken as in a task, credentials come by standard input."""
    program = tmp_path / "podman"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\ncat\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    engine = engines.Containers(str(program), "registry.example/agent@sha256:1")
    assert engines.find(engine.image, tmp_path, without_container=False, stub=False) == engine
    process = engine.start("local-1", tmp_path / "s", {"SESSION_ID": "local-1"})
    said, _ = process.communicate("from standard input", timeout=10)
    words = said.splitlines()
    assert words[-5:] == [engine.image, "-P", "-m", "runner.folder", "from standard input"]
    volumes = [word for word in words if word.startswith("--volume")]
    assert volumes == [f"--volume={tmp_path / 's'}:/session:z"]
    assert "--cap-drop=NET_RAW" in words


@pytest.mark.parametrize("form", ["shallow", "detached", "linked", "old"])
def test_a_copy_is_made_of_any_checkout(checkout: Checkout, tmp_path: Path, form: str) -> None:
    """A shallow clone, a detached head and a linked work tree are copied at their commit."""
    for text in ("two", "three"):
        (checkout.folder / "src/app.py").write_text(text)
        checkout.git(*IDENTITY, "commit", "--quiet", "--all", "--message=More")
    folder = tmp_path / form
    if form == "shallow":
        checkout.git("clone", "--quiet", "--depth=1", f"file://{checkout.folder}", str(folder))
    elif form == "detached":
        checkout.git("worktree", "add", "--quiet", "--detach", str(folder), "HEAD~1")
    elif form == "linked":
        checkout.git("worktree", "add", "--quiet", "-b", "other", str(folder))
    else:
        folder = checkout.folder
        _commit_padded_mode(folder)
    base = repository.current_branch(folder)
    assert base == {"shallow": "trunk", "detached": "main", "linked": "other", "old": "trunk"}[form]
    repository.copy(folder, tmp_path / "copy.git", base, "pullwright/x")
    head = subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout
    refs = subprocess.run(
        ["git", "-C", tmp_path / "copy.git", "for-each-ref", "--format=%(objectname) %(refname)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert set(refs) == {f"{head.strip()} refs/heads/{base}", f"{head.strip()} refs/heads/pullwright/x"}


def _commit_padded_mode(folder: Path) -> None:
    """Commit a folder as old clients wrote it, which a checked fetch refuses (zeroPaddedFilemode)."""

    def git(*arguments: str, stdin: bytes = b"") -> str:
        command = ["git", "-C", str(folder), *IDENTITY, *arguments]
        return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout.decode().strip()

    tree = b"040000 src\0" + bytes.fromhex(git("rev-parse", "HEAD:src"))
    written = git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=tree)
    git("update-ref", "HEAD", git("commit-tree", written, "-p", "HEAD", "-m", "Old"))


def test_credentials_of_another_form_are_not_repeated() -> None:
    """What is wrong with standard input is said without what stood there."""
    with pytest.raises(SettingsError) as failed:
        Credentials.read(io.StringIO('{"api_key": "secret-text", "other": 1}\n'))
    assert "secret-text" not in str(failed.value)
    assert Credentials.read(io.StringIO("")).api_key is None

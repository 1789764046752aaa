"""The command `pullwright`: what it says, how it ends, and which checkout it works on."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pullwright_cli.app import main
from pullwright_cli.checkout import Checkout
from pullwright_cli.errors import CliError

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.prefix) / "bin" / "pullwright"


def run(*arguments: str) -> int:
    """Exit code of a command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Provide a checkout without anything installed."""
    (tmp_path / "local").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "pullwright"\n', encoding="utf-8")
    return tmp_path


def test_the_installed_command_says_its_version() -> None:
    """`pullwright --version` comes from the installed package."""
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"pullwright {version('pullwright')}\n"


@pytest.mark.parametrize("command", ["up", "watch", "down", "status", "env", "clean", "demo"])
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names the options and shows a call, in plain text where nobody's terminal reads it."""
    assert run("local", command, "--help") == 0
    text = capsys.readouterr().out
    shown = text.partition("Examples:\n")[2].startswith(f"    pullwright local {command}\n")
    assert shown or command == "env"
    assert "--json" in text or command in {"demo", "watch"}
    assert "\x1b" not in text


def test_help_starts_without_the_heavy_libraries() -> None:
    """What makes a command slow to start is imported only by the commands that need it."""
    heavy = ("importlib.metadata", "rich", "boto3", "botocore", "pydantic", "pullwright", "urllib3")
    code = (
        "import sys; from pullwright_cli.app import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nope",), "No such command 'nope'"),
        (("local", "up", "--parameter", "x"), "'--parameter': x: write it as NAME=VALUE"),
        (("local", "demo", "--issue", "text"), "--repo and --issue: they go together"),
        (("local", "demo", "--repo", "/", "--issue", "text"), "/ is no git repository"),
    ],
)
def test_wrong_usage_names_the_argument(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and a sentence that names the argument and what is right."""
    assert run(*arguments) == 2
    assert words in capsys.readouterr().err


def test_outside_a_checkout_it_says_what_to_do(tmp_path: Path) -> None:
    """There is no traceback, but a sentence with a remedy."""
    done = subprocess.run(
        [COMMAND, "local", "status"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"pullwright: {tmp_path} is not in a checkout of Pullwright")
    assert "clone the repository" in done.stderr


def test_it_finds_the_checkout_from_any_folder_of_it() -> None:
    """The command walks up from where it is called; another project's settings do not count."""
    assert Checkout.find(ROOT / "local" / "engine").root == ROOT


def test_folders_that_only_look_like_a_checkout_are_passed_over(checkout: Path) -> None:
    """Broken settings, and those of another project, are no checkout."""
    for name, text in (("broken", "["), ("other", '[project]\nname = "other"')):
        (checkout / name / "local").mkdir(parents=True)
        (checkout / name / "pyproject.toml").write_text(text, encoding="utf-8")
        assert Checkout.find(checkout / name).root == checkout


def test_the_checkouts_own_command_takes_over(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation elsewhere installs the checkout's tools and hands the same arguments to its command."""
    calls: list[Any] = []

    def set_up(command: list[Any], *, cwd: Path, check: bool) -> SimpleNamespace:
        calls.append((command, cwd, check))
        (checkout / ".venv" / "bin").mkdir(parents=True)
        (checkout / ".venv" / "bin" / "pullwright").touch()
        return SimpleNamespace(returncode=0)

    def take_over(path: Path, arguments: list[str]) -> None:
        calls.append((path, arguments))
        raise SystemExit(7)

    monkeypatch.setattr(subprocess, "run", set_up)
    monkeypatch.setattr(os, "execv", take_over)
    monkeypatch.setattr(sys, "argv", ["pullwright", "local", "up", "--json"])
    monkeypatch.chdir(checkout)
    assert run("local", "up", "--json") == 7
    own = checkout / ".venv" / "bin" / "pullwright"
    assert calls == [
        ([sys.executable, "-m", "local.install"], checkout, False),
        (own, [str(own), "local", "up", "--json"]),
    ]


def test_a_checkout_without_tools_is_left_alone(checkout: Path) -> None:
    """Only what starts a stack installs; the others say that nothing is installed."""
    with pytest.raises(CliError, match=r"nothing is installed in .*: run `pullwright local up`") as caught:
        Checkout(checkout).launcher(set_up=False)
    assert caught.value.exit_code == 3
    assert not (checkout / ".venv").exists()


def test_a_set_up_that_fails_ends_the_command(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The exit code is the set-up's, whose own words stand above."""
    (checkout / "local" / "install.py").write_text("raise SystemExit('no network')", encoding="utf-8")
    with pytest.raises(CliError, match="setting up the checkout failed"):
        Checkout(checkout).launcher(set_up=True)
    assert "no network" in capfd.readouterr().err


@pytest.mark.parametrize(
    "command", ["run", "sessions", "show", "logs", "artifacts", "stop", "retry", "cost", "events"]
)
def test_commands_for_deployments_have_help_with_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each names the stack's options and shows a call."""
    assert run(command, "--help") == 0
    text = capsys.readouterr().out
    assert text.partition("Examples:\n")[2].startswith(f"    pullwright {command}")
    for option in ("--json", "--stack-name", "--region", "--profile", "--env"):
        assert option in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    """Each shell gets a script that asks the command, and the command answers."""
    environment = {**os.environ, "_PULLWRIGHT_COMPLETE": f"source_{shell}"}
    script = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=True).stdout
    assert f"_PULLWRIGHT_COMPLETE=complete_{shell}" in script
    asked = {
        **environment,
        "_PULLWRIGHT_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "pullwright se",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "pullwright se",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    answer = subprocess.run([COMMAND], env=asked, capture_output=True, text=True, check=False).stdout
    assert "sessions" in answer

"""Every command runs on the local stack: in a block of a page that a test runs, or in the test named here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.main
from typer.core import TyperGroup

from pullwright_cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer._click import Command

ROOT = Path(__file__).parents[2]
PAGES = ("operations.md", "devbox.md")
_BLOCK = re.compile(r"^```sh runnable\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SETUP = "tests/integration/test_github_setup.py"
_LAUNCHER = "tests/integration/test_launcher.py"

ELSEWHERE = {
    "canary": ("tests/integration/test_deploy_command.py", '"canary"'),
    "deploy": ("tests/integration/test_deploy_command.py", '"deploy"'),
    "rollback": ("tests/integration/test_releases.py", '"pullwright_cli", "rollback"'),
    "github setup": (_SETUP, '"github", "setup"'),
    "github rotate-secret": (_SETUP, '"github", "rotate-secret"'),
    "github rotate-key": (_SETUP, '"github", "rotate-key"'),
    "secrets set": (_SETUP, '"secrets", "set"'),
    "secrets rotate": (_SETUP, '"secrets", "rotate"'),
    "jira setup": ("tests/integration/test_jira_setup.py", '"jira", "setup"'),
    "jira test": ("tests/integration/test_jira_setup.py", '"jira", "test"'),
    "preview screenshots": ("tests/integration/test_previews.py", '"preview", "screenshots"'),
    "local up": (_LAUNCHER, 'run("up")'),
    "local down": (_LAUNCHER, 'run("down")'),
    "local clean": (_LAUNCHER, 'run("clean")'),
    "local watch": ("tests/integration/test_edits.py", '"local", "watch"'),
    # Takes the default stack's place, so that it runs in a job of its own.
    "local demo": (".github/workflows/test.yml", "make demo"),
    # Looks into a machine of AWS, which no local one is.
    "devbox measure": ("tests/unit/devbox/test_measuring.py", 'command("measure"'),
}
"""Commands that no block could run beside the others: the file that runs each, and the words that do."""
WITHOUT_AWS = ("dashboard", "local", "run --local")
"""Commands that are no calls of AWS."""


def commands(command: Command, *words: str) -> Iterator[str]:
    """Yield the words of each command that there is."""
    if not isinstance(command, TyperGroup):
        yield " ".join(words)
        return
    if command.invoke_without_command:
        yield " ".join(words)
    for name, member in command.commands.items():
        yield from commands(member, *words, name)


def blocks(page: str) -> list[str]:
    """Return a page's runnable blocks."""
    return _BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))


def calls(block: str, words: str) -> bool:
    """Say whether a block runs a command."""
    return re.search(rf"\bpullwright {re.escape(words)}(?![\w-])", block) is not None


NAMES = sorted(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", NAMES)
def test_each_command_runs_on_the_local_stack(words: str) -> None:
    """It stands in a runnable block, or the test that is named for it calls it."""
    shown = [page for page in PAGES if any(calls(block, words) for block in blocks(page))]
    if words not in ELSEWHERE:
        assert shown, f"pullwright {words} stands in no runnable block of {' or '.join(PAGES)}"
        return
    assert not shown, f"pullwright {words} runs in {shown}: ELSEWHERE need not name it"
    file, text = ELSEWHERE[words]
    assert text in (ROOT / file).read_text(encoding="utf-8")


def test_what_runs_elsewhere_exists() -> None:
    """No command that is gone is named."""
    assert set(ELSEWHERE) <= set(NAMES)


@pytest.mark.parametrize("block", blocks("operations.md"), ids=lambda block: block.split("\n")[0][:60])
def test_each_block_has_the_plain_call_beside_the_command(block: str) -> None:
    """What a command does can be done without it."""
    assert re.search(r"\baws [a-z]", block) or any(calls(block, words) for words in WITHOUT_AWS)

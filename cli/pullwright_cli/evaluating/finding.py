"""Finds tasks with the operator's own access to GitHub."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pullwright import errors
from pullwright.github.client import GitHubClient
from pullwright_cli.errors import CliError
from pullwright_cli.evaluating.discovery import discover
from pullwright_cli.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright.evaluation import EvaluationTask
    from pullwright_cli.aws import Stack

# In the order in which gh looks for them: https://cli.github.com/manual/gh_help_environment
_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN")
_DOTCOM = "https://api.github.com"


def find_tasks(stack: Stack, repository: str, count: int) -> list[EvaluationTask]:
    """Find tasks, and say on standard error which pull requests are none and why.

    Raises:
        CliError: there is no token for GitHub.
        NothingToDo: none was found.
        PullwrightError: GitHub does not say.
    """
    # GitHub's workflows set the variable; a deployment of Enterprise Server has it as a parameter.
    api_url = os.environ.get("GITHUB_API_URL") or stack.parameter("GitHubApiUrl") or _DOTCOM
    token = find_token(os.environ, api_url)
    found = discover(GitHubClient(api_url, lambda: token), repository, count)
    for number, reason in found.left_out.items():
        print(f"#{number} is no task: {plain(reason)}.", file=sys.stderr)
    if not found.tasks:
        raise errors.NothingToDo(
            f"No merged pull request of {repository} makes a task.",
            remedy="Write a file of tasks by hand: docs/evaluation.md has its form.",
        )
    if len(found.tasks) < count:
        print(f"{len(found.tasks)} tasks were found, not {count}.", file=sys.stderr)
    return found.tasks


def find_token(environment: Mapping[str, str], api_url: str) -> str:
    """Return the operator's token for GitHub: from the environment, or from the sign-in of gh.

    Raises:
        CliError: there is none.
    """
    for name in _VARIABLES:
        if environment.get(name):
            return environment[name]
    host = api_url.removeprefix("https://").removeprefix("http://").partition("/")[0].removeprefix("api.")
    try:
        done = subprocess.run(
            ["gh", "auth", "token", "--hostname", host],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        token = done.stdout.strip() if done.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        token = ""
    if not token:
        raise CliError(
            "there is no token to read the repository on GitHub with: set GITHUB_TOKEN, or sign in with "
            "`gh auth login`",
            2,
        )
    return token

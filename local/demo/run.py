"""`pullwright local demo`: a signed webhook for a labelled issue becomes a finished pull request."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.demo import previews, scenario, summary
from local.layout import Layout
from local.people import LAG_SECONDS, StandInError, set_lags
from local.sessions import Session, Stack
from pullwright_cli.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path


def _label(console: Console, stack: Stack, work: scenario.Scenario) -> Session:
    """Add the label as a person would, and wait for the session that the webhook starts."""
    begun = time.monotonic()
    work.person.label(work.repository, work.issue, scenario.LABEL)
    session = stack.wait_for_execution(work.repository, work.issue, seconds=30)
    console.print(f"[dim]{time.monotonic() - begun:6.1f} s[/]  webhook accepted: session {session.id}")
    return session


def _preview(console: Console, session: Session, page: tuple[str, str]) -> previews.Preview:
    """Wait for the preview that the session leaves."""
    begun = time.monotonic()
    preview = previews.left_by(session, page)
    console.print(f"[dim]{time.monotonic() - begun:6.1f} s[/]  preview: {preview.url or 'there is none'}")
    return preview


def _start_stub(console: Console, stack: Stack, work: scenario.Scenario) -> Session:
    """Start a session without any model, as an operator would."""
    console.print(
        "[yellow]No model key was given, and the scripted model knows only the built-in project: this "
        "session runs in stub mode.[/]\n"
        "Set ANTHROPIC_API_KEY or AWS credentials, run `make down`, and try again to see Claude work on it."
    )
    return stack.start({"repository": work.repository, "issue": work.issue, "stub": True})


def run(repository: Path | None, issue: str | None, minutes: float, lag: int | None = None) -> int:
    """Run the demo on the stack that is up.

    Args:
        repository: a folder to work on instead of the built-in project.
        issue: what is wrong there; the first line is the title.
        lag: what GitHub answers new tokens with for a moment, in which it does not show new objects either.

    Returns:
        0 the session succeeded (and the project's own test passes on the branch), 1 it did not, 3 the local
        stack did not answer.
    """
    # Addresses and hashes stay whole where the output is kept in a file.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    stack = Stack.load(Layout.of_environment().data)
    set_lags(stack.github_url, lag)
    if lag is not None:
        console.print(f"GitHub answers new tokens with {lag} and shows nothing new for {LAG_SECONDS} s\n")
    try:
        return _run(console, stack, repository, issue, minutes)
    finally:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            set_lags(stack.github_url, None)


def _run(console: Console, stack: Stack, repository: Path | None, issue: str | None, minutes: float) -> int:
    try:
        if repository is None or issue is None:
            has_previews = bool(stack.outputs.get(previews.MACHINE))
            work = scenario.built_in(stack.github_url, stack.model_url, leaves_preview=has_previews)
        else:
            work = scenario.own(stack.github_url, repository, issue)
    except StandInError as error:
        console.print(f"[red]The GitHub stand-in refused the demo's repository:[/] {error}")
        return 3

    console.rule("[bold]label → pull request[/]", style="dim")
    page = f"{stack.github_url}/{work.repository}"
    console.print(f"repository  {page}\nissue       {page}/issues/{work.issue}\n")
    own_without_model = repository is not None and stack.model_url is not None
    try:
        session = (_start_stub if own_without_model else _label)(console, stack, work)
        status = Watch(console, session).until_end(minutes)
        preview = _preview(console, session, work.page) if status == "SUCCEEDED" and work.page else None
        good = summary.show(console, work, session, status, preview)
        why = summary.reason(session, status, preview)
    except TimeoutError as error:
        console.print(f"[red]{error}[/]\nThe logs are in {stack.described['log_dir']}")
        return 3
    except (BotoCoreError, ClientError, StandInError, subprocess.CalledProcessError, OSError) as error:
        console.print(
            f"[red]The local stack does not answer any more:[/] {error}\n"
            "If it was stopped meanwhile, `make up` starts it and closes the session with a reason."
        )
        return 3
    if not good:
        console.print(f"\n[red]The demo failed:[/] {why}")
    and_preview = ", and the preview with it" if preview and preview.url else ""
    console.print(
        f"\nLook at it in a browser at the address above. `make down` stops the stack{and_preview}."
    )
    return 0 if good else 1

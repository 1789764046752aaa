"""The result of a finished session: its diff, the tests on its branch, and its figures."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from local.demo.previews import Preview
    from local.demo.scenario import Scenario
    from local.sessions import Session
    from pullwright.record import SessionRecord


def checkout_test(git_url: str, branch: str, command: tuple[str, ...]) -> tuple[bool, str]:
    """Clone a branch and run a command in it.

    Returns:
        Whether it exited with 0, and the last line that it printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "--quiet", "--branch", branch, git_url, folder], check=True)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode == 0, lines[-1] if lines else ""


def lines_of(git_url: str, branch: str, path: str) -> list[str]:
    """Return the lines of a file on a branch; none if there is no such file."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "--quiet", "--branch", branch, git_url, folder], check=True)
        file = Path(folder) / path
        return file.read_text().splitlines() if file.is_file() else []


def url_of(session: Session, scenario: Scenario) -> str:
    """Return the address from which the scenario's repository is cloned."""
    return f"{session.stack.github_url}/{scenario.repository}.git"


def show(
    console: Console, scenario: Scenario, session: Session, status: str, preview: Preview | None
) -> bool:
    """Print a finished session: diff, proof and table.

    Args:
        preview: that the session has left, if it was to leave one.

    Returns:
        Whether everything is as it should be: the session succeeded, the project's own test and rule, if
        the scenario knows them, hold on the branch, and its preview shows the change.
    """
    record = session.record()
    artifacts = session.artifacts()
    ended = record.status or status
    good = ended == "SUCCEEDED"

    if diff := artifacts.get("diff.patch"):
        console.rule("the change", style="dim")
        console.print(Syntax(diff.decode(errors="replace").rstrip(), "diff", background_color="default"))
    console.rule(style="dim")

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    colour = "green" if good else "red"
    table.add_row("outcome", f"[{colour}]{ended}[/] ({record.outcome or 'no outcome recorded'})")
    if status != ended:
        # A sweep finished what the execution did not come to.
        table.add_row("execution", f"[yellow]{status}[/]")
    if sentence := record.sentence:
        table.add_row("", sentence)
    if remedy := record.remedy:
        table.add_row("remedy", remedy)
    table.add_row("pull request", record.pull_request_url or "none")
    table.add_row("branch", record.branch or "none")
    table.add_row("commit", record.commit or "none")
    if checks := record.checks:
        table.add_row("checks", checks)
    if record.pull_request and record.branch:
        good = _prove(table, scenario, url_of(session, scenario), record.branch) and good
    if preview:
        good = preview.is_right and good
        table.add_row("preview", preview.url or "none")
        table.add_row("", f"[{'green' if preview.is_right else 'red'}]{escape(preview.says)}[/]")
    # A task that was killed has reported no cost.
    if record.cost_usd is not None:
        table.add_row("cost", f"${record.cost_usd:.4f}")
        table.add_row("turns", str(record.turns or 0))
        table.add_row("tokens", _tokens(record))
    else:
        table.add_row("cost", "not known")
    table.add_row("session", session.id)
    table.add_row("artifacts", ", ".join(sorted(artifacts)) or "none")
    console.print(table)

    seconds = Table(title="seconds per state", title_justify="left", box=None, padding=(0, 2, 0, 0))
    seconds.add_column("state")
    seconds.add_column("seconds", justify="right")
    visits = session.visits()
    for visit in visits:
        seconds.add_row(visit.name, "" if visit.seconds is None else f"{visit.seconds:.2f}")
    total = sum(visit.seconds or 0 for visit in visits)
    seconds.add_row("[bold]all[/]", f"[bold]{total:.2f}[/]")
    console.print()
    console.print(seconds)
    return good


def _prove(table: Table, scenario: Scenario, git_url: str, branch: str) -> bool:
    """Check the branch with the scenario's test and rule, and add the results to the table."""
    good = True
    if scenario.test_command:
        good, last = checkout_test(git_url, branch, scenario.test_command)
        table.add_row("tests on the branch", f"{'[green]pass[/]' if good else '[red]fail[/]'} ({last})")
    if scenario.followed:
        path, line = scenario.followed
        followed = line in lines_of(git_url, branch, path)
        good = good and followed
        verdict = "[green]followed[/]" if followed else "[red]not followed[/]"
        table.add_row("rule of CLAUDE.md", f"{scenario.rule}: {verdict}")
    return good


def reason(session: Session, status: str, preview: Preview | None) -> str:
    """Say in one sentence why the demo failed."""
    record = session.record()
    if (record.status or status) == "SUCCEEDED":
        if preview and not preview.is_right:
            return "The session's preview does not show the change."
        return "The project's own test or rule does not hold on the branch."
    return record.sentence or f"The execution ended as {status}."


def _tokens(record: SessionRecord) -> str:
    counts = {
        "input": record.input_tokens,
        "output": record.output_tokens,
        "cache read": record.cache_read_tokens,
        "cache write": record.cache_write_tokens,
    }
    return ", ".join(f"{count or 0:,} {kind}" for kind, count in counts.items())

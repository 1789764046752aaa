"""`make demo`: a signed webhook for a labelled issue becomes a finished pull request.

Exit codes: 0 the session succeeded (and the project's own test passes on the branch), 1 it did not,
2 the arguments are wrong, 3 the local stack did not come up or did not answer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.demo import scenario, summary
from local.demo.watch import Watch
from local.people import StandInError
from local.sessions import Session, Stack


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--repo", type=Path, help="a local git repository to work on (it is only read)")
    parser.add_argument("--issue", help="the issue's text, for --repo; its first line is the title")
    parser.add_argument("--minutes", type=float, default=65, help="how long to wait for the end")
    arguments = parser.parse_args()
    if (arguments.repo is None) != (not arguments.issue):
        parser.error('REPO and ISSUE go together: make demo REPO=path/to/repository ISSUE="what is wrong"')
    if arguments.repo is not None and not _is_repository(arguments.repo):
        parser.error(f"REPO={arguments.repo} is no git repository; name a folder that holds one")
    return arguments


def _is_repository(path: Path) -> bool:
    command = ["git", "-C", str(path), "rev-parse", "--git-dir"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _label(console: Console, stack: Stack, work: scenario.Scenario) -> Session:
    """Add the label as a person would, and wait for the session that the webhook starts."""
    begun = time.monotonic()
    work.person.label(work.repository, work.issue, scenario.LABEL)
    session = stack.wait_for_execution(work.repository, work.issue, seconds=30)
    console.print(f"[dim]{time.monotonic() - begun:6.1f} s[/]  webhook accepted: session {session.id}")
    return session


def _start_stub(console: Console, stack: Stack, work: scenario.Scenario) -> Session:
    """Start a session without any model, as an operator would."""
    console.print(
        "[yellow]No model key was given, and the scripted model knows only the built-in project: this "
        "session runs in stub mode.[/]\n"
        "Set ANTHROPIC_API_KEY or AWS credentials, run `make down`, and try again to see Claude work on it."
    )
    return stack.start({"repository": work.repository, "issue": work.issue, "stub": True})


def main() -> int:
    """Run the demo and return its exit code."""
    arguments = _arguments()
    # Addresses and hashes stay whole where the output is kept in a file.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    folder = Path(os.environ.get("PULLWRIGHT_LOCAL", ".local"))
    # The built-in project needs no real model; for another, whatever the person has is used.
    model = ["--model", "auto"] if arguments.repo else []
    if subprocess.run([sys.executable, "-m", "local", "up", *model], check=False).returncode:
        return 3
    stack = Stack.load(folder)
    try:
        if arguments.repo is None:
            work = scenario.built_in(stack.github_url, stack.model_url)
        else:
            work = scenario.own(stack.github_url, arguments.repo, arguments.issue)
    except StandInError as error:
        console.print(f"[red]The GitHub stand-in refused the demo's repository:[/] {error}")
        return 3

    console.rule("[bold]label → pull request[/]", style="dim")
    page = f"{stack.github_url}/{work.repository}"
    console.print(f"repository  {page}\nissue       {page}/issues/{work.issue}\n")
    own_without_model = arguments.repo is not None and stack.model_url is not None
    try:
        session = (_start_stub if own_without_model else _label)(console, stack, work)
        status = Watch(console, session).until_end(arguments.minutes)
        good = summary.show(console, work, session, status)
        why = summary.reason(session, status)
    except TimeoutError as error:
        console.print(f"[red]{error}[/]\nWhat happened stands in {stack.described['log_dir']}")
        return 3
    except (BotoCoreError, ClientError, StandInError, subprocess.CalledProcessError, OSError) as error:
        console.print(
            f"[red]The local stack does not answer any more:[/] {error}\n"
            "If it was stopped meanwhile, `make up` starts it and closes the session with a reason."
        )
        return 3
    if not good:
        console.print(f"\n[red]The demo failed:[/] {why}")
    console.print("\nLook at it in a browser at the address above. `make down` stops the stack.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

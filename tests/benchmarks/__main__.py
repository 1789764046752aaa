"""Measures everything in one run and prints one table: `python -m tests.benchmarks`.

Exit code 0 when all that can be measured was, whether marks are met or missed; 1 when it could not be.
"""

from __future__ import annotations

import sys

from rich.console import Console

from local.layout import ROOT, TOOLS, Layout
from tests.benchmarks import (
    cold,
    command,
    edits,
    egress,
    gateway,
    node,
    package,
    pages,
    preview,
    review,
    runner,
    session,
    stub,
    warm,
)
from tests.benchmarks.figures import Section, table

_BUILDS = (ROOT / ".aws-sam" / "build", Layout.of_environment().build, session.OWN_STACK.build)


def main() -> int:
    """Measure and print."""
    # A table squeezed into a pipe's 80 columns is hard to read.
    console = Console(width=None if sys.stdout.isatty() else 130)
    progress = Console(stderr=True)
    folder = TOOLS / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    sections: list[Section] = []
    problems: list[str] = []

    with progress.status("") as status:

        def say(text: str) -> None:
            status.update(f"{text} …")

        try:
            say("npm packages to compare with")
            programs = node.install(folder)
            with stub.running() as endpoint_url:
                sections.append(cold.measure(folder, programs, endpoint_url, say))
                sections.append(warm.measure(endpoint_url, say))
        except (node.NoNodeError, cold.NotReadyError, warm.WrongAnswerError) as error:
            problems.append(str(error))
        try:
            sections.append(session.measure(say))
            sections.append(review.measure(say))
            sections.append(preview.measure(say))
            sections.append(command.measure(say))
            sections.append(pages.measure(say))
            sections.append(edits.measure(say))
        except session.NotMeasuredError as error:
            problems.append(str(error))
        try:
            sections.append(runner.measure(say))
        except runner.NotMeasuredError as error:
            problems.append(str(error))
        try:
            sections.append(gateway.measure(say))
        except gateway.NotMeasuredError as error:
            problems.append(str(error))
        try:
            sections.append(egress.measure(say))
        except egress.NotMeasuredError as error:
            problems.append(str(error))
        sections.append(package.measure(_BUILDS))

    console.print(table(sections))
    for section in sections:
        console.print(f"[bold]{section.title}[/bold]: {section.how}", highlight=False)
    for problem in problems:
        console.print(f"[red]{problem}[/red]", highlight=False)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""`pullwright logs`, `events` and `artifacts`: what a stack and its sessions have written."""

from pathlib import Path
from typing import Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.options import Json, OfRepository, Target

Since = Annotated[str, typer.Option("--since", help="From then on: 30m, 2h, 3d or 2026-11-01T09:00.")]


def logs(
    session: Annotated[
        str, typer.Argument(metavar="[SESSION]", help="A session's id; without one, all.")
    ] = "",
    *,
    source: Annotated[
        list[str] | None,
        typer.Option(help="webhook, functions, states, runner or agent; may be given several times."),
    ] = None,
    since: Annotated[
        str, typer.Option(show_default=False, help="From then on; of a session from its beginning, else 15m.")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the session has ended.")
    ] = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Print what webhook, functions, state machine, runner and agent have logged, in order of time.

    It filters the stack's log groups by time and by the session's id; states are the execution's history.
    With --json each line is an object of its own.

    \b
    Examples:
      pullwright logs "$id" --follow
      pullwright logs --source webhook --since 1h
      pullwright logs "$id" --source agent --json | jq -r .message
    """
    from pullwright_cli.logbook import SOURCES, Logbook  # noqa: PLC0415 - as above
    from pullwright_cli.moments import since as moment  # noqa: PLC0415 - as above
    from pullwright_cli.session import Session  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_line  # noqa: PLC0415 - as above

    for name in source or ():
        if name not in SOURCES:
            raise CliError(f"--source: {name!r} is none of {', '.join(SOURCES)}", 2)
    stack = target.stack()
    book = Logbook(stack, source or SOURCES, Session.named(stack, session) if session else None)
    begin, end = book.span()
    begin = moment(since) or begin or moment("15m")
    for line in book.follow(begin) if follow else book.lines(begin, end):
        print_line(line, as_json=json)


def events(
    *,
    repo: OfRepository = "",
    since: Since = "1h",
    unmatched: Annotated[bool, typer.Option("--unmatched", help="Only those that started nothing.")] = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""List the webhooks that came, what each started, and why one started nothing.

    It filters the webhook's log by time and repository.

    \b
    Examples:
      pullwright events --since 1d --unmatched
      pullwright events --repo acme/app --json | jq '.events[].reason'
    """
    from pullwright_cli.deliveries import deliveries  # noqa: PLC0415 - as above
    from pullwright_cli.moments import since as moment  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_events  # noqa: PLC0415 - as above

    stack = target.stack()
    found = deliveries(stack, repo, moment(since), only_unmatched=unmatched)
    print_events(found, stack.name, as_json=json)


def artifacts(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="A session's id.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Only these.")] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", file_okay=False, help="Folder; one in it for each session.")
    ] = Path("pullwright-artifacts"),
    only_list: Annotated[bool, typer.Option("--list", help="Save nothing, list them.")] = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Save what a session left: request, result, transcript, diff and logs.

    It lists the bucket below sessions/SESSION/.

    \b
    Examples:
      pullwright artifacts "$id"
      pullwright artifacts "$id" diff.patch --output /tmp
    """
    from pullwright_cli.download import chosen, save  # noqa: PLC0415 - as above
    from pullwright_cli.session import Session  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_artifacts  # noqa: PLC0415 - as above

    stack = target.stack()
    found = Session.named(stack, session)
    wanted = chosen(found, names or ())
    folder = output / found.id
    paths = [None] * len(wanted) if only_list else [str(path) for path in save(found, wanted, folder)]
    print_artifacts(found.id, list(zip(wanted, paths, strict=True)), as_json=json)

"""`pullwright sessions`, `show` and `cost`."""

import time
from typing import Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.groups import Group
from pullwright_cli.options import Json, OfRepository, Target

SessionId = Annotated[
    str, typer.Argument(metavar="SESSION", help="A session's id; `pullwright sessions` lists them.")
]
app = Group(is_command=True)
_WATCHED_SECONDS = 3.0


@app.callback()
def sessions(
    context: typer.Context,
    *,
    repo: OfRepository = "",
    status: Annotated[
        str, typer.Option(show_default=False, help="queued, running, succeeded or failed.")
    ] = "",
    worker: Annotated[str, typer.Option(show_default=False, help="Of this worker.")] = "",
    since: Annotated[
        str, typer.Option(show_default=False, help="Begun since then: 30m, 2h, 3d or 2026-11-01.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    watch: Annotated[bool, typer.Option("--watch", help="Show them anew every three seconds.")] = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""List sessions, newest first.

    With --repo it queries the index by_repository, else by_status once for each status.

    \b
    Examples:
      pullwright sessions
      pullwright sessions --repo acme/app --since 7d --status failed
      pullwright sessions --json | jq -r '.sessions[].pull_request_url'
      pullwright sessions purge --before 90d
    """
    if context.invoked_subcommand:
        return
    from pullwright_cli import listing  # noqa: PLC0415 - as above
    from pullwright_cli.moments import since as moment  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_sessions  # noqa: PLC0415 - as above

    if status and status.upper() not in listing.STATUSES:
        raise CliError(f"--status: {status!r} is none of {', '.join(listing.STATUSES).lower()}", 2)
    if watch and json:
        raise CliError("--watch and --json exclude each other: leave one of them out", 2)
    stack = target.stack()
    wanted = listing.Filter(repo, status.upper(), worker, moment(since), limit)
    while True:
        print_sessions(listing.sessions(stack, wanted), stack.name, as_json=json, is_fresh=watch)
        if not watch:
            return
        time.sleep(_WATCHED_SECONDS)


def show(
    session: SessionId,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it live until it ends, and exit by its outcome.")
    ] = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Show one session: how it went, state by state, what it cost, and why it failed.

    It reads the session's record by its key, and the execution's history.

    \b
    Examples:
      pullwright show implement-42-7d4a0d8e-9bb2-11f0-8de9-0242ac120002
      pullwright show --watch "$id"
      pullwright show "$id" --json | jq .record.cost_usd
    """
    from pullwright_cli.details import details  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_details  # noqa: PLC0415 - as above

    stack = target.stack()
    if watch:
        from pullwright_cli.session import Session  # noqa: PLC0415 - as above
        from pullwright_cli.waiting import follow  # noqa: PLC0415 - as above

        raise typer.Exit(follow(Session.named(stack, session), 0, None, as_json=json))
    print_details(details(stack, session), as_json=json)


def cost(
    *,
    by: Annotated[str, typer.Option(help="repository, worker, person, model, day or month.")] = "repository",
    repo: OfRepository = "",
    months: Annotated[
        bool, typer.Option("--months", help="By whole months, from totals that outlive the records.")
    ] = False,
    since: Annotated[
        str,
        typer.Option(show_default=False, help="Begun since then: 2h or 2026-11-01. 30d; of months a year."),
    ] = "",
    target: Target,
    json: Json = False,
) -> None:
    r"""Sum up what sessions cost.

    It reads their records by the queries of `pullwright sessions`; they stay as long as the artifacts,
    ArtifactRetentionDays. With --months or --by month it reads the totals of months, which stay, by one query
    of by_status; the whole month of --since is in.

    \b
    Examples:
      pullwright cost
      pullwright cost --by month --json
      pullwright cost --by person --months --since 2026-01-01
    """
    from pullwright_cli import accounting  # noqa: PLC0415 - as above
    from pullwright_cli.moments import since as moment  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_cost  # noqa: PLC0415 - as above

    if by not in accounting.GROUPS:
        raise CliError(f"--by: {by!r} is none of {', '.join(accounting.GROUPS)}", 2)
    if months and by == "day":
        raise CliError("--by day and --months exclude each other: totals of months have no days", 2)
    months = months or by == accounting.MONTH
    stack = target.stack()
    begin = moment(since or ("365d" if months else "30d"))
    found = accounting.cost(stack, by, repo, begin, whole_months=months)
    print_cost({"stack": stack.name, **found}, as_json=json)

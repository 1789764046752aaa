"""`pullwright sessions`, `show` and `cost`."""

import time
from typing import Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.options import Environment, Json, OfRepository, Profile, Region, StackName

SessionId = Annotated[
    str, typer.Argument(metavar="SESSION", help="A session's id; `pullwright sessions` lists them.")
]
_WATCHED_SECONDS = 3.0


def sessions(
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
    stack_name: StackName = "",
    env: Environment = "",
    region: Region = "",
    profile: Profile = "",
    json: Json = False,
) -> None:
    r"""List sessions, newest first.

    With --repo it queries the index by_repository, else by_status once for each status.

    \b
    Examples:
      pullwright sessions
      pullwright sessions --repo acme/app --since 7d --status failed
      pullwright sessions --json | jq -r '.sessions[].pull_request_url'
    """
    from pullwright_cli import listing  # noqa: PLC0415 - as above
    from pullwright_cli.aws import Stack  # noqa: PLC0415 - boto3 takes half a second to import
    from pullwright_cli.moments import since as moment  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_sessions  # noqa: PLC0415 - as above

    if status and status.upper() not in listing.STATUSES:
        raise CliError(f"--status: {status!r} is none of {', '.join(listing.STATUSES).lower()}", 2)
    if watch and json:
        raise CliError("--watch and --json exclude each other: leave one of them out", 2)
    stack = Stack.resolve(stack_name, environment=env, region=region, profile=profile)
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
    stack_name: StackName = "",
    env: Environment = "",
    region: Region = "",
    profile: Profile = "",
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
    from pullwright_cli.aws import Stack  # noqa: PLC0415 - as above
    from pullwright_cli.details import details  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_details  # noqa: PLC0415 - as above

    stack = Stack.resolve(stack_name, environment=env, region=region, profile=profile)
    if watch:
        from pullwright_cli.session import Session  # noqa: PLC0415 - as above
        from pullwright_cli.waiting import follow  # noqa: PLC0415 - as above

        raise typer.Exit(follow(Session.named(stack, session), 0, None, as_json=json))
    print_details(details(stack, session), as_json=json)


def cost(
    *,
    by: Annotated[str, typer.Option(help="repository, worker, person, model, day or month.")] = "repository",
    repo: OfRepository = "",
    since: Annotated[str, typer.Option(help="Of sessions begun since then: 2h, 30d or 2026-11-01.")] = "30d",
    stack_name: StackName = "",
    env: Environment = "",
    region: Region = "",
    profile: Profile = "",
    json: Json = False,
) -> None:
    r"""Sum up what sessions cost.

    It reads their records by the queries of `pullwright sessions`, so that it knows as much as they hold:
    records stay as long as the artifacts, ArtifactRetentionDays.

    \b
    Examples:
      pullwright cost
      pullwright cost --by month --since 365d --json
    """
    from pullwright_cli import accounting  # noqa: PLC0415 - as above
    from pullwright_cli.aws import Stack  # noqa: PLC0415 - as above
    from pullwright_cli.moments import since as moment  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_cost  # noqa: PLC0415 - as above

    if by not in accounting.GROUPS:
        raise CliError(f"--by: {by!r} is none of {', '.join(accounting.GROUPS)}", 2)
    stack = Stack.resolve(stack_name, environment=env, region=region, profile=profile)
    print_cost({"stack": stack.name, **accounting.cost(stack, by, repo, moment(since))}, as_json=json)

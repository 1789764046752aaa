"""`pullwright preview`: a pull request's branch runs behind the load balancer, without a label."""

from pathlib import Path
from typing import Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.groups import Group
from pullwright_cli.options import DryRun, Json, OfRepository, Repository, Target

app = Group(default="start", help="Previews: pull requests' branches that run behind the load balancer.")
Preview = Annotated[
    str, typer.Argument(metavar="PREVIEW|PR", help="A preview's id, or a pull request: its newest preview.")
]
_SEEN = ("STATUS", "PULL REQUEST", "BEGAN", "COMMIT", "PREVIEW", "WHERE, OR WHY NOT")


@app.command()
def start(
    pr: Annotated[int, typer.Argument(metavar="PR", min=1, help="Number of the pull request.")],
    *,
    repo: Repository = "",
    staging: Annotated[
        bool, typer.Option("--staging", help="In the image that the tag staging points to.")
    ] = False,
    hours: Annotated[
        int | None,
        typer.Option(
            min=1, max=168, show_default=False, help="At most; the configuration and PreviewHours hold."
        ),
    ] = None,
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Run a pull request's branch as a preview, as its label does; its comment says where.

    `pullwright preview 7` is short for `pullwright preview start 7`.

    \b
    Examples:
      pullwright preview 7
      pullwright preview 7 --staging --hours 2 --repo acme/app
      pullwright preview 7 --dry-run | jq -r .command
    """
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as everywhere
    from pullwright_cli.previews import asked_for  # noqa: PLC0415 - pydantic
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    fields = {
        "repository": repo or repository_of(Path.cwd()),
        "pull_request": pr,
        "staging": staging,
        "hours": hours,
    }
    wanted = asked_for(target.stack(), fields)
    if dry_run:
        print_json(wanted.as_json())
        return
    begun = wanted.begin()
    if json:
        print_json({"preview": begun.id, "execution_arn": begun.arn, "command": wanted.as_line()})
        return
    print(f"Preview {begun.id} has begun.\nexecution  {begun.arn}")
    print(f"follow     pullwright preview logs {begun.id} --follow")
    print(f"outcome    a comment on {fields['repository']}#{pr}, and pullwright preview list")
    print(f"again      {wanted.as_line()}")


@app.command("list")
def list_all(
    *,
    repo: OfRepository = "",
    running: Annotated[bool, typer.Option("--running", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 20,
    target: Target,
    json: Json = False,
) -> None:
    r"""List previews of the last 90 days, newest first.

    It lists the executions of the machine of previews, and reads the record of each.

    \b
    Examples:
      pullwright preview list --running
      pullwright preview list --repo acme/app --json | jq -r '.previews[].url'
    """
    from itertools import islice  # noqa: PLC0415 - as above

    from pullwright_cli.previews import listed  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import ago, print_json, print_table, status_style  # noqa: PLC0415 - as above

    stack = target.stack()
    every = (found.as_json() for found in listed(stack, only_running=running))
    rows = list(islice((row for row in every if repo in ("", row["repository"])), limit))
    if json:
        print_json({"stack": stack.name, "previews": rows})
    elif not rows:
        print(f"No preview of {stack.name} fits.")
    else:
        print_table(
            _SEEN,
            [
                (
                    row["status"],
                    f"{row['repository'] or ''}#{row['pull_request'] or ''}",
                    ago(row["started_at"]),
                    (row["commit"] or "")[:7],
                    row["preview"],
                    row["sentence"] or row["error"] or row["url"],
                )
                for row in rows
            ],
            {place: status_style(str(row["status"])) for place, row in enumerate(rows)},
        )


@app.command()
def logs(
    preview: Preview,
    *,
    repo: Repository = "",
    source: Annotated[
        list[str] | None,
        typer.Option(help="functions, states or preview (its task); may be given several times."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the preview has ended.")
    ] = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Print what a preview's functions, state machine and task have logged, in order of time.

    \b
    Examples:
      pullwright preview logs 7 --follow
      pullwright preview logs 7 --source preview --json | jq -r .message
    """
    from pullwright_cli.preview_log import SOURCES, PreviewLogbook  # noqa: PLC0415 - as above
    from pullwright_cli.previews import find  # noqa: PLC0415 - as above
    from pullwright_cli.views import print_line  # noqa: PLC0415 - as above

    for name in source or ():
        if name not in SOURCES:
            raise CliError(f"--source: {name!r} is none of {', '.join(SOURCES)}", 2)
    stack = target.stack()
    book = PreviewLogbook(stack, source or SOURCES, find(stack, preview, _of(preview, repo)))
    begin, end = book.span()
    for line in book.follow(begin) if follow else book.lines(begin, end):
        print_line(line, as_json=json)


@app.command()
def screenshots(
    preview: Preview,
    *,
    repo: Repository = "",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the pictures, which is made.")
    ] = Path("pullwright-screenshots"),
    target: Target,
    json: Json = False,
) -> None:
    r"""Save the pictures that a preview's task took of the pages in the configuration.

    They stay as long as artifacts do, when the addresses in the comment have ended.

    \b
    Examples:
      pullwright preview screenshots 7
      pullwright preview screenshots "$preview" --output /tmp/pages --json
    """
    from pullwright_cli.preview_pictures import save_pictures  # noqa: PLC0415 - as above
    from pullwright_cli.previews import find  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import plain, print_json  # noqa: PLC0415 - as above

    found = find(target.stack(), preview, _of(preview, repo))
    pages = save_pictures(found, output)
    if json:
        print_json({"preview": found.session.id, "screenshots": pages})
        return
    for page in pages:
        print(f"{plain(page['path'] or '')}  {page['saved'] or plain(page['problem'] or '')}")


@app.command()
def remove(
    previews: Annotated[
        list[str],
        typer.Argument(
            metavar="PREVIEW|PR...", help="Ids of previews, or pull requests: what runs of theirs."
        ),
    ],
    *,
    repo: Repository = "",
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""End previews: their pull requests say so, and nothing of them is left.

    A label stays where it is: a push starts a preview again as long as it is there.

    \b
    Examples:
      pullwright preview remove 7
      pullwright preview remove "$preview" --dry-run
    """
    from pullwright_cli import previews as of_stack  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    stack = target.stack()
    chosen = [
        of_stack.find(stack, word, _of(word, repo), prefer_running=True) for word in dict.fromkeys(previews)
    ]
    for found in chosen:
        of_stack.check_open(found)
    lines = [line for found in chosen for line in of_stack.removal_lines(stack, found)]
    if not dry_run:
        of_stack.remove(stack, chosen)
    if json:
        print_json({"removed": [] if dry_run else [it.session.id for it in chosen], "commands": lines})
    elif dry_run:
        print("\n".join(lines))
    else:
        for found in chosen:
            print(f"{found.session.id} ends; its pull request says so in a moment.")


def _of(word: str, repository: str) -> str:
    """Return the repository whose pull request is meant; none is needed for a preview's id."""
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as above

    return repository or (repository_of(Path.cwd()) if word.isdecimal() else "")

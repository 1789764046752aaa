"""`pullwright run`, `retry` and `stop`: sessions begin, begin again, and end."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.options import (
    DryRun,
    Json,
    Repository,
    Target,
    Yes,
    confirm,
)

if TYPE_CHECKING:
    from pullwright_cli.starting import Start

Wait = Annotated[bool, typer.Option("--wait", help="Show it live, and exit by its outcome.")]
Minutes = Annotated[
    float,
    typer.Option("--timeout-minutes", min=0, help="Wait no longer; the session goes on. 0: until it ends."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        file_okay=False,
        show_default="pullwright-artifacts",
        help="Folder for the artifacts, one in it for each session.",
    ),
]
NoDownload = Annotated[bool, typer.Option("--no-download", help="Leave the artifacts in the bucket.")]
_WITHOUT_PROMPT, _MOST = 2, 3
_OUTPUT = Path("pullwright-artifacts")


def run(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar='[SERVICE] [ENV] "PROMPT"', help="What to do, on the stack SERVICE-ENV if named."
        ),
    ] = None,
    *,
    issue: Annotated[int | None, typer.Option(min=1, help="Work on this issue.")] = None,
    pr: Annotated[int | None, typer.Option(min=1, help="Go on with this pull request.")] = None,
    prompt: Annotated[str, typer.Option(help="What to do, where SERVICE and ENV alone are words.")] = "",
    repo: Repository = "",
    worker: Annotated[str, typer.Option(help="The worker.")] = "implement",
    model: Annotated[str, typer.Option(show_default=False, help="As its provider calls it.")] = "",
    base: Annotated[str, typer.Option(show_default=False, help="Branch to begin from.")] = "",
    usd: Annotated[float | None, typer.Option(help="Dollars that it may cost.")] = None,
    turns: Annotated[int | None, typer.Option(help="Turns that it may take.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes that it may take.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Make a plan before anything is changed.")] = False,
    stub: Annotated[
        bool, typer.Option("--stub", help="The whole pipeline without a model, at no cost.")
    ] = False,
    here: Annotated[
        bool, typer.Option("--local", help="On this machine, on the checkout that this is called in.")
    ] = False,
    image: Annotated[
        str,
        typer.Option(
            show_default=False,
            help="staging: the image that this tag points to, for this session alone. With --local: any.",
        ),
    ] = "",
    no_container: Annotated[
        bool, typer.Option("--no-container", help="With --local: processes of this machine.")
    ] = False,
    no_branch: Annotated[
        bool, typer.Option("--no-branch", help="With --local: leave a patch, and no branch.")
    ] = False,
    model_url: Annotated[
        str, typer.Option(show_default=False, help="With --local: another address of the Anthropic API.")
    ] = "",
    dry_run: DryRun = False,
    wait: Wait = False,
    timeout_minutes: Minutes = 0,
    output: Output = None,
    no_download: NoDownload = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Start a session.

    Exit codes with --wait: 0 it succeeded, else that of its error (docs/contracts.md); 46 it has not ended in
    --timeout-minutes, 130 after Ctrl-C: then the session goes on.

    With --local there is no deployment and no GitHub: the model is asked with ANTHROPIC_API_KEY, or on
    Bedrock with AWS credentials; the work becomes a branch of the checkout, the exit code is the session's.

    \b
    Examples:
      pullwright run "Say good bye, too"
      pullwright run --issue 42 --repo acme/app --wait
      pullwright run shop prod "Mend the totals" --usd 2 --dry-run | jq -r .command
      pullwright run --issue 42 --image staging
      pullwright run --local "Mend the totals" --usd 2
    """
    limits = {"usd": usd, "turns": turns, "minutes": minutes}
    wanted_limits = {name: value for name, value in limits.items() if value is not None}
    only_here = {
        "--no-container": no_container,
        "--no-branch": no_branch,
        "--model-url": model_url,
    }
    if here:
        from pullwright_cli.local_sessions.command import Options, refuse, run_here  # noqa: PLC0415 - pydantic

        elsewhere = {
            "--issue": issue,
            "--pr": pr,
            "--repo": repo,
            "--base": base,
            "--dry-run": dry_run,
            "--env": target.env,
        }
        refuse(elsewhere, "cannot go with --local")
        *place, text = words or [prompt]
        refuse(dict.fromkeys(place, True), "cannot go with --local: put the prompt in quotes")
        options = Options(
            *(text, model, wanted_limits, output, image, plan, stub),
            *(no_container, no_branch, model_url, target.region, target.profile),
        )
        raise typer.Exit(run_here(options, as_json=json))
    if alone := [name for name, value in only_here.items() if value]:
        raise CliError(f"{', '.join(alone)}: say --local too", 2)
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as above
    from pullwright_cli.starting import asked_for  # noqa: PLC0415 - as above

    service, environment, text = _words(words or [], has_subject=bool(issue or pr), prompt=prompt)
    fields = {
        "repository": repo or repository_of(Path.cwd()),
        "issue": issue,
        "pull_request": pr,
        "prompt": text,
        "worker": worker,
        "base": base,
        "model": model,
        "limits": wanted_limits,
        "plan": plan,
        "stub": stub,
        "image": image,
    }
    named = target._replace(env=environment or target.env)
    start = asked_for(named.stack(service=service), fields)
    _begin(
        start,
        timeout_minutes if wait else None,
        None if no_download else output or _OUTPUT,
        dry_run=dry_run,
        as_json=json,
    )


def retry(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="A session's id.")],
    *,
    dry_run: DryRun = False,
    wait: Wait = False,
    timeout_minutes: Minutes = 0,
    output: Output = None,
    no_download: NoDownload = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Start a session again, with the same input; it goes on with the branch and pull request.

    \b
    Examples:
      pullwright retry "$id"
      pullwright retry "$id" --dry-run | jq -r .command
    """
    from pullwright_cli.session import Session  # noqa: PLC0415 - as above
    from pullwright_cli.starting import again  # noqa: PLC0415 - as above

    stack = target.stack()
    start = again(stack, Session.named(stack, session))
    _begin(
        start,
        timeout_minutes if wait else None,
        None if no_download else output or _OUTPUT,
        dry_run=dry_run,
        as_json=json,
    )


def stop(
    session: Annotated[
        list[str] | None, typer.Argument(metavar="SESSION...", help="Ids of sessions.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All that wait or run.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Stop sessions: each pushes what it has, and its pull request says that it was stopped.

    \b
    Examples:
      pullwright stop "$id"
      pullwright stop --all --yes
    """
    from pullwright_cli import stopping  # noqa: PLC0415 - as above

    if bool(session) == every:
        raise CliError("name the sessions to stop, or say --all", 2)
    stack = target.stack()
    found = stopping.all_open(stack) if every else stopping.named(stack, session or [])
    if every and found and not dry_run:
        confirm(f"Stop {len(found)} sessions of {stack.name}?", yes=yes)
    stopping.stop(stack, found, dry_run=dry_run, as_json=json)


def _words(words: list[str], *, has_subject: bool, prompt: str) -> tuple[str, str, str]:
    """Return service, environment and prompt."""
    if len(words) > _MOST or (len(words) > _WITHOUT_PROMPT and (has_subject or prompt)):
        raise CliError('too many words: put the prompt in quotes, as in run [SERVICE] [ENV] "PROMPT"', 2)
    if has_subject or prompt:
        service, environment = [*words, "", ""][:2]
        return service, environment, prompt
    *place, text = words or [""]
    service, environment = [*place, "", ""][:2]
    return service, environment, text


def _begin(
    start: "Start", minutes: float | None, output: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    """Start a session, or print what would be started.

    Args:
        minutes: how long to wait for its end; None not to wait.
    """
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    if dry_run:
        print_json(start.as_json())
        return
    try:
        session = start.begin()
    except KeyboardInterrupt:
        typer.echo(f"\nThe session may have begun: pullwright show {start.name}", err=True)
        raise
    if minutes is None:
        follow = f"pullwright show --watch {session.id}"
        if as_json:
            print_json({"session": session.id, "execution_arn": session.arn, "command": start.as_line()})
        else:
            print(f"Session {session.id} has begun.\nexecution  {session.arn}\nfollow     {follow}")
            print(f"again      {start.as_line()}")
        return
    from pullwright_cli.waiting import follow as until_end  # noqa: PLC0415 - as above

    typer.echo(f"session    {session.id}\nexecution  {session.arn}", err=True)
    folder = None if output is None else output / session.id
    raise typer.Exit(until_end(session, minutes, folder, as_json=as_json))

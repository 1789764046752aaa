"""`pullwright evaluate`: a repository's own closed issues, worked on again and judged by their tests."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.errors import CliError
from pullwright_cli.options import DryRun, Json, Repository, Target, Yes

if TYPE_CHECKING:
    from pullwright.evaluation import EvaluationTask
    from pullwright_cli.aws import Stack

_DEFAULT_CONCURRENCY = 2


def evaluate(
    evaluation: Annotated[
        str, typer.Argument(metavar="[ID]", help="One that was begun: show it, and wait for its end.")
    ] = "",
    *,
    from_closed_prs: Annotated[
        int,
        typer.Option(min=0, show_default=False, help="So many tasks from the newest merged pull requests."),
    ] = 0,
    tasks: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, show_default=False, help="Tasks, as JSON Lines or YAML."),
    ] = None,
    write_tasks: Annotated[
        Path | None,
        typer.Option(dir_okay=False, show_default=False, help="Write the tasks here, to look at or change."),
    ] = None,
    repo: Repository = "",
    model: Annotated[
        list[str] | None,
        typer.Option(show_default=False, help="Compare these; the deployment's own without any."),
    ] = None,
    worker: Annotated[
        list[str] | None, typer.Option(show_default=False, help="Compare these workers.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(show_default=False, help="Dollars that all sessions may cost together.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, max=20, help="Work on each task so often, to see the noise.")
    ] = 1,
    usd: Annotated[float | None, typer.Option(help="Dollars that one session may cost.")] = None,
    turns: Annotated[int | None, typer.Option(help="Turns that one session may take.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes that one session may take.")] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=40, help="Sessions at a time; they take slots as all others do.")
    ] = _DEFAULT_CONCURRENCY,
    stub: Annotated[
        bool, typer.Option("--stub", help="Ask no model: only see whether the tasks can be judged.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, show_default=False, help="Write the report as a page, too.")
    ] = None,
    name: Annotated[
        str, typer.Option("--id", show_default=False, help="What it is called; made up without it.")
    ] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for its end.")] = True,
    timeout_minutes: Annotated[
        float, typer.Option(min=0, help="Wait no longer; the evaluation goes on. 0: until it ends.")
    ] = 0,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it and its sessions.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Work on closed issues again, and judge the work by the tests of the change that closed them.

    Nothing is made on GitHub. Reading its pull requests takes GITHUB_TOKEN, GH_TOKEN or a sign-in of `gh`.

    Exit codes: 0 all runs were judged; 48 some were not; 46 it has not ended in --timeout-minutes, 130 after
    Ctrl-C: then it goes on.

    \b
    Examples:
      pullwright evaluate --from-closed-prs 20 --write-tasks tasks.jsonl --dry-run
      pullwright evaluate --tasks tasks.jsonl --stub --budget 1
      pullwright evaluate --tasks tasks.jsonl --repeat 3 --budget 60 --usd 2 --html report.html
    """
    from pullwright_cli.evaluating import following  # noqa: PLC0415 - as above

    stack = target.stack()
    if evaluation:
        if from_closed_prs or tasks or name:
            raise CliError("name an evaluation that was begun, or tasks for a new one, not both", 2)
        found = following.named(stack, evaluation)
        if stop:
            following.stop(found, yes=yes, dry_run=dry_run, as_json=json)
            return
    else:
        if stop:
            raise CliError("name the evaluation to stop: pullwright evaluate ID --stop", 2)
        chosen = _tasks(stack, from_closed_prs, tasks, repo, write_tasks)
        if budget is None and (dry_run or write_tasks):
            following.show_tasks(chosen, as_json=json)
            return
        if budget is None:
            raise CliError("--budget: say how many dollars all sessions may cost together", 2)
        limits = {"usd": usd, "turns": turns, "minutes": minutes}
        found = following.planned(
            stack,
            chosen,
            name=name,
            models=model or [],
            workers=worker or [],
            repeat=repeat,
            budget_usd=budget,
            limits={key: value for key, value in limits.items() if value is not None},
            concurrency=concurrency,
            stub=stub,
        )
        if dry_run:
            following.show_plan(stack, found, as_json=json)
            return
        following.begin(found, chosen, yes=yes)
    raise typer.Exit(following.follow(found, timeout_minutes if wait else None, html, as_json=json))


def _tasks(
    stack: "Stack", count: int, path: Path | None, repository: str, target: Path | None
) -> "list[EvaluationTask]":
    from pullwright_cli.evaluating.finding import find_tasks  # noqa: PLC0415 - as above
    from pullwright_cli.evaluating.tasks import read_tasks, write_tasks  # noqa: PLC0415 - as above
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as above

    if bool(count) == (path is not None):
        raise CliError("say where the tasks are from: --from-closed-prs N, or --tasks FILE", 2)
    if path is not None:
        found = read_tasks(path)
    else:
        found = find_tasks(stack, repository or repository_of(Path.cwd()), count)
    if target is not None:
        write_tasks(target, found)
        typer.echo(f"{len(found)} tasks are in {target}.", err=True)
    return found

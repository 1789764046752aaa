"""`pullwright releases` and `rollback`: what was deployed, and the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.options import DryRun, Json, Target, Yes, confirm

if TYPE_CHECKING:
    from pullwright_cli.releasing.records import Release


def releases(
    *,
    target: Target,
    json: Json = False,
) -> None:
    r"""Show what was deployed; a star stands before the release that is live.

    \b
    Example:
      pullwright releases --env prod
    """
    from pullwright_cli.releasing.aliases import known  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json, print_table  # noqa: PLC0415 - as above

    found, live = known(target.stack())
    if json:
        print_json([_as_json(release, is_live=release.is_live(live)) for release in found])
        return
    print_table(
        ["", "release", "deployed", "image"],
        [
            ("*" if release.is_live(live) else "", release.number, release.at, release.image)
            for release in found
        ],
    )


def rollback(
    *,
    to: Annotated[
        int | None,
        typer.Option("--to", min=1, show_default=False, help="Its number; the one before without it."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Make an earlier release live again, within seconds, or a later one.

    \b
    Examples:
      pullwright rollback --env prod
      pullwright rollback --to 7 --yes
    """
    from pullwright_cli.releasing.aliases import known, lines, move  # noqa: PLC0415 - as above
    from pullwright_cli.releasing.records import target as choose  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    stack = target.stack()
    chosen = choose(*known(stack), to)
    if not dry_run:
        confirm(f"Make release {chosen.number} of {chosen.at} live in {stack.name}?", yes=yes)
        move(stack.client, chosen)
    if json:
        print_json({"release": _as_json(chosen, is_live=not dry_run), "commands": lines(stack, chosen)})
    elif dry_run:
        print("\n".join(lines(stack, chosen)))
    else:
        print(f"Release {chosen.number} of {chosen.at} is live: new sessions begin on it, {chosen.image}")


def _as_json(release: Release, *, is_live: bool) -> dict[str, object]:
    return {
        "number": release.number,
        "at": release.at,
        "image": release.image,
        "is_live": is_live,
        "machine": release.machine,
        "preview_machine": release.preview_machine or None,
        "functions": list(release.functions),
        "task_definition": release.task_definition,
    }

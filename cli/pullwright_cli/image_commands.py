"""`pullwright image`: the images of tasks, from the checkout to the tag that a stack runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pullwright_cli.checkout import Checkout
from pullwright_cli.groups import Group
from pullwright_cli.options import (
    CanaryIssue,
    CanaryMinutes,
    DryRun,
    Json,
    Repository,
    Target,
    Yes,
    confirm,
)

if TYPE_CHECKING:
    from pullwright_cli.aws import Stack
    from pullwright_cli.imaging.moving import Move
    from pullwright_cli.imaging.registry import Registry

app = Group(help="The agent's image, and that of previews: build, push, promote and go back.")
STAGING = "staging"


class Architecture(StrEnum):
    """Processors, as the template calls them."""

    ARM64 = "arm64"
    X86_64 = "x86_64"
    BOTH = "both"


Processor = Annotated[
    Architecture | None, typer.Option("--architecture", show_default=False, help="The stack's without it.")
]
Which = Annotated[
    bool, typer.Option("--preview", help="The image of previews, and its repository; not the agent's.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Build also what was built before, for newer base images.")
]


@app.command()
def build(
    *,
    architecture: Annotated[
        Architecture, typer.Option("--architecture", help="The processor.")
    ] = Architecture.ARM64,
    preview: Which = False,
    force: Force = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    r"""Build dist/image.tar or dist/preview.tar, an OCI archive, with Docker's buildx, inside a checkout.

    \b
    Example:
      pullwright image build --architecture x86_64
    """
    from pullwright_cli.imaging.building import Builder  # noqa: PLC0415 - boto3 takes half a second to import
    from pullwright_cli.terminal import print_commands, print_json  # noqa: PLC0415 - as above

    builder = Builder(Checkout.find(Path.cwd()).root, architecture, _stage(preview=preview))
    if dry_run:
        print_commands([builder.line({"TARGET": builder.target, "ARCHITECTURE": architecture})], as_json=json)
        return
    archive, is_new = builder.archive(force=force)
    if json:
        print_json({"archive": str(archive), "content": builder.content, "built": is_new})
    else:
        print(f"{archive} {'is built' if is_new else 'holds this content already; --force builds it anew'}.")


@app.command()
def push(
    *,
    tag: Annotated[
        list[str], typer.Option("--tag", help="Tag besides that of the content; may be given several times.")
    ] = [STAGING],  # noqa: B006 - Typer's way to give a list
    architecture: Processor = None,
    preview: Which = False,
    force: Force = False,
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Build the image and push it to the stack's registry; what is there already gets the tags alone.

    \b
    Examples:
      pullwright image push
      pullwright image push --tag latest --env staging
      pullwright image push --preview --tag latest
    """
    from pullwright_cli.imaging.building import Builder  # noqa: PLC0415 - as above
    from pullwright_cli.imaging.moving import checked  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_commands, print_json  # noqa: PLC0415 - as above

    tags = tuple(checked(name) for name in tag)
    root = Checkout.find(Path.cwd()).root
    stack, registry = _registry(target, preview=preview)
    chosen = architecture or stack.parameter("Architecture") or Architecture.ARM64
    builder = Builder(root, chosen, _stage(preview=preview))
    if dry_run:
        found = None if force else registry.find(builder.content)
        lines = [registry.tag_line(found, name) for name in tags] if found else []
        lines = lines or [builder.line(builder.push_variables(registry, tags))]
        print_commands(lines, as_json=json)
        return
    digest, is_new = builder.push(registry, tags, force=force)
    if json:
        print_json(
            {
                "repository": registry.uri,
                "digest": digest,
                "tags": [builder.content, *tags],
                "built": is_new,
            }
        )
        return
    how = "is pushed" if is_new else "was there already, and was not built again"
    print(f"{registry.uri}@{digest} {how}.\ntags  {', '.join([builder.content, *tags])}")


@app.command()
def validate(
    *,
    repo: Repository = "",
    issue: CanaryIssue = None,
    minutes: CanaryMinutes = 15,
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Say whether the image that `staging` points to works: one stub session runs in it, without a model.

    All other sessions run the release's own image meanwhile. `image promote` makes it everybody's.

    \b
    Examples:
      pullwright image validate --repo acme/sandbox --issue 1 && pullwright image promote --yes
      pullwright image validate --json | jq .image_digest
    """
    from pullwright_cli.deploying.canary import asked, planned  # noqa: PLC0415 - as above
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as above

    stack, registry = _registry(target, preview=False)
    start = planned(stack, repo or repository_of(Path.cwd()), issue, STAGING)
    if not dry_run:
        registry.digest(STAGING)
    if verdict := asked(start, minutes, what_became="Nothing was promoted.", dry_run=dry_run, as_json=json):
        ran = verdict.image_digest or "an image without a digest"
        print(f"{STAGING} works: session {verdict.session} succeeded, on {ran}.")


@app.command()
def promote(
    source: Annotated[str, typer.Argument(metavar="[TAG|DIGEST]", help="What has proven itself.")] = STAGING,
    *,
    to: Annotated[str, typer.Option("--to", help="The tag that is to point to it.")] = "latest",
    preview: Which = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Give an image another tag inside the registry, by its digest: the same bytes, nothing built anew.

    \b
    Examples:
      pullwright image promote
      pullwright image promote sha256:… --to latest --env prod --yes
    """
    from pullwright_cli.imaging.moving import promotion  # noqa: PLC0415 - as above

    stack, registry = _registry(target, preview=preview)
    _move(stack, registry, promotion(registry, source, to), dry_run=dry_run, yes=yes, as_json=json)


@app.command()
def rollback(
    tag: Annotated[str, typer.Argument(metavar="[TAG]", help="The tag that goes back.")] = "latest",
    *,
    preview: Which = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Point a tag to the image that it meant before the last promotion; twice is there and back.

    \b
    Example:
      pullwright image rollback --env prod
    """
    from pullwright_cli.imaging.moving import way_back  # noqa: PLC0415 - as above

    stack, registry = _registry(target, preview=preview)
    _move(stack, registry, way_back(registry, tag), dry_run=dry_run, yes=yes, as_json=json)


@app.command("list")
def list_images(
    *,
    preview: Which = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Show the registry's images; a star stands before the one that new sessions of the stack run.

    \b
    Example:
      pullwright image list --json | jq -r '.[0].digest'
    """
    from pullwright_cli.terminal import ago, print_json, print_table  # noqa: PLC0415 - as above

    _, registry = _registry(target, preview=preview)
    pinned, tag = registry.pinned, registry.run_tag
    rows = [
        {**image._asdict(), "is_run": image.digest == pinned if pinned else tag in image.tags}
        for image in registry.images()
    ]
    if json:
        print_json(rows)
        return
    print_table(
        ["", "digest", "MB", "pushed", "tags"],
        [
            (
                "*" if row["is_run"] else "",
                row["digest"],
                f"{row['size'] / 1e6:.0f}",
                ago(row["pushed_at"]),
                ", ".join(row["tags"]),
            )
            for row in rows
        ],
    )


def _stage(*, preview: bool) -> str:
    """Return the Dockerfile's stage."""
    return "preview" if preview else "agent"


def _registry(target: Target, *, preview: bool) -> tuple[Stack, Registry]:
    from pullwright_cli.imaging.registry import Registry  # noqa: PLC0415 - as above

    stack = target.stack()
    return stack, Registry.of(stack, _stage(preview=preview))


def _move(stack: Stack, registry: Registry, move: Move, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    from pullwright_cli.imaging.moving import carry_out  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_json  # noqa: PLC0415 - as above

    lines = [registry.tag_line(digest, tag) for digest, tag in move.steps]
    pinned = registry.pinned
    if not dry_run:
        if move.steps:
            confirm(f"Point {registry.uri}:{move.tag} to {move.digest}?", yes=yes)
        carry_out(registry, move)
    if as_json:
        print_json(
            {
                "repository": registry.uri,
                "tag": move.tag,
                "digest": move.digest,
                "before": move.before or None,
                "moved": bool(move.steps) and not dry_run,
                "commands": lines,
            }
        )
    elif dry_run:
        print("\n".join(lines) or f"{move.tag} points to {move.digest} already.")
    else:
        print(f"{registry.uri}:{move.tag} points to {move.digest}{'' if move.steps else ' already'}.")
    if pinned and pinned != move.digest:
        typer.echo(
            f"The stack {stack.name} stays with {pinned}, which its parameter AgentImageDigest names: "
            f"`pullwright deploy --image {move.tag}` changes that.",
            err=True,
        )

"""What moves a tag: promotion, and the way back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pullwright import errors
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from pullwright_cli.imaging.registry import Registry

# https://docs.docker.com/reference/cli/docker/image/tag/
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_BEFORE = "-previous"


class Move(NamedTuple):
    """A tag on its way from one image to another.

    Attributes:
        steps: digests and the tags that are to point to them, in order.
        before: digest that the tag pointed to; empty if there was no such tag.
    """

    tag: str
    digest: str
    before: str
    steps: tuple[tuple[str, str], ...]


def promotion(registry: Registry, source: str, tag: str) -> Move:
    """Return what points a tag to another one's image, the same bytes and nothing built anew.

    What the tag pointed to stays under the tag `<tag>-previous`. There is no step if it is there already.

    Args:
        source: a tag, or a digest.

    Raises:
        ImageMissing: there is no such image.
    """
    checked(tag)
    digest, before = registry.digest(source), registry.find(tag) or ""
    kept = ((before, f"{tag}{_BEFORE}"),) if before else ()
    return Move(tag, digest, before, () if digest == before else (*kept, (digest, tag)))


def way_back(registry: Registry, tag: str) -> Move:
    """Return what points a tag to what it pointed to before the last promotion; twice is there and back.

    Raises:
        ImageMissing: there is no such image, or it is the same.
    """
    checked(tag)
    now, before = registry.digest(tag), registry.find(f"{tag}{_BEFORE}")
    if before in (None, now):
        raise errors.ImageMissing(
            f"No image before {tag} is known.",
            remedy=f"Choose one of `pullwright image list`: `pullwright image promote DIGEST --to {tag}`.",
        )
    return Move(tag, str(before), now, ((str(before), tag), (now, f"{tag}{_BEFORE}")))


def carry_out(registry: Registry, move: Move) -> None:
    """Move the tags, when all images are found. Safe to repeat."""
    manifests = {digest: registry.manifest(digest) for digest, _ in move.steps}
    for digest, tag in move.steps:
        registry.tag(manifests[digest], tag)


def checked(tag: str) -> str:
    """Return a tag that a registry takes.

    Raises:
        CliError: it has another form.
    """
    if not _TAG.fullmatch(tag):
        raise CliError(f"{tag} is no tag: letters, digits, and _ . - after the first, 128 at most", 2)
    return tag

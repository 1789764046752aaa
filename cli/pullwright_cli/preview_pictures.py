"""Saves the screenshots of a preview on this machine, with the operator's own credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright import errors
from pullwright.previewing.screenshots import Screenshots, picture_key
from pullwright_cli.download import save
from pullwright_cli.session import Artifact

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright_cli.previews import Found


def save_pictures(found: Found, folder: Path) -> list[dict[str, str | None]]:
    """Save a preview's pictures in a folder of its own.

    Args:
        folder: in which that folder is made.

    Returns:
        For each page its path, where its picture is, and why there is none.

    Raises:
        NothingToDo: there are no pictures, not yet or not any more.
        NotSaved: a file could not be written; those before it are whole.
    """
    session = found.session
    s3, bucket = session.stack.client("s3"), session.stack.output("ArtifactsBucket")
    pages = Screenshots(s3, bucket).read(session.id)
    if not pages:
        raise errors.NothingToDo(
            f"There are no screenshots of {session.id}, or none any more.",
            remedy="Name pages in `preview.screenshots` of .pullwright/config.yaml on the default branch; "
            "pictures are taken once a preview is healthy.",
        )
    saved = []
    for number, page in enumerate(pages, 1):
        place = None
        if not page.problem:
            key = picture_key(session.id, number)
            size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
            [path] = save(session, [Artifact(f"{number}.png", key, size)], folder / session.id)
            place = str(path)
        saved.append({"path": page.path, "saved": place, "problem": page.problem or None})
    return saved

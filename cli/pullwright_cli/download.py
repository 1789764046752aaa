"""Saves a session's artifacts on this machine, each whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from pullwright import errors
from pullwright_cli.errors import CliError
from pullwright_cli.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pullwright_cli.session import Artifact, Session

_PART = 1024 * 1024


def chosen(session: Session, names: Sequence[str]) -> list[Artifact]:
    """Return artifacts of a session, all without names.

    Raises:
        SessionMissing: nobody knows the session.
        NothingToDo: it has left none yet.
        ArtifactsExpired: there are none any more.
        CliError: it has none of a name.
    """
    found = {artifact.name: artifact for artifact in session.artifact_list()}
    if not found:
        raise _none(session)
    for name in names:
        if name not in found:
            raise CliError(
                f"{session.id} has no artifact {plain(name)}: it has {', '.join(sorted(found))}", 2
            )
    return [found[name] for name in names or found]


def _none(session: Session) -> errors.PullwrightError:
    record = session.record()
    if record.is_missing:
        return errors.SessionMissing(f"There is no session {session.id} in this stack.")
    if record.is_open:
        return errors.NothingToDo(f"The session {session.id} has left nothing yet.")
    return errors.ArtifactsExpired(f"There is nothing of {session.id} in the bucket, or nothing any more.")


def save(session: Session, artifacts: Sequence[Artifact], folder: Path) -> list[Path]:
    """Save artifacts in a folder, which is made, and show how far it is.

    Returns:
        Where they are.

    Raises:
        NotSaved: a file could not be written; those before it are whole.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    saved = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for artifact in artifacts:
            task = progress.add_task(plain(artifact.name), total=artifact.size)
            path = _place(folder, artifact.name)
            _save(session, artifact, path, lambda size, task=task: progress.advance(task, size))  # type: ignore[misc] # bound now
            saved.append(path)
    return saved


def _place(folder: Path, name: str) -> Path:
    """Return where an artifact is saved: a task names some of them, and none may lie outside."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or not name.isprintable():
        raise errors.NotSaved(
            f"The artifact {name!r} has a name that leads out of {folder}.",
            remedy="Look at it with `aws s3 ls`; no runner writes such a name.",
        )
    return folder.joinpath(*parts)


def _save(session: Session, artifact: Artifact, path: Path, advance: Callable[[int], None]) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        body = session.stack.client("s3").get_object(
            Bucket=session.stack.output("ArtifactsBucket"), Key=artifact.key
        )["Body"]
        with contextlib.closing(body), part.open("wb") as file:
            while chunk := body.read(_PART):
                file.write(chunk)
                advance(len(chunk))
        part.replace(path)
    except OSError as error:
        raise errors.NotSaved(f"{path} could not be written: {error.strerror or error}.") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)

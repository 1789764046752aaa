"""Writes the one comment of a preview: found by its marker, or made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import FailureClass, PullwrightError
from pullwright.github.permissions import OPENING_REVIEW
from pullwright.log import logger
from pullwright.previewing.store import SERVING
from pullwright.previewing.texts import marker, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright.github.app import GitHubApp
    from pullwright.github.client import GitHubClient
    from pullwright.previewing.store import PreviewRecord, PreviewStore
    from pullwright.previewing.texts import Text


def write_comment(
    client: GitHubClient,
    repository: str,
    number: int,
    text: str,
    *,
    begin: str,
    bot_id: int,
    known: int | None,
) -> int:
    """Write the comment, in place of an earlier one; return its id.

    Args:
        begin: its marker.
        bot_id: of our own account: a comment of others that begins like ours is left alone.
        known: its id if it is known.
    """
    if known is not None and client.update_comment(repository, known, text):
        return known
    for comment in client.comments(repository, number):
        if comment.is_by(bot_id, begin) and client.update_comment(repository, comment.id, text):
            return comment.id
    return client.create_comment(repository, number, text).id


def siblings(store: PreviewStore, record: PreviewRecord) -> list[PreviewRecord]:
    """Return the other previews that have the same comment and have not ended."""
    others = map(store.read, store.holders() - {record.preview_id})
    return [other for other in others if other.is_open and other.has_comment_of(record)]


def tell_open(app: GitHubApp, store: PreviewStore, record: PreviewRecord, text: Text) -> None:
    """Write how a preview is that has not ended, as `tell` does.

    A function goes on when its execution is stopped, and may write over what was said of the end meanwhile:
    then the end is to be told once more.
    """
    try:
        tell(app, store, record, text)
    finally:
        if not store.read(record.preview_id).is_open:
            store.note_untold(record.preview_id, is_untold=True)


def tell(app: GitHubApp, store: PreviewStore, record: PreviewRecord, text: Text) -> None:
    """Write how a preview is, as its record says where.

    Raises:
        GitHubUnavailable, GitHubRateLimited: GitHub does not take it now; to be asked again.
    """
    if not record.preview_repository or record.pull_request is None:
        return
    try:
        client = app.client(record.preview_repository, OPENING_REVIEW, record.installation_id)
        show(client, store, record, text, bot_id=app.bot_id(client))
    except PullwrightError as error:
        if error.failure_class is FailureClass.TRANSIENT:
            raise
        # Such as an App that was taken off the repository, or a conversation that was locked.
        logger.warning("how the preview is cannot be said on GitHub", error=error.sentence)


def show(client: GitHubClient, store: PreviewStore, record: PreviewRecord, text: Text, *, bot_id: int) -> int:
    """Write how a preview is; return the comment's id.

    While an older one is served, or still starts when this one has ended, that one stays above: its record
    has what is said of this one, so that it is said again whenever that one is told.
    """
    begin = marker(is_of_session=bool(record.session))
    older = None if record.preview_status == SERVING else _kept(siblings(store, record), record)
    if older is not None and store.update_open(older.preview_id, {"news": text.news()}):
        body = text_of(older).comment(begin, text.news())
    else:
        body = text.comment(begin, record.news if record.is_open else "")
    return write_comment(
        *(client, record.preview_repository, record.pull_request or 0, body),
        begin=begin,
        bot_id=bot_id,
        known=record.comment_id,
    )


def _kept(others: Sequence[PreviewRecord], record: PreviewRecord) -> PreviewRecord | None:
    """Return the preview that the comment is about before all, if it is not this one."""
    wanted = [other for other in others if not other.withdrawn]
    served = [other for other in wanted if other.preview_status == SERVING]
    kept = served if served or record.is_open else wanted
    return max(kept, key=lambda other: other.started_at, default=None)

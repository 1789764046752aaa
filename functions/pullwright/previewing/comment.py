"""Writes the one comment of a preview: found by its marker, or made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import FailureClass, PullwrightError
from pullwright.github.permissions import OPENING_REVIEW
from pullwright.log import logger
from pullwright.previewing.texts import marker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.github.app import GitHubApp
    from pullwright.github.client import GitHubClient
    from pullwright.previewing.store import PreviewRecord, PreviewStore


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


def tell_open(
    app: GitHubApp, store: PreviewStore, record: PreviewRecord, render: Callable[[str], str]
) -> None:
    """Write how a preview is that has not ended, as `tell` does.

    A function goes on when its execution is stopped, and may write over what was said of the end meanwhile:
    then the end is to be told once more.
    """
    try:
        tell(app, record, render)
    finally:
        if not store.read(record.preview_id).is_open:
            store.note_untold(record.preview_id, is_untold=True)


def tell(app: GitHubApp, record: PreviewRecord, render: Callable[[str], str]) -> None:
    """Write how a preview is, as its record says where.

    Args:
        render: makes the text, given the marker that it begins with.

    Raises:
        GitHubUnavailable, GitHubRateLimited: GitHub does not take it now; to be asked again.
    """
    if not record.preview_repository or record.pull_request is None:
        return
    begin = marker(is_of_session=bool(record.session))
    try:
        client = app.client(record.preview_repository, OPENING_REVIEW, record.installation_id)
        write_comment(
            *(client, record.preview_repository, record.pull_request, render(begin)),
            begin=begin,
            bot_id=app.bot_id(client),
            known=record.comment_id,
        )
    except PullwrightError as error:
        if error.failure_class is FailureClass.TRANSIENT:
            raise
        # Such as an App that was taken off the repository, or a conversation that was locked.
        logger.warning("how the preview is cannot be said on GitHub", error=error.sentence)

"""Writes the one comment of a preview: found by its marker, or made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pullwright.github.client import GitHubClient


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

"""The files of one commit, through GitHub's database of git objects: only what is asked for is read.

https://docs.github.com/en/rest/git/trees and https://docs.github.com/en/rest/git/blobs
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from pydantic import Field

from pullwright.errors import GitHubRefused
from pullwright.github.payloads import Payload
from pullwright.repository.document import ConfigurationError
from pullwright.workers.source import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright.github.client import GitHubClient

# https://docs.github.com/en/rest/git/trees#create-a-tree names the modes.
_KINDS = {"040000": Kind.FOLDER, "160000": Kind.SUBMODULE, "120000": Kind.LINK}


class _TreeEntry(Payload):
    path: str
    mode: str
    sha: str
    size: int = 0


class _Listing(Payload):
    tree: tuple[_TreeEntry, ...]
    truncated: bool = False


class _Blob(Payload):
    content: str = Field(repr=False)
    encoding: str


class CommitFiles:
    """The files of a commit; see `pullwright.workers.source.Source`.

    Args:
        commit: full hash.
    """

    def __init__(self, client: GitHubClient, repository: str, commit: str) -> None:
        self._client = client
        self._repository = repository
        self._commit = commit
        self._listings: dict[str, dict[str, Entry]] = {}

    def root(self) -> Entry:
        """Return the root, which GitHub gives by the commit's own hash."""
        return Entry("", Kind.FOLDER, key=self._commit)

    def entries(self, folder: Entry) -> Mapping[str, Entry]:
        """Return what a folder holds.

        Raises:
            ConfigurationError: it holds more than GitHub lists.
        """
        if folder.key not in self._listings:
            self._listings[folder.key] = self._list(folder)
        return self._listings[folder.key]

    def read(self, entry: Entry) -> bytes:
        """Return a file's content.

        Raises:
            GitHubRefused: it came in a form that GitHub does not document.
        """
        what = "read a file"
        path = f"/repos/{self._repository}/git/blobs/{entry.key}"
        blob = self._client.get(path, what, _Blob, [self._commit])
        try:
            # Its lines are broken, which is no base64 in the strict sense.
            return base64.b64decode("".join(blob.content.split()), validate=blob.encoding == "base64")
        except binascii.Error:
            raise GitHubRefused(f"GitHub did not answer in base64 when asked to {what}.") from None

    def _list(self, folder: Entry) -> dict[str, Entry]:
        path = f"/repos/{self._repository}/git/trees/{folder.key}"
        listing = self._client.get(path, "list a folder", _Listing, [self._commit])
        prefix = f"{folder.path}/" if folder.path else ""
        entries = {
            it.path: Entry(f"{prefix}{it.path}", _KINDS.get(it.mode, Kind.FILE), it.size, it.sha)
            for it in listing.tree
        }
        # Of the root, GitHub lists in git's order, in which our folder stands before nearly everything.
        if listing.truncated and folder.path:
            raise ConfigurationError(f"the folder {folder.path} holds more than GitHub lists")
        return entries

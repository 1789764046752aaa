"""Addresses and GraphQL node ids."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from github_standin.records import Repository

_HEADER = struct.Struct(">BQ")
# What RFC 3986 lets a path hold as it is; GitHub does so with the label `:bug: Bugfix` in the payloads of
# `@octokit/webhooks-examples`.
_KEPT = "/:@!$&'()*+,;="


@dataclass(frozen=True)
class Links:
    """The stand-in's own addresses.

    Args:
        root: such as `http://127.0.0.1:4000`, without a slash at the end.
    """

    root: str

    @property
    def api(self) -> str:
        """Root of the REST API."""
        return f"{self.root}/api/v3"

    @property
    def files(self) -> str:
        """Root of files, which GitHub keeps on other hosts: another name of this machine."""
        return self.root.replace("//127.0.0.1", "//localhost", 1)

    @property
    def noreply(self) -> str:
        """The domain of no-reply mail addresses, as on an Enterprise Server."""
        return f"users.noreply.{urlsplit(self.root).hostname}"

    def repo(self, repository: Repository, path: str = "") -> str:
        """Return the API's address of a repository, or of something below it."""
        return f"{self.api}/repos/{repository.full_name}{path}"

    def page(self, repository: Repository, path: str = "") -> str:
        """Return the web address of a repository, or of something below it."""
        return f"{self.root}/{repository.full_name}{path}"


def escape(name: str) -> str:
    """Return a name as part of an address, with its slashes.

    Recorded answers of GitHub show it: `ö` in a path is `%C3%B6`
    (https://github.com/hub4j/github-api/pull/804), `%` is `%25`
    (https://github.com/octokit/octokit.rb/issues/1128).
    """
    return quote(name, safe=_KEPT)


def node_id(prefix: str, number: int) -> str:
    """Return a GraphQL id in GitHub's newer form: a prefix, an underscore, and something opaque."""
    data = base64.urlsafe_b64encode(_HEADER.pack(0x92, number)).decode().rstrip("=")
    return f"{prefix}_kwDO{data}"


def parse_node_id(text: str) -> tuple[str, int] | None:
    """Return prefix and number of a GraphQL id, or None if it is none of ours."""
    prefix, separator, rest = text.partition("_kwDO")
    try:
        kind, number = _HEADER.unpack(base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4)))
    except (ValueError, struct.error):
        return None
    return (prefix, number) if separator and kind == 0x92 else None  # noqa: PLR2004 - the mark that node_id writes

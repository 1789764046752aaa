"""One bare repository: reading and changing refs, commits, trees and blobs.

What is only looked up is read with libgit2: a request looks up dozens of refs and objects, and a process for
each took most of its time. What changes refs, walks histories or compares is left to git itself.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import pygit2
from pygit2.enums import FileMode, ObjectType, RepositoryOpenFlag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

ZERO = "0" * 40
_ABSENT = (pygit2.GitError, KeyError, ValueError)
"""What libgit2's binding raises for names and hashes that are wrong, or name nothing."""
_SHA_LENGTH = 40
_FORBIDDEN = ("", ".", "..", ".git")
_DATE = "format-local:%Y-%m-%dT%H:%M:%SZ"
_FIELDS = "%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%ad%x1f%cn%x1f%ce%x1f%cd%x1f%B%x1e"


_LOG = (f"--format={_FIELDS}", f"--date={_DATE}")


@dataclass(frozen=True)
class Signature:
    """An author or committer with the time of a commit; `date` is ISO 8601."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """One commit."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class TreeEntry:
    """One line of a tree; `size` is bytes, for blobs only."""

    mode: str
    type: str
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True)
class TreeChange:
    """One path to set in a new tree, or to remove when `sha` is None."""

    path: str
    mode: str
    sha: str | None


class GitRepository:
    """A bare repository on disk."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.path = path
        self._environment = environment
        # What is asked about full hashes has one answer for ever; an error is asked again.
        self.run_fixed = lru_cache(maxsize=1_024)(self._run_fixed)

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git here and return what it printed.

        Raises:
            subprocess.CalledProcessError: git exited with an error.
        """
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**self._environment, "GIT_DIR": str(self.path), **(extra or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            check=True,
        )
        return done.stdout

    def _run_fixed(self, *arguments: str) -> bytes:
        return self.run(*arguments)

    @cached_property
    def _stored(self) -> pygit2.Repository:
        return pygit2.Repository(str(self.path), RepositoryOpenFlag.NO_SEARCH | RepositoryOpenFlag.BARE)

    # Refs

    def has_ref_above_or_below(self, name: str) -> bool:
        """Tell whether git cannot have a ref because another takes its place as a folder or a file."""
        parts = name.split("/")
        above = ("/".join(parts[:end]) for end in range(3, len(parts)))
        return bool(self.refs(f"{name}/")) or any(self.ref(higher) is not None for higher in above)

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Return refs below a prefix (a folder) by full name, each with the object it points to."""
        names = sorted(name for name in self._stored.references if name.startswith(prefix))
        return {name: sha for name in names if (sha := self.ref(name)) is not None}

    def ref(self, name: str) -> str | None:
        """Return the object that a full ref name points to, or None."""
        try:
            return str(self._stored.lookup_reference(name).resolve().target)
        except _ABSENT:
            return None

    def branch(self, name: str) -> str | None:
        """Return a branch's head, or None."""
        return self.ref(f"refs/heads/{name}")

    def is_valid_ref(self, name: str) -> bool:
        """Tell whether git accepts a full ref name."""
        return _is_valid_ref(name)

    def set_ref(self, name: str, sha: str) -> None:
        """Create or move a ref."""
        self.run("update-ref", name, sha)

    def delete_ref(self, name: str) -> None:
        """Delete a ref."""
        self.run("update-ref", "-d", name)

    def set_head(self, branch: str) -> None:
        """Make a branch the default one."""
        self.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    # Commits

    def is_empty(self) -> bool:
        """Tell whether there is no commit on any branch."""
        return not self.refs()

    def type_of(self, sha: str) -> str | None:
        """Return the type of the object with this full hash, or None."""
        if len(sha) != _SHA_LENGTH:
            return None
        try:
            return self._stored[sha].type_str
        except _ABSENT:
            return None

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch, tag or hash names (branches first, as GitHub does), or None."""
        for candidate in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            try:
                return str(self._stored.revparse_single(f"{candidate}^{{commit}}").id)
            except _ABSENT:
                continue
        return None

    def log(self, *arguments: str) -> list[Commit]:
        """Return the commits that `git log` gives for these arguments, newest first."""
        return _commits(self.run("log", *_LOG, *arguments))

    def commit(self, sha: str) -> Commit:
        """Return the commit with this full hash, or that a tag of this hash points to."""
        found = self._stored[sha].peel(pygit2.Commit)
        return Commit(
            sha=str(found.id),
            tree=str(found.tree_id),
            parents=tuple(map(str, found.parent_ids)),
            author=_signature(found.author),
            committer=_signature(found.committer),
            message=found.raw_message.decode(errors="replace").rstrip("\n"),
        )

    def tree_of(self, sha: str) -> str:
        """Return the tree of a commit, or the tree itself; both by full hash."""
        return str(self._stored[sha].peel(pygit2.Tree).id)

    def count(self, base: str, head: str) -> int:
        """Return how many commits one has that the other has not; both are full hashes."""
        return self._stored.ahead_behind(head, base)[0]

    def merge_base(self, commit: str, other: str) -> str | None:
        """Return the best common ancestor of two full hashes, or None."""
        try:
            found = self._stored.merge_base(commit, other)
        except _ABSENT:
            return None
        return None if found is None else str(found)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether one commit is reachable from another; both are full hashes."""
        return self.merge_base(older, newer) == older

    def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        author: Signature,
        committer: Signature,
        *,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> str:
        """Write a commit and return its hash."""
        who = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": author.date,
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.date,
        }
        flags = [flag for parent in parents for flag in ("-p", parent)]
        sha = self.run("commit-tree", tree, *flags, stdin=message.encode(), extra=who).decode().strip()
        if sign is None:
            return sha
        signed = sign(self.raw_commit(sha))
        return str(self._stored.write(ObjectType.COMMIT, signed))

    def raw_commit(self, sha: str) -> bytes:
        """Return a commit as git keeps it."""
        return self._stored[sha].read_raw()

    # Trees and blobs

    def entries(self, tree: str, path: str = "", *, recursive: bool = False) -> list[TreeEntry]:
        """Return a tree's lines, or those that a path names (with a slash at the end: inside that folder).

        Args:
            tree: its full hash, or that of a commit.
            recursive: with what is inside of its folders.
        """
        found = self._stored[tree].peel(pygit2.Tree)
        if not path:
            return self._below(found, "", recursive=recursive)
        try:
            entry = found[path.rstrip("/")]
        except KeyError:
            return []
        if not path.endswith("/"):
            return [_entry(entry, path)]
        return self._below(entry, path, recursive=recursive) if isinstance(entry, pygit2.Tree) else []

    def _below(self, tree: pygit2.Tree, folder: str, *, recursive: bool) -> list[TreeEntry]:
        lines = []
        for entry in tree:
            path = folder + (entry.raw_name or b"").decode(errors="replace")
            lines.append(_entry(entry, path))
            if recursive and isinstance(entry, pygit2.Tree):
                lines += self._below(entry, f"{path}/", recursive=True)
        return lines

    def blob(self, sha: str) -> bytes:
        """Return a blob's content."""
        return self._stored[sha].read_raw()

    def write_blob(self, content: bytes) -> str:
        """Write a blob and return its hash."""
        return str(self._stored.create_blob(content))

    def write_tree(self, changes: Sequence[TreeChange], base: str | None = None) -> str:
        """Write a tree, from a base tree if given, and return its hash.

        Raises:
            ValueError: a path is not valid.
        """
        for change in changes:
            if any(part.lower() in _FORBIDDEN for part in change.path.split("/")):
                raise ValueError(change.path)
        index = pygit2.Index()
        if base is not None:
            index.read_tree(self._stored[base].peel(pygit2.Tree))
        for change in changes:
            if change.sha is not None:
                index.add(
                    pygit2.IndexEntry(change.path, pygit2.Oid(hex=change.sha), FileMode(int(change.mode, 8)))
                )
            elif change.path in index:
                index.remove(change.path)
        return str(index.write_tree(self._stored))


@lru_cache(maxsize=4_096)
def _is_valid_ref(name: str) -> bool:
    # A name may have what no argument can: a null byte, or a surrogate.
    try:
        return subprocess.run(["git", "check-ref-format", name], check=False).returncode == 0
    except ValueError:
        return False


def _signature(found: pygit2.Signature) -> Signature:
    return Signature(
        found.raw_name.decode(errors="replace"),
        found.raw_email.decode(errors="replace"),
        f"{datetime.fromtimestamp(found.time, UTC):%Y-%m-%dT%H:%M:%SZ}",
    )


def _entry(entry: pygit2.Object, path: str) -> TreeEntry:
    size = entry.size if isinstance(entry, pygit2.Blob) else None
    return TreeEntry(f"{entry.filemode:06o}", entry.type_str, str(entry.id), size, path)


def _commits(output: bytes) -> list[Commit]:
    blocks = output.decode(errors="replace").split("\x1e")
    return [_commit(block.lstrip("\n")) for block in blocks if block.strip("\n")]


def _commit(block: str) -> Commit:
    sha, tree, parents, an, ae, ad, cn, ce, cd, message = block.split("\x1f", 9)
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=Signature(an, ae, ad),
        committer=Signature(cn, ce, cd),
        message=message.rstrip("\n"),
    )

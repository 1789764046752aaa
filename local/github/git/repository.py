"""One bare repository: reading and changing refs, commits, trees and blobs."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ZERO = "0" * 40
_SHA_LENGTH = 40
_FORBIDDEN = ("", ".", "..", ".git")
_DATE = "format-local:%Y-%m-%dT%H:%M:%SZ"
_FIELDS = "%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%ad%x1f%cn%x1f%ce%x1f%cd%x1f%B%x1e"


_LOG = (f"--format={_FIELDS}", f"--date={_DATE}")


@dataclass(frozen=True)
class Signature:
    """Who and when, as it stands in a commit; `date` is ISO 8601."""

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
    """A bare repository on disk.

    Args:
        path: its folder.
        environment: for every git process.
    """

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

    def _text(self, *arguments: str) -> str:
        return self.run(*arguments).decode(errors="replace")

    def _try(self, *arguments: str, fixed: bool = False) -> str | None:
        try:
            return (self.run_fixed if fixed else self.run)(*arguments).decode(errors="replace").strip()
        except subprocess.CalledProcessError:
            return None

    # Refs

    def has_ref_above_or_below(self, name: str) -> bool:
        """Tell whether git cannot have a ref because another takes its place as a folder or a file."""
        parts = name.split("/")
        above = ("/".join(parts[:end]) for end in range(3, len(parts)))
        return bool(self.refs(f"{name}/")) or any(self.ref(higher) is not None for higher in above)

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Return refs below a prefix by full name, each with the object it points to."""
        lines = self._text("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return {name: sha for name, _, sha in (line.rpartition(" ") for line in lines)}

    def ref(self, name: str) -> str | None:
        """Return the object that a full ref name points to, or None."""
        return self._try("rev-parse", "--verify", "--quiet", "--end-of-options", name)

    def branch(self, name: str) -> str | None:
        """Return a branch's head, or None."""
        return self.ref(f"refs/heads/{name}")

    def is_valid_ref(self, name: str) -> bool:
        """Tell whether git accepts a full ref name."""
        return self._try("check-ref-format", name) is not None

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
        return not self._text("for-each-ref", "--count=1", "refs/heads/")

    def type_of(self, sha: str) -> str | None:
        """Return the type of the object with this full hash, or None."""
        return self._try("cat-file", "-t", sha, fixed=True) if len(sha) == _SHA_LENGTH else None

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch, tag or hash names (branches first, as GitHub does), or None."""
        for candidate in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            found = self._try(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}"
            )
            if found:
                return found
        return None

    def log(self, *arguments: str) -> list[Commit]:
        """Return the commits that `git log` gives for these arguments, newest first."""
        return _commits(self.run("log", *_LOG, *arguments))

    def commit(self, sha: str) -> Commit:
        """Return the commit with this full hash."""
        return _commits(self.run_fixed("log", *_LOG, "-1", "--end-of-options", sha))[0]

    def count(self, base: str, head: str) -> int:
        """Return how many commits one has that the other has not; both are full hashes."""
        return int(self.run_fixed("rev-list", "--count", "--end-of-options", f"{base}..{head}"))

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two full hashes, or None."""
        return self._try("merge-base", one, other, fixed=True)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether one commit is reachable from another; both are full hashes."""
        return self._try("merge-base", "--is-ancestor", older, newer, fixed=True) is not None

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
        """Write a commit and return its hash.

        Args:
            tree: what it holds.
            parents: what it follows.
            message: its whole message.
            author: who wrote it.
            committer: who made the commit.
            sign: makes a signed commit of a raw one.
        """
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
        return self.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed).decode().strip()

    def raw_commit(self, sha: str) -> bytes:
        """Return a commit as git keeps it."""
        return self.run_fixed("cat-file", "commit", sha)

    # Trees and blobs

    def entries(self, tree: str, *paths: str, recursive: bool = False) -> list[TreeEntry]:
        """Return a tree's lines; paths narrow them (with a slash at the end: inside that folder)."""
        flags = ["-r", "-t"] if recursive else []
        text = self._text("ls-tree", "-z", "-l", *flags, "--end-of-options", tree, *paths)
        found = []
        for line in text.split("\0"):
            if line:
                facts, path = line.split("\t", 1)
                mode, kind, sha, size = facts.split()
                found.append(TreeEntry(mode, kind, sha, None if size == "-" else int(size), path))
        return found

    def blob(self, sha: str) -> bytes:
        """Return a blob's content."""
        return self.run("cat-file", "blob", sha)

    def write_blob(self, content: bytes) -> str:
        """Write a blob and return its hash."""
        return self.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def write_tree(self, changes: Sequence[TreeChange], base: str | None = None) -> str:
        """Write a tree, from a base tree if given, and return its hash.

        Raises:
            ValueError: a path is not valid.
        """
        # update-index only warns about such a path, and leaves it out.
        for change in changes:
            if any(part.lower() in _FORBIDDEN for part in change.path.split("/")):
                raise ValueError(change.path)
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.run("read-tree", base or "--empty", extra=index)
            lines = [f"{c.mode if c.sha else '0'} {c.sha or ZERO}\t{c.path}\0" for c in changes]
            self.run("update-index", "-z", "--index-info", stdin="".join(lines).encode(), extra=index)
            return self.run("write-tree", extra=index).decode().strip()


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

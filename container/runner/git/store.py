"""The objects of the runner's own repository: everything here works without network and without a token."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.github.holding import is_held
from runner.git.command import environment, run
from runner.git.tree import ABSENT, GITLINK, SYMLINK, Change, above, parse_changes, parse_numstat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from pullwright.models import GitIdentity

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Head:
    """Where the branch stood when the session began: hashes of the commit and of its tree."""

    commit: str
    tree: str


class Store:
    """A bare repository in a folder that only the runner's user enters."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Of trees, which never change: the branch's is asked for again and again.
        self._listings: dict[str, list[tuple[str, str, str]]] = {}

    def head(self, ref: str = "HEAD") -> Head:
        """Read where `HEAD` or another ref stands."""
        commit, tree = self._git("rev-parse", f"{ref}^{{commit}}", f"{ref}^{{tree}}").decode().split()
        return Head(commit, tree)

    def parents(self, ref: str) -> list[str]:
        """Return the hashes of a commit's parents."""
        return self._git("rev-parse", f"{ref}^@").decode().split()

    def merge_base(self, first: str, second: str) -> str | None:
        """Return the commit in which two histories part; None if they have none in common."""
        done = run("merge-base", first, second, cwd=self.folder, accept=(0, 1))
        return done.out.decode().strip() or None

    def lacks(self, commit: str, ref: str) -> str | None:
        """Return the commit that a ref points to, if another commit's history is without it."""
        return self._git("rev-list", "--max-count=1", ref, f"^{commit}").decode().strip() or None

    def session_of(self, commit: str) -> str:
        """Return the session that a commit's trailer names; empty if there is none."""
        form = "--format=%(trailers:key=Pullwright-Session,valueonly)"
        return self._git("log", "-1", form, commit).decode(errors="replace").strip()

    def is_held(self, commit: str) -> bool:
        """Return whether a commit keeps workflows from running."""
        return is_held(self._git("log", "-1", "--format=%B", commit).decode(errors="replace"))

    def entries(self, tree: str) -> list[tuple[str, str]]:
        """Return mode and hash of every file, link and submodule in a tree."""
        listed = self._git("ls-tree", "-r", "-z", tree).decode(errors="surrogateescape")
        fields = [entry.split("\t", 1)[0].split(" ") for entry in listed.split("\0") if entry]
        return [(mode, name) for mode, _, name in fields]

    def find(self, tree: str, *paths: str) -> list[tuple[str, str, str]]:
        """Path, mode and hash of what stands at or below some paths; of everything if none are given.

        Args:
            tree: hash of a tree or commit, or a ref.
            paths: from the root; no patterns.
        """
        if not paths and tree in self._listings:
            return list(self._listings[tree])
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", tree, "--", *paths)
        found: list[tuple[str, str, str]] = []
        for entry in listed.decode(errors="surrogateescape").split("\0")[:-1]:
            meta, _, path = entry.partition("\t")
            mode, _, name = meta.split(" ")
            found.append((path, mode, name))
        if not paths and _HASH.fullmatch(tree):
            self._listings = {**dict(list(self._listings.items())[-1:]), tree: found}
        return list(found)

    def files(self, tree: str) -> dict[str, str]:
        """Hashes of a tree's files by path, without links and submodules."""
        return {path: name for path, mode, name in self.find(tree) if mode not in {SYMLINK, GITLINK}}

    def graft(self, tree: str, source: str, chosen: Callable[[str], bool]) -> str:
        """Make a tree in which some paths are as another tree has them; nothing else changes.

        Args:
            chosen: whether a path is taken from there. One that is not there is removed.

        Returns:
            Hash of the new tree.
        """
        entries = {path: (mode, name) for path, mode, name in self.find(source) if chosen(path)}
        return self.replace(tree, entries, chosen)

    def replace(self, tree: str, new: Mapping[str, tuple[str, str]], chosen: Callable[[str], bool]) -> str:
        """Make a tree in which some paths are replaced; nothing else changes.

        Args:
            new: modes and hashes of what the chosen paths become.
            chosen: whether a path is taken from there. One that is not there is removed.

        Returns:
            Hash of the new tree.
        """
        old = {path: (mode, name) for path, mode, name in self.find(tree)}
        removed = {path: (ABSENT, name) for path, (_, name) in old.items() if chosen(path)}
        staying = old.keys() - removed.keys()
        # A folder of the one may be a file of the other: then the file, which is not chosen, stays.
        fitting = {path: entry for path, entry in new.items() if staying.isdisjoint(above(path))}
        lines = [
            f"{mode} {name}\t{path}\0"
            for entries in (removed, fitting)
            for path, (mode, name) in sorted(entries.items())
        ]
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            env = environment(extra={"GIT_INDEX_FILE": f"{folder}/index"})
            run("read-tree", tree, cwd=self.folder, env=env)
            stdin = "".join(lines).encode(errors="surrogateescape")
            run("update-index", "-z", "--index-info", cwd=self.folder, env=env, stdin=stdin)
            return run("write-tree", "--missing-ok", cwd=self.folder, env=env).out.decode().strip()

    def share_objects(self, folder: Path) -> None:
        """Make what was cloned readable to the agent's user, who cannot write it.

        The files are linked, not copied: they belong to the runner's user and are read-only. They hold what
        the branch holds, and no configuration.

        Args:
            folder: where; it must not exist yet.
        """
        source = self.folder / "objects"
        for parent, _, names in os.walk(source):
            target = folder / os.path.relpath(parent, source)
            target.mkdir()
            target.chmod(0o755)
            for name in names:
                (target / name).hardlink_to(f"{parent}/{name}")

    def receive(self, pack: Path) -> None:
        """Take a pack in, after checking every object in it.

        A pack is what `git bundle` carries, without its header. Git before 2.46 does not check objects that
        come from a bundle; `index-pack --strict` always does.

        Args:
            pack: a thin pack on top of the branch's head.

        Raises:
            GitError: an object is broken, forbidden or missing.
        """
        with pack.open("rb") as stream:
            self._git("index-pack", "--stdin", "--fix-thin", "--strict", stdin=stream)

    def changes(self, old: str, new: str) -> list[Change]:
        """Return what differs between two trees."""
        return parse_changes(
            self._git("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new)
        )

    def count_lines(self, old: str, new: str) -> tuple[int, int]:
        """Lines added and deleted between two trees; binary files count as none."""
        return parse_numstat(self._git("diff-tree", "-r", "-z", "--numstat", "--no-renames", old, new))

    def sizes(self, blobs: list[str]) -> dict[str, int]:
        """Sizes of blobs in bytes, by hash."""
        listed = self._git(
            "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin="\n".join(blobs).encode()
        )
        return {name: int(size) for name, size in (line.split() for line in listed.decode().splitlines())}

    def blob(self, name: str) -> bytes:
        """Return the content of one blob."""
        return self._git("cat-file", "blob", name)

    def blobs(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the contents of several blobs, one after the other, by hash."""
        if not names:
            return
        with tempfile.TemporaryFile(dir=self.folder) as stream:
            run("cat-file", "--batch", cwd=self.folder, stdin="\n".join(names).encode(), out=stream)
            stream.seek(0)
            for name in names:
                # https://git-scm.com/docs/git-cat-file#_batch_output: header, content, line end.
                size = int(stream.readline().split()[2])
                yield name, stream.read(size)
                stream.read(1)

    def holding(self, tree: str, patterns: Sequence[str], should_stop: Callable[[], bool]) -> list[str]:
        """Return the hashes of a tree's files in which a line matches a pattern, whatever its case.

        Args:
            tree: hash of the tree.
            patterns: POSIX's extended regular expressions.
            should_stop: asked several times a second.

        Raises:
            GitError: it was stopped.
        """
        options = ("-l", "-z", "-i", "--text", "--extended-regexp", "--full-name", "-f", "-")
        stdin = "".join(f"{text}\n" for text in patterns).encode()
        done = run(
            "grep", *options, tree, cwd=self.folder, stdin=stdin, accept=(0, 1), should_stop=should_stop
        )
        names = done.out.decode(errors="surrogateescape").split("\0")[:-1]
        paths = {name.removeprefix(f"{tree}:") for name in names}
        return sorted({name for path, _, name in self.find(tree) if path in paths})

    def matching(self, tree: str, patterns: Sequence[str]) -> list[str]:
        """Return the paths of a tree's files in which a line matches one of these extended expressions."""
        words = [word for pattern in patterns for word in ("-e", pattern)]
        options = ("-l", "-z", "--text", "--extended-regexp", "--full-name")
        done = run("grep", *options, *words, tree, cwd=self.folder, accept=(0, 1))
        names = done.out.decode(errors="surrogateescape").split("\0")[:-1]
        return [name.removeprefix(f"{tree}:") for name in names]

    def write_diff(self, old: str, new: str, path: Path, *, for_reading: int | None = None) -> None:
        """Write the difference between two trees as a patch that `git apply` takes.

        Args:
            for_reading: of binary files, and of those with more bytes, nothing but that they differ.
        """
        whole = ("--binary", "--full-index") if for_reading is None else ()
        settings = {} if for_reading is None else {"core.bigFileThreshold": str(for_reading)}
        options = ("-r", "-p", *whole, "-M", "--no-ext-diff", "--no-textconv")
        with path.open("wb") as stream:
            run("diff-tree", *options, old, new, cwd=self.folder, env=environment(settings), out=stream)

    def commit(
        self, tree: str, *, parent: str, message: str, author: GitIdentity, merged: str | None = None
    ) -> str:
        """Make a commit, without index, hook or template, and return its hash.

        Args:
            merged: a second parent.
        """
        parents = [word for name in (parent, merged) if name for word in ("-p", name)]
        identity = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (("NAME", author.name), ("EMAIL", author.email))
        }
        done = run(
            *("commit-tree", tree, *parents, "-F", "-"),
            cwd=self.folder,
            env=environment(extra=identity),
            stdin=message.encode(),
        )
        return done.out.decode().strip()

    def _git(self, *arguments: str, stdin: bytes | IO[bytes] = b"") -> bytes:
        return run(*arguments, cwd=self.folder, stdin=stdin).out

"""A workspace: a clone for the agent, or for the checks of its work, without credential and without remote.

It has the branch's whole history of commits and the files of its head; contents that only older commits have
are missing (`git log` works, `git log -p` of old changes does not), because the runner clones partially.

What the agent leaves is collected by git as the agent's user, but never with the agent's own `.git`: a fresh
one with the index as it was before the agent began looks at the same files. So no configuration, hook,
filter, flag or lock that the agent left has a say, and a broken `.git` loses no work.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pullwright.errors import InternalError, PushRefused
from runner.git.command import GitError, environment, run
from runner.log import logger
from runner.user import search_path

if TYPE_CHECKING:
    from pullwright.models import GitIdentity
    from runner.git.merging import Merge
    from runner.git.store import Head
    from runner.user import User

MAX_PACK_BYTES = 1 << 30
_GITLINK = b"160000 "
_SOME_FAILED = 1
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Collected:
    """What the agent left.

    Attributes:
        tree: hash of the whole tree.
        pack: the objects that the runner's repository lacks.
    """

    tree: str
    pack: Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of one user.

    Attributes:
        home: the user's home, outside of the work tree.
        objects: what was cloned, readable and not writable for the user.
    """

    folder: Path
    home: Path
    scratch: Path
    objects: Path
    private: Path
    user: User

    @classmethod
    def create(
        cls,
        root: Path,
        private: Path,
        *,
        name: str,
        user: User,
        role: str = "agent",
        objects: str = "objects",
    ) -> Workspace:
        """Make the folders.

        Args:
            root: where they are made; the user must be able to reach it.
            name: the repository's, which names the work tree's folder.
            role: names the folder that holds them all.
            objects: name of the folder in `root` to which the store's objects were shared.

        Raises:
            InternalError: the user cannot reach the folder.
        """
        own = user.make_folder(root / role)
        made = cls(
            folder=user.make_folder(own / (name.lstrip(".") or "repository")),
            home=user.make_folder(own / ".home"),
            scratch=user.make_folder(own / ".tmp"),
            objects=root / objects,
            private=private,
            user=user,
        )
        try:
            # By its whole path, as the agent will come: being started inside would prove nothing.
            run("-C", str(made.folder), "version", cwd=root, user=user)
        except (OSError, GitError) as error:
            raise InternalError(
                f"The user of the {role} cannot work in WORK_DIR.",
                remedy="WORK_DIR and the folders above it must let other users pass.",
            ) from error
        return made

    def environment(self, user_name: str) -> dict[str, str]:
        """Return the environment of a program that works here; of the runner's own it has PATH only.

        Args:
            user_name: what programs take for their user's name.
        """
        return {
            "PATH": search_path(),
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "USER": user_name,
            "LOGNAME": user_name,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "CI": "true",
            # There is no remote; without this, a git that wants one would wait for somebody to type.
            "GIT_TERMINAL_PROMPT": "0",
            **self.user.variables,
        }

    def check_out(self, head: Head, branch: str, identity: GitIdentity) -> None:
        """Make the repository and its files as the workspace's user.

        Args:
            identity: who stands in commits that are made in the workspace.
        """
        run("init", "--quiet", "--template=", cwd=self.folder, user=self.user)
        alternates = self.folder / ".git/objects/info/alternates"
        alternates.parent.mkdir(exist_ok=True)
        self.user.own(alternates.parent)
        alternates.write_text(f"{self.objects}\n")
        self.user.own(alternates)
        ref = f"refs/heads/{branch}"
        for command in (
            ("update-ref", ref, head.commit),
            ("symbolic-ref", "HEAD", ref),
            ("reset", "--hard", "--quiet"),
            ("config", "gc.auto", "0"),
            ("config", "user.name", identity.name),
            ("config", "user.email", identity.email),
        ):
            run(*command, cwd=self.folder, user=self.user)

    def remember_index(self) -> None:
        """Keep the index as it is now, before the agent begins: `collect` looks for changes since then."""
        # With its time: git compares the contents of files as young as the index, and must go on doing so.
        shutil.copy2(self.folder / ".git/index", self._index)
        if run("diff-files", "--name-only", cwd=self.folder, user=self.user).out:
            self._outlive_the_second()

    def put_in(self, tree: str) -> None:
        """Bring files and index to a tree, as a merge that is not committed does.

        Args:
            tree: its hash; its objects were shared with the agent.
        """
        run("read-tree", "-m", "-u", "HEAD", tree, cwd=self.folder, user=self.user)

    def put_back(self, tree: str, over: str = "HEAD") -> None:
        """Bring the files to an earlier state of the work; for git they are changes that nobody has added.

        Args:
            tree: hash of the whole tree, whose objects were shared with the agent.
            over: what files and index are at.
        """
        for command in (("read-tree", "-m", "-u", over, tree), ("read-tree", over)):
            run(*command, cwd=self.folder, user=self.user)

    def mark_conflicts(self, merge: Merge) -> None:
        """Let git know of a merge under way, so that it names and shows the conflicts.

        https://git-scm.com/docs/git-merge#_how_conflicts_are_presented
        """
        absent = "0" * len(merge.tree)
        removed = [f"0 {absent}\t{path}" for path in merge.conflicts]
        entries = "".join(f"{entry}\0" for entry in (*removed, *merge.stages))
        stdin = entries.encode(errors="surrogateescape")
        run("update-index", "-z", "--index-info", cwd=self.folder, user=self.user, stdin=stdin)
        run("update-ref", "MERGE_HEAD", merge.base.commit, cwd=self.folder, user=self.user)

    def untracked(self) -> frozenset[bytes]:
        """Paths that are new to git and not ignored; a folder of new files alone stands for them."""
        options = ("--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z")
        listed = run("ls-files", *options, cwd=self.folder, user=self.user).out
        return frozenset(listed.split(b"\0")[:-1])

    def leave_out(self, paths: frozenset[bytes]) -> None:
        """Leave some paths out of what is collected: they are not the agent's work.

        Args:
            paths: as from `untracked`.
        """
        self._left_out.write_bytes(b"".join(path + b"\0" for path in sorted(paths)))

    def collect(self, head: Head) -> Collected | None:
        """Take what is in the workspace, while the agent works or when all of its processes have ended.

        Nothing that is said by a process of the agent's user is believed: the tree and its pack are data,
        which the runner's repository checks.

        Returns:
            The new tree, or None if it is the old one.

        Raises:
            PushRefused: there is too much of it.
            GitError: git failed.
        """
        git_dir = self._fresh_git_dir()
        places = {
            "GIT_DIR": str(git_dir),
            "GIT_WORK_TREE": str(self.folder),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.objects),
        }
        env = environment(extra=places)
        try:
            self._stage(env)
            tree = run("write-tree", cwd=self.folder, env=env, user=self.user).out.decode().strip()
            if not _HASH.fullmatch(tree):
                raise GitError("write-tree", 0, "no hash came out")
            return None if tree == head.tree else Collected(tree, self._pack(tree, head, env))
        finally:
            shutil.rmtree(git_dir, ignore_errors=True)

    def _fresh_git_dir(self) -> Path:
        """Make an empty repository with the index as it was before the agent began.

        Not below a folder of the agent's: while it works, it could put a link in a file's place.
        """
        parent = self.objects.parent / "collected"
        parent.mkdir(mode=0o755, exist_ok=True)
        git_dir = Path(tempfile.mkdtemp(dir=parent))
        index = git_dir / "index"
        shutil.copy2(self._index, index)
        self.user.own(index)
        self.user.own(git_dir)
        run("init", "--quiet", "--bare", "--template=", str(git_dir), cwd=git_dir, user=self.user)
        return git_dir

    @property
    def _index(self) -> Path:
        """The index as it was before the agent began, where the agent cannot reach it."""
        return self.private / "index"

    @property
    def _left_out(self) -> Path:
        """Paths that are not collected, each ended by NUL, where the agent cannot reach them."""
        return self.private / "left-out"

    def _outlive_the_second(self) -> None:
        """Make the index older than no file, so that unchanged files count as such without being read.

        There are files that the repository's own attributes would rewrite, line ends for example: compared by
        content they look changed. Git knows times to the second only, so the agent has to begin in the next.
        https://git-scm.com/docs/racy-git
        """
        second = int(time.time()) + 1
        # The clock that files are stamped with lags some milliseconds behind.
        time.sleep(second - time.time() + 0.02)
        os.utime(self._index, (second, second))

    def _stage(self, env: dict[str, str]) -> None:
        before = self._gitlinks(env)
        left_out = self._left_out.read_bytes().split(b"\0")[:-1] if self._left_out.exists() else []
        added = run(
            *("add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"),
            cwd=self.folder,
            env=env,
            user=self.user,
            stdin=b"\0".join([b".", *(b":(exclude,literal)" + path for path in left_out)]),
            accept=(0, _SOME_FAILED),
        )
        if added.code:
            logger.warning("some files could not be added", stderr=added.err[-1000:])
        # Repositories that the agent cloned into its workspace would become submodules without an address.
        nested = self._gitlinks(env) - before
        if nested:
            logger.warning("repositories inside the workspace are left out", count=len(nested))
            run(
                *("update-index", "--force-remove", "-z", "--stdin"),
                cwd=self.folder,
                env=env,
                user=self.user,
                stdin=b"\0".join(sorted(nested)),
            )

    def _gitlinks(self, env: dict[str, str]) -> set[bytes]:
        listed = run("ls-files", "--stage", "-z", cwd=self.folder, env=env, user=self.user).out
        return {e.partition(b"\t")[2] for e in listed.split(b"\0") if e.startswith(_GITLINK)}

    def _pack(self, tree: str, head: Head, env: dict[str, str]) -> Path:
        """Pack the new objects into a file that the runner opened: no path of the agent's is followed."""
        pack = self.private / f"{tree}.pack"
        with pack.open("wb") as stream:
            try:
                run(
                    *("pack-objects", "--revs", "--thin", "--stdout", "--quiet"),
                    cwd=self.folder,
                    env=env,
                    user=replace(self.user, max_file_bytes=MAX_PACK_BYTES),
                    stdin=f"{tree}\n^{head.commit}\n".encode(),
                    out=stream,
                )
            except GitError as error:
                if pack.stat().st_size < MAX_PACK_BYTES:
                    raise
                raise PushRefused(
                    f"The agent's changes are larger than {MAX_PACK_BYTES >> 20} MiB.",
                    remedy="Add what is generated to .gitignore, then start it again.",
                ) from error
        return pack

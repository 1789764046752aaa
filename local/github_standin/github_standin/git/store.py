"""The folder of bare repositories: making, copying and removing them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from github_standin.git.repository import GitRepository
from github_standin.git.signing import Signer

_HOOK = Path(__file__).with_name("receive_hook.py")

# GitHub's refusals name a reason per ref; only the proc-receive hook can do that.
_REPOSITORY_CONFIG = """\
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tprocReceiveRefs = refs/
\thideRefs = refs/pull
\tautogc = false
[gc]
\tauto = 0
"""


class GitStore:
    """All git repositories of the stand-in."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repositories"
        self.root.mkdir(parents=True, exist_ok=True)
        self._opened: dict[Path, GitRepository] = {}
        self.folder = folder
        self.signer = Signer(folder)
        self.pushes = folder / "pushes"
        self.pushes.mkdir(exist_ok=True)
        self._write_hooks(folder / "hooks")
        config = folder / "gitconfig"
        config.write_text(
            f'[core]\n\thooksPath = "{folder / "hooks"}"\n[safe]\n\tdirectory = *\n'
            "[init]\n\tdefaultBranch = main\n[protocol]\n\tversion = 2\n"
        )
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(config),
            "GIT_TERMINAL_PROMPT": "0",
        }

    @staticmethod
    def _write_hooks(folder: Path) -> None:
        # Written at each start: they name this checkout's interpreter and script.
        folder.mkdir(exist_ok=True)
        for name in ("proc-receive", "post-receive"):
            hook = folder / name
            hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{_HOOK}" {name}\n')
            hook.chmod(0o755)

    def path(self, owner: str, name: str) -> Path:
        """Return where a repository lies."""
        return self.root / owner / f"{name}.git"

    def open(self, owner: str, name: str) -> GitRepository:
        """Return a repository that exists."""
        path = self.path(owner, name)
        if path not in self._opened:
            self._opened[path] = GitRepository(path, self.environment)
        return self._opened[path]

    def create(self, owner: str, name: str, *, source: Path | None = None) -> GitRepository:
        """Make a repository, empty or with the branches and tags of another one.

        Args:
            source: a local git repository; it is only read.

        Raises:
            subprocess.CalledProcessError: the source could not be copied.
        """
        path = self.path(owner, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.remove(owner, name)
        subprocess.run(
            ["git", "init", "--quiet", "--bare", str(path)],
            env=self.environment,
            check=True,
            capture_output=True,
        )
        repository = self.open(owner, name)
        with (path / "config").open("a") as config:
            config.write(_REPOSITORY_CONFIG)
        if source is not None:
            repository.run(
                "fetch", "--quiet", str(source), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"
            )
        return repository

    def head_branch(self, source: Path) -> str | None:
        """Return the branch that a local repository has checked out, or None."""
        answer = subprocess.run(
            ["git", "-C", str(source), "symbolic-ref", "--short", "--quiet", "HEAD"],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        return answer.stdout.strip() or None

    def is_repository(self, path: Path) -> bool:
        """Tell whether a local folder is a git repository."""
        command = ["git", "-C", str(path), "rev-parse", "--git-dir"]
        if not path.is_dir():
            return False
        return subprocess.run(command, env=self.environment, check=False, capture_output=True).returncode == 0

    def rename(self, owner: str, name: str, to: str) -> None:
        """Rename a repository; requests under way in it are not disturbed."""
        self._opened.pop(self.path(owner, name), None)
        self.path(owner, name).rename(self.path(owner, to))

    def remove(self, owner: str, name: str) -> None:
        """Delete a repository from disk."""
        self._opened.pop(self.path(owner, name), None)
        shutil.rmtree(self.path(owner, name), ignore_errors=True)

"""GitHub's side of the runner's repository: the only git commands that meet a token."""

from __future__ import annotations

import math
import re
import shutil
import time
from typing import TYPE_CHECKING, TypedDict

from pullwright.errors import GitHubRefused, HistoryRefused, TaskStopped
from pullwright.github.fresh import PAUSES, YOUNG_SECONDS
from pullwright.github.reasons import setting_refusal
from runner.git.attempts import log_failure, retry
from runner.git.command import Done, GitError, environment, network_environment, run
from runner.git.findings import LENIENT, is_harmless
from runner.git.push import Rejection, parse_porcelain
from runner.git.store import Head, Store
from runner.git.tree import ABSENT, GITLINK
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# How git tells that GitHub did not take a token: by the status, or by GitHub's own words.
_REFUSED = re.compile(
    r"returned error: 40[134]|authentication failed|could not read (?:username|password)|"
    r"repository (?:'[^']*' )?not found|invalid username or (?:token|password)|bad credentials|"
    r"permission to \S+ denied|access to repository not granted|not accessible by integration",
    re.IGNORECASE,
)
_NO_MATCH = 2
_REJECTED = 1
_CLONE = ("clone", "--bare", "--quiet", "--no-tags", "--single-branch", "--template=", "--filter=blob:none")
FETCH_OPTIONS = (
    *("--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no"),
    "--filter=blob:none",
)
FETCH_REF = ("fetch", *FETCH_OPTIONS, "origin")
_FETCH_BLOBS = ("-c", "fetch.negotiationAlgorithm=noop", "fetch", *FETCH_OPTIONS, "--stdin", "origin")
_PUSH = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")


def _never() -> bool:
    return False


class Access(TypedDict, total=False):
    """How a repository is read, see `Remote`."""

    forget: Callable[[str], None]
    token_age: Callable[[], float]
    sleep: Callable[[float], None]
    should_stop: Callable[[], bool]


class Remote:
    """One branch of a repository on GitHub.

    Args:
        url: the repository's address, without credentials.
        token: gives a valid installation token whenever one is needed.
        forget: called with the token of a command that failed, so that the next one is new.
        token_age: seconds since the token was made.
        should_stop: asked several times a second while something is read, never while it is pushed: reading
            comes before the work, which must not be lost.
    """

    def __init__(
        self,
        url: str,
        branch: str,
        token: Callable[[], str],
        *,
        forget: Callable[[str], None] = lambda _: None,
        token_age: Callable[[], float] = lambda: math.inf,
        sleep: Callable[[float], None] = time.sleep,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.url = url
        self.branch = branch
        self._token = token
        self._forget = forget
        self._token_age = token_age
        self._sleep = sleep
        self._should_stop = should_stop
        self._fetched: set[str] = set()

    def clone(self, folder: Path) -> tuple[Store, Head]:
        """Clone the branch's history without old file contents, then the contents of its head.

        Args:
            folder: where; it must not exist yet.

        Raises:
            GitHubRefused: the branch is gone.
            GitHubUnavailable: GitHub did not let us clone.
            HistoryRefused: an object of the history is dangerous, and would be the next time too.
        """
        store = Store(folder)

        def attempt() -> Head:
            try:
                self._bring(folder)
                head = store.head()
                self._fetch_blobs(store, set(store.entries(head.tree)))
            except GitError as error:
                shutil.rmtree(folder, ignore_errors=True)
                if self._branch_is_gone(folder.parent):
                    raise GitHubRefused(
                        f"The branch {self.branch} does not exist any more.",
                        remedy="Start it again: a new branch will be made.",
                    ) from error
                raise
            return head

        return store, retry(attempt, "GitHub did not let the repository be cloned", self._sleep)

    def find(self, folder: Path, ref: str) -> str | None:
        """Return the commit that a ref points to, or None if there is no such ref.

        Args:
            folder: any folder that only the runner's user writes.
            ref: full name of the ref.

        Raises:
            GitHubUnavailable: GitHub did not answer.
        """

        def attempt() -> str | None:
            listed = self._git("ls-remote", "--refs", "--", self.url, ref, cwd=folder).out.decode()
            names = (line.partition("\t") for line in listed.splitlines())
            return next((commit for commit, _, name in names if name == ref), None)

        return retry(attempt, "GitHub did not say what the repository holds", self._sleep)

    def fetch(self, store: Store, head: Head, ref: str) -> None:
        """Bring a ref's commit and the files of its tree into the store.

        Args:
            head: what the store has in full already.
            ref: full name of the ref.

        Raises:
            GitHubUnavailable: GitHub did not give them.
            HistoryRefused: an object among them is dangerous.
        """
        self.fetch_commit(store, head, ref, ref)

    def fetch_commit(self, store: Store, head: Head, commit: str, ref: str) -> Head:
        """Bring a commit and the files of its tree into the store, as a ref of that.

        GitHub gives every commit that it shows, whatever refs there are: https://github.com/actions/checkout
        fetches by hash as well.

        Args:
            head: what the store has in full already.
            commit: its hash, or a ref on GitHub.

        Raises:
            GitHubUnavailable: GitHub did not give them.
            HistoryRefused: an object among them is dangerous.
        """

        def attempt() -> Head:
            self._fetch_objects(*FETCH_REF, f"+{commit}:{ref}", cwd=store.folder, store=store.folder)
            found = store.head(ref)
            changes = store.changes(head.tree, found.tree)
            self._fetch_blobs(store, {(change.mode, change.blob) for change in changes})
            return found

        return retry(attempt, f"GitHub did not give {commit}", self._sleep)

    def push(
        self, store: Store, commit: str | None, ref: str, *, lease: str | None = None
    ) -> Rejection | None:
        """Push one commit to one ref.

        Args:
            commit: its hash; None deletes the ref.
            ref: full name of the ref.
            lease: the ref may be moved anywhere if it stands at this commit, empty if it must not exist.
                Without it, and so for every branch, it is moved forward only.

        Returns:
            Why GitHub rejected it, None if it did not.

        Raises:
            GitHubUnavailable: GitHub did not answer.
        """
        leases = [] if lease is None else [f"--force-with-lease={ref}:{lease}"]
        target = (*leases, "--", self.url, f"{commit or ''}:{ref}")

        def attempt() -> Rejection | None:
            done = self._git(*_PUSH, *target, cwd=store.folder, accept=(0, _REJECTED), is_push=True)
            rejection = parse_porcelain(done.out.decode(errors="replace"), ref, done.err)
            if rejection is None and done.code:
                # It said nothing about the ref.
                raise GitError("push", done.code, done.err)
            return rejection

        return retry(attempt, "GitHub did not take the push", self._sleep)

    def fetch_others(self, store: Store, base: str) -> None:
        """Fetch the default branch and the base branch at once, if GitHub gives both."""
        sources = {"default": "HEAD", "base": f"refs/heads/{base}"}
        specs = [f"+{source}:{trusted_ref(name)}" for name, source in sources.items()]
        try:
            self._git(*FETCH_REF, *specs, cwd=store.folder)
        except GitError as error:
            # Whoever wants one of them asks for it again.
            log_failure(error, 1)
        else:
            self._fetched.update(sources)

    def fetch_other(self, store: Store, source: str, name: str) -> str:
        """Fetch commits and folders of another ref, without the contents of files, once in a session.

        Args:
            source: the ref on GitHub; `HEAD` is the default branch.

        Returns:
            The ref here.

        Raises:
            GitHubUnavailable: GitHub did not let us.
        """
        ref = trusted_ref(name)
        if name not in self._fetched:
            self._read(store, *FETCH_REF, f"+{source}:{ref}")
            self._fetched.add(name)
        return ref

    def fetch_blobs(self, store: Store, names: Sequence[str]) -> None:
        """Fetch contents of files by their hashes.

        Raises:
            GitHubUnavailable: GitHub did not let us.
        """
        if names:
            self._read(store, *_FETCH_BLOBS, stdin="\n".join(names).encode())

    def _bring(self, folder: Path) -> None:
        """Make the repository, with the branch as `HEAD` and without any file's contents."""
        target = ("--branch", self.branch, "--", self.url, str(folder))
        self._fetch_objects(*_CLONE, *target, cwd=folder.parent, store=folder)

    def _read(self, store: Store, *arguments: str, stdin: bytes = b"") -> None:
        retry(
            lambda: self._fetch_objects(*arguments, cwd=store.folder, store=store.folder, stdin=stdin),
            "GitHub did not let the repository be read",
            self._sleep,
        )

    def _fetch_blobs(self, store: Store, entries: set[tuple[str, str]]) -> None:
        """Get blobs in one request, as git itself does when it checks out a partial clone."""
        wanted = sorted({name for mode, name in entries if mode not in {ABSENT, GITLINK}})
        if wanted:
            stdin = "\n".join(wanted).encode()
            self._fetch_objects(*_FETCH_BLOBS, cwd=store.folder, store=store.folder, stdin=stdin)

    def _branch_is_gone(self, folder: Path) -> bool:
        try:
            found = self._git(
                *("ls-remote", "--exit-code", "--", self.url, f"refs/heads/{self.branch}"),
                cwd=folder,
                accept=(0, _NO_MATCH),
            )
        except GitError:
            return False
        return found.code == _NO_MATCH

    def _fetch_objects(self, *arguments: str, cwd: Path, store: Path, stdin: bytes = b"") -> None:
        """Fetch, and check every object before anything looks at it.

        Args:
            store: the repository that the objects go to.
        """
        try:
            self._git(*arguments, cwd=cwd, stdin=stdin)
        except GitError as error:
            if not is_harmless(error.stderr):
                raise
        else:
            return
        logger.info(
            "the history has findings that git refuses and that may be harmless", command=arguments[0]
        )
        unchecked = ("-c", "transfer.fsckObjects=false")
        self._git(*unchecked, *arguments, cwd=cwd, stdin=stdin)
        options = ("--strict", "--no-reflogs", "--no-dangling", "--no-progress")
        try:
            run("fsck", *options, cwd=store, env=environment(LENIENT), should_stop=self._should_stop)
        except GitError as error:
            if self._should_stop():
                raise TaskStopped("The task was stopped while it read the repository.") from error
            is_harmless(error.stderr)
            raise HistoryRefused(f"Git finds the repository's history broken: {error.stderr}") from error

    def _git(
        self,
        *arguments: str,
        cwd: Path,
        stdin: bytes = b"",
        accept: Sequence[int] = (0,),
        is_push: bool = False,
    ) -> Done:
        should_stop = _never if is_push else self._should_stop
        pauses = iter(PAUSES)
        while True:
            token = self._token()
            try:
                env = self._environment(token)
                return run(*arguments, cwd=cwd, env=env, stdin=stdin, accept=accept, should_stop=should_stop)
            except GitError as error:
                if should_stop():
                    raise TaskStopped("The task was stopped while it read the repository.") from error
                is_young = self._token_age() < YOUNG_SECONDS and _REFUSED.search(error.stderr)
                if not is_young or setting_refusal(error.remote_message) is not None:
                    # The words do not tell every refused token, so any failure counts as one.
                    self._forget(token)
                    raise
                # Another token would be as new to GitHub as this one.
                pause = next(pauses, None)
                if pause is None:
                    raise
                logger.warning("GitHub does not know the token yet", command=arguments[0], wait=pause)
                self._sleep(pause)

    def _environment(self, token: str) -> dict[str, str]:
        """Return the whole environment of one git command that meets the repository."""
        return network_environment(self.url, token)


def trusted_ref(name: str) -> str:
    """Return where another branch stands in the store once it was fetched."""
    return f"refs/trusted/{name}"

"""Workflow files: which of them an App without the permission `workflows` may not bring.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#available-scopes, row
`workflow`: a file may come without it if the same file, by path and contents, exists on another branch of the
repository. So merging a branch's newest commit brings its workflows, while a merge that changes one, or one
of a commit that the branch has left behind since, is refused (radius-project/docs#1271,
Mergifyio/mergify#5055). Whether a deletion is refused is not documented; here it is.
The server asks here, and so does the hook of a push, for which this needs nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Callable

FOLDER = ".github/workflows"
ZERO = "0" * 40

Git = Callable[..., bytes]
"""Runs git in the repository, with `stdin` if needed, and returns what it prints."""


def find_refused(git: Git, old: str, new: str) -> str | None:
    """Return a workflow file that the move of a ref brings and no branch has; None if there is none.

    Args:
        old: where the ref stands, or zeros.
        new: where it is to stand.
    """
    brought = {*_files(git, new), *_changed(git, new)}
    if brought and old != ZERO:
        brought -= _files(git, old)
    for tip in _tips(git) if brought else ():
        brought -= _files(git, tip)
    return min(brought)[0] if brought else None


def _tips(git: Git) -> list[str]:
    return git("for-each-ref", "--format=%(objectname)", "refs/heads").decode().split()


def _files(git: Git, commit: str) -> set[tuple[str, str]]:
    """Path and hash of each workflow file of a commit."""
    listed = git("ls-tree", "-r", "-z", commit, "--", f"{FOLDER}/").decode(errors="replace").split("\0")[:-1]
    entries = (entry.partition("\t") for entry in listed)
    return {(path, meta.split(" ")[2]) for meta, _, path in entries}


def _changed(git: Git, new: str) -> set[tuple[str, str]]:
    """Path and new hash of each workflow file that a commit changes which the repository did not have."""
    fresh = git("rev-list", new, "--not", "--all")
    # -c: of a merge only what differs from every parent.
    flags = ("--stdin", "--root", "-r", "-c", "--raw", "--no-abbrev", "--no-renames", "--no-commit-id", "-z")
    parts = git("diff-tree", *flags, "--", f"{FOLDER}/", stdin=fresh).decode(errors="replace").split("\0")
    return {(path, meta.split()[-2]) for meta, path in zip(parts[::2], parts[1::2], strict=False)}

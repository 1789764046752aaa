"""Comparisons of commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin.answers import ApiError, not_found
from github_standin.git.diffs import changed_files, patch_text
from github_standin.links import escape
from github_standin.permissions import READ_CONTENTS
from github_standin.routing import Router
from github_standin.shapes import commits
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.git.repository import GitRepository

ROUTER = Router()
_MOST_FILES = 300
_MOST_COMMITS = 250


def as_diff(call: Call, git: GitRepository, before: str, after: str) -> Reply | None:
    """Return the difference as text, when the request accepts only that."""
    accept = call.headers.get("accept", "")
    if "diff" not in accept:
        return None
    return Reply(200, patch_text(git, before, after), media_type="application/vnd.github.diff; charset=utf-8")


@ROUTER.on("GET", "/repos/{owner}/{repo}/compare/{spec:path}")
def compare(call: Call) -> Reply:
    """Compare two branches or commits from their merge base on."""
    repository = call.repository(READ_CONTENTS)
    git = call.git(repository)
    left, dots, right = call.params["spec"].partition("...")
    base, head = (git.resolve(name.removeprefix(f"{repository.owner}:")) for name in (left, right))
    names = [f"refs/heads/{right}", f"refs/heads/{left}"]
    hidden = any(call.hidden(repository, "ref", name) for name in names)
    hidden = hidden or any(call.hidden(repository, "object", sha) for sha in (left, right))
    if not dots or base is None or head is None or hidden:
        raise not_found()
    fork = git.merge_base(base, head)
    if fork is None:
        raise ApiError(404, f"No common ancestor between {left} and {right}.")
    if (diff := as_diff(call, git, fork, head)) is not None:
        return diff
    ahead, behind = git.count(base, head), git.count(head, base)
    states = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    place = f"/compare/{escape(left)}...{escape(right)}"
    page = call.github.links.page(repository, place)
    history = git.log("--reverse", f"{base}..{head}")[-_MOST_COMMITS:]
    shaped: dict[str, Any] = {
        "url": call.github.links.repo(repository, place),
        "html_url": page,
        "permalink_url": call.github.links.page(repository, f"/compare/{base[:7]}...{head[:7]}"),
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": commits.commit(call.github, repository, git.commit(base)),
        "merge_base_commit": commits.commit(call.github, repository, git.commit(fork)),
        "status": states.get((ahead > 0, behind > 0), "diverged"),
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commits.commit(call.github, repository, item) for item in history],
        "files": [
            commits.changed_file(call.github, repository, item, head)
            for item in changed_files(git, fork, head)[:_MOST_FILES]
        ],
    }
    return Reply(200, shaped)

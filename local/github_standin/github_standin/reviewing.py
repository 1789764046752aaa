"""Reviews of pull requests: where their comments may be, and where they are now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from github_standin.git.diffs import changed_files
from github_standin.git.hunks import diff_lines, find_line, moved
from github_standin.review_records import Thread
from github_standin.shapes.pulls import base_sha

if TYPE_CHECKING:
    from github_standin.git.hunks import DiffLine, Side
    from github_standin.github import GitHub
    from github_standin.records import Issue, Repository
    from github_standin.review_records import Review, ReviewComment

_LINE = "line must be part of the diff"
_HUNK = "diff hunk can't be blank"


class PlaceError(Exception):
    """A comment that is not about a line of the difference.

    Attributes:
        reasons: each with the field that it is about, GitHub's words following the thread's name.
    """

    def __init__(self, *reasons: tuple[str, str]) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True)
class Place:
    """Where a thread is in the pull request as it is now."""

    position: int
    line: int
    start_line: int | None


def span(github: GitHub, repository: Repository, issue: Issue, head: str | None = None) -> tuple[str, str]:
    """Return a pull request's merge base and head.

    Args:
        head: another commit of the pull request to look at.
    """
    if issue.pull is None:
        raise ValueError(f"#{issue.number} is no pull request")
    head = head or github.head_of(repository, issue)
    base = base_sha(github, repository, issue, issue.pull)
    return github.git(repository).merge_base(base, head) or base, head


def patches(github: GitHub, repository: Repository, base: str, head: str) -> dict[str, str | None]:
    """Return the hunks of each changed file between two full hashes."""
    return {change.path: change.patch for change in changed_files(github.git(repository), base, head)}


def begin_thread(
    github: GitHub, repository: Repository, issue: Issue, comment: dict[str, Any], head: str
) -> Thread:
    """Return a new thread where a comment wants to be, not yet saved.

    Lines outside of the hunks are refused as in https://github.com/parkerbxyz/suggest-changes/issues/64,
    unknown files as in https://github.com/villesau/ai-codereviewer/issues/34.

    Args:
        comment: `path`, and either `line` with `side`, `start_line` and `start_side`, or `position`.
        head: the commit that it is about.

    Raises:
        PlaceError: no hunk of the difference has that line.
    """
    base, head = span(github, repository, issue, head)
    found = patches(github, repository, base, head)
    path = str(comment.get("path"))
    if path not in found:
        raise PlaceError(("path", "path is invalid"), ("diff_hunk", _HUNK))
    patch = found[path]
    side: Side = comment.get("side") or "RIGHT"
    if comment.get("line") is None and comment.get("position") is not None:
        line = next((it for it in diff_lines(patch) if it.position == comment["position"]), None)
        if line is None:
            raise PlaceError(("position", "position is invalid"), ("diff_hunk", _HUNK))
        side = "RIGHT" if line.right is not None else "LEFT"
    else:
        line = find_line(patch, side, comment.get("line") or 0)
    start_side: Side | None = None
    start_line = comment.get("start_line")
    if start_line is not None:
        start_side = comment.get("start_side") or side
    _check_range(patch, line, start_side, start_line)
    if line is None:
        raise PlaceError(("line", _LINE), ("diff_hunk", _HUNK))
    return Thread(
        id=github.store.next_id("thread"),
        repository_id=repository.id,
        number=issue.number,
        path=path,
        side=side,
        line=(line.left if side == "LEFT" else line.right) or 0,
        start_side=start_side,
        start_line=start_line,
        position=line.position,
        hunk=line.hunk,
        base=base,
        commit_id=head,
    )


def _check_range(
    patch: str | None, line: DiffLine | None, start_side: Side | None, start_line: int | None
) -> None:
    if start_side is None or start_line is None:
        return
    start = find_line(patch, start_side, start_line)
    same_hunk = "start line must be part of the same hunk as the line."
    if line is None:
        raise PlaceError(("line", _LINE), ("start_line", same_hunk), ("diff_hunk", _HUNK))
    if start is None or start.hunk_number != line.hunk_number:
        raise PlaceError(("start_line", same_hunk))
    if start.position >= line.position:
        raise PlaceError(("start_line", "start line must precede the end line."))


def place(github: GitHub, repository: Repository, issue: Issue, thread: Thread) -> Place | None:
    """Return where a thread is now, or None if it is outdated: its lines were changed since.

    https://docs.github.com/en/rest/pulls/comments: `position` and `line` are null then.
    """
    git = github.git(repository)
    base, head = span(github, repository, issue)
    if not (git.type_of(base) and git.type_of(head)):
        return None
    ends = {"LEFT": (thread.base, base), "RIGHT": (thread.commit_id, head)}
    numbers = range(thread.start_line or thread.line, thread.line + 1)
    if thread.start_side not in (None, thread.side):
        numbers = range(thread.line, thread.line + 1)
    now = [moved(git, thread.path, number, *ends[thread.side]) for number in numbers]
    line, start_line = now[-1], None
    if line is None or None in now:
        return None
    if thread.start_line is not None and thread.start_side is not None:
        start_line = moved(git, thread.path, thread.start_line, *ends[thread.start_side])
        if start_line is None:
            return None
    found = find_line(patches(github, repository, base, head).get(thread.path), thread.side, line)
    return None if found is None else Place(found.position, line, start_line)


def reviews_of(github: GitHub, issue: Issue, reader: int | None) -> list[Review]:
    """Return a pull request's reviews, oldest first.

    Args:
        reader: the account that asks; pending reviews are shown to their authors only.
    """
    place = (issue.repository_id, issue.number)
    return [
        review
        for review in github.store.reviews
        if (review.repository_id, review.number) == place
        and (review.state != "PENDING" or review.user_id == reader)
    ]


def comments_of(github: GitHub, issue: Issue, reader: int | None) -> list[ReviewComment]:
    """Return the comments in a pull request's threads, oldest first, without those of pending reviews."""
    shown = {review.id for review in reviews_of(github, issue, reader) if review.state != "PENDING"}
    return [comment for comment in github.store.review_comments if comment.review_id in shown]


def threads_of(github: GitHub, issue: Issue) -> list[tuple[Thread, list[ReviewComment]]]:
    """Return a pull request's threads with their comments, oldest first; empty ones are none."""
    by_thread: dict[int, list[ReviewComment]] = {}
    for comment in comments_of(github, issue, None):
        by_thread.setdefault(comment.thread_id, []).append(comment)
    return [(github.store.threads[number], comments) for number, comments in sorted(by_thread.items())]

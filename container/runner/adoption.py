"""The work that another task of the session has pushed: it is taken as the session's, not done again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.git.merging import merge_base_into
from runner.git.steering import find_steering
from runner.git.tree import ABSENT, GITLINK

if TYPE_CHECKING:
    from runner.git.remote import Remote
    from runner.git.store import Head, Store
    from runner.report import Report


def find_pushed(remote: Remote, store: Store, head: Head, session_id: str) -> Head | None:
    """Return where another task of the session has moved the branch to; None if none has.

    Args:
        head: where the branch stood when this task cloned it.

    Raises:
        GitHubUnavailable: GitHub did not answer.
    """
    ref = f"refs/heads/{remote.branch}"
    if remote.find(store.folder, ref) in {None, head.commit}:
        return None
    remote.fetch(store, head, ref)
    pushed = store.head(ref)
    return pushed if store.session_of(pushed.commit) == session_id else None


def find_start(remote: Remote, store: Store, pushed: Head, session_id: str) -> Head:
    """Return where a branch stood before the session's commits, which are its last.

    Its tree is what the session began with: where the first commit merges the base, what git made of both.

    Args:
        pushed: the last of them, with all contents of its files.

    Raises:
        GitHubUnavailable: GitHub did not give what the merge was made of.
    """
    parents = [pushed.commit]
    # Each attempt at the work, and what holds CI above it.
    while store.session_of(parents[0]) == session_id:
        parents = store.parents(parents[0])
    start = store.head(parents[0])
    for base in parents[1:]:
        merge = merge_base_into(remote, store, start, store.head(base), present=pushed.tree)
        return start if merge is None else replace(start, tree=merge.tree)
    return start


def report_pushed(remote: Remote, store: Store, pushed: Head, report: Report) -> None:
    """Report a branch's last commits, which are the session's, as its work.

    Args:
        pushed: the last of them, with all contents of its files.

    Raises:
        GitHubUnavailable: GitHub did not give what stood there before.
    """
    before = find_start(remote, store, pushed, report.session_id).tree
    changes = store.changes(before, pushed.tree)
    # The branch was cloned with what its head has; what stood there before is compared too.
    old = {change.old_blob for change in changes if change.old_mode not in {ABSENT, GITLINK}}
    remote.fetch_blobs(store, sorted(old))
    report.commit = pushed.commit
    report.ci = "hold" if store.is_held(pushed.commit) else "run"
    report.files_changed = len(changes)
    report.additions, report.deletions = store.count_lines(before, pushed.tree)
    report.steering = find_steering(store, before, pushed.tree)

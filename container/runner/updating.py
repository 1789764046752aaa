"""Brings a branch that fell behind up to date with its base before the agent begins, as `Update branch` does.

https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request-branch: a merge commit on top of what is
there, so that nobody's commits are written anew. Where both sides changed the same, the agent resolves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.errors import GitHubUnavailable, PullwrightError, PushRefused, SessionClosed, TaskStopped
from runner.git.command import GitError
from runner.git.merging import merge_base_into
from runner.git.message import hold_message, merge_message
from runner.git.store import Head
from runner.git.tree import listed
from runner.log import logger

if TYPE_CHECKING:
    from pullwright.models import AgentRequest
    from runner.context import SessionContext
    from runner.git.checkpoint import CheckpointRef
    from runner.git.merging import Merge
    from runner.git.remote import Remote
    from runner.git.store import Store
    from runner.hosting import Landing
    from runner.report import Report
    from runner.tracking import Tracker

UPDATED_REF = "refs/pushed/updated"


class _NotUpdatedError(Exception):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Update:
    """Updates one session's branch."""

    request: AgentRequest
    context: SessionContext
    report: Report
    tracker: Tracker
    remote: Remote
    landing: Landing
    checkpoint: CheckpointRef

    def run(self, store: Store, head: Head, found: Head | None) -> tuple[Head, Merge | None]:
        """Merge the base into the branch if that lacks some of it. What keeps it from that is a notice.

        Args:
            head: of the branch.
            found: a checkpoint above it, to go on from.

        Returns:
            The branch's head afterwards; the merge that is left to the agent, if there are conflicts.

        Raises:
            SessionClosed: the session is not ours any more.
            TaskStopped: the task was stopped.
        """
        if not self._is_wanted(store, head):
            return head, None
        try:
            if found is not None and len(parents := store.parents(found.commit)) > 1:
                return head, self._merge(store, head, store.head(parents[1]))
            base = self._base(store, head, is_resumed=found is not None)
            if base is None:
                return head, None
            self.tracker.show(f"Bringing the branch up to date with {self.request.base}")
            try:
                return self._update(store, head, base)
            except PushRefused:
                if (moved := self._moved(store, head)) is None:
                    raise
                # Whatever comes of it, the work goes on top of what somebody has pushed.
                head = moved
            return self._update(store, head, base)
        except (SessionClosed, TaskStopped):
            raise
        except (GitError, PullwrightError, _NotUpdatedError) as error:
            logger.exception("the branch was not brought up to date")
            reason = "git could not merge it." if isinstance(error, GitError) else error.sentence
            self.report.notices.append(f"The branch is not up to date with {self.request.base}: {reason}")
            return head, None

    def _is_wanted(self, store: Store, head: Head) -> bool:
        """Return whether the branch is ours to update, and the session has not begun to work on it."""
        request = self.request
        has_begun = self.context.takes_over and store.session_of(head.commit) == request.session_id
        # What is evaluated begins at the commit at which it was asked for, and its base too.
        may_be_behind = self.context.host.is_shared and request.evaluation is None
        return may_be_behind and request.branch_is_ours and request.plan != "only" and not has_begun

    def _base(self, store: Store, head: Head, *, is_resumed: bool) -> Head | None:
        """Return where the base stands, if the branch lacks some of it."""
        source = f"refs/heads/{self.request.base}"
        try:
            ref = self.remote.fetch_other(store, source, "base")
        except GitHubUnavailable as error:
            if self.remote.find(store.folder, source) is not None:
                raise
            raise _NotUpdatedError("there is no such branch any more.") from error
        commit = store.lacks(head.commit, ref)
        if commit is not None and is_resumed:
            raise _NotUpdatedError("the work that was cut off is finished first.")
        return None if commit is None else store.head(commit)

    def _update(self, store: Store, head: Head, base: Head) -> tuple[Head, Merge | None]:
        merge = self._merge(store, head, base)
        if merge is None:
            return head, None
        if mixed := merge.mixed_workflows(store):
            raise _NotUpdatedError(
                f"both have changed {listed(mixed)}, and Pullwright's App may not push workflow files. "
                "Merge it by hand."
            )
        if not merge.stages:
            if left := merge.unresolved(store, merge.tree):
                # Git calls some merges clean where a file was moved to a place that the other side fills too.
                raise _NotUpdatedError(f"git left conflict markers in {listed(left)}. Merge it by hand.")
            return self._land(store, merge), None
        if self.request.stub:
            raise _NotUpdatedError("they conflict, and a stub resolves nothing.")
        return head, merge

    def _merge(self, store: Store, head: Head, base: Head) -> Merge | None:
        return merge_base_into(self.remote, store, head, base, present=head.tree)

    def _land(self, store: Store, merge: Merge) -> Head:
        """Put the merge onto the branch, held if what is there is held; return the new head."""
        request, head, base = self.request, merge.head, merge.base.commit
        messages = [merge_message(request)]
        if store.is_held(head.commit):
            messages.append(hold_message(request, is_update=True))
        self.context.record.beat()
        commit = store.commit(
            merge.tree, parent=head.commit, merged=base, message=messages[0], author=request.author
        )
        rejection = self.checkpoint.push(store, commit)
        if rejection is not None:
            raise rejection.failure(request.branch)
        try:
            landed = self.landing.land(merge.tree, head.commit, *messages, merged=base)
        finally:
            self._delete_checkpoint(store)
        logger.info("the branch was brought up to date", base=base, commit=landed)
        return self.remote.fetch_commit(store, Head(head.commit, merge.tree), landed, UPDATED_REF)

    def _moved(self, store: Store, head: Head) -> Head | None:
        """Return where somebody else has moved the branch meanwhile; None if nobody has."""
        ref = f"refs/heads/{self.request.branch}"
        if self.remote.find(store.folder, ref) in {None, head.commit}:
            return None
        self.remote.fetch(store, head, ref)
        moved = store.head(ref)
        # Another task of this session may have done the work: then it is found when this one's is pushed.
        is_ours = store.session_of(moved.commit) == self.request.session_id
        return None if is_ours else moved

    def _delete_checkpoint(self, store: Store) -> None:
        """Delete what the merge was made of: there is no work in it."""
        try:
            self.checkpoint.delete(store)
        except PullwrightError as error:
            # The next session finds that it is based on an older head and ignores it.
            logger.warning("the checkpoint could not be deleted", error=type(error).__name__)

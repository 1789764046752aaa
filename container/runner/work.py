"""The agent's work on its way to GitHub: taken from the workspace, checked, kept at checkpoints, pushed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pullwright.errors import PullwrightError, PushRefused
from runner.git.command import GitError
from runner.git.layout import Layout
from runner.git.message import checkpoint_message, commit_message, hold_message
from runner.git.protected import Protection
from runner.git.pushable import check
from runner.git.scanner import Leak, Scanner
from runner.git.sizes import check_size
from runner.git.steering import find_steering, refusal
from runner.log import logger, tee
from runner.resolution import check_resolution

if TYPE_CHECKING:
    from pullwright.models import AgentRequest
    from runner.context import SessionContext
    from runner.git.checkpoint import CheckpointRef
    from runner.git.merging import Merge
    from runner.git.push import Rejection
    from runner.git.store import Head, Store
    from runner.git.workspace import Collected, Workspace
    from runner.hosting import Landing
    from runner.report import Report


class Work:
    """What the agent has changed since the branch's head.

    Args:
        own: checkpoints under a name that no other session uses.
        start: where the branch stood before the session's first commit; `head` if there is none yet.
        merge: with the base, whose conflicts the agent resolves: what git merged is none of its work.
        refuse_steering: work that changes files which steer other programs is not pushed.

    Attributes:
        store: the runner's own repository.
        head: where the branch stands, and what the next commit goes on top of.
        changed_at: when a checkpoint last found a change, on the session's clock.
    """

    def __init__(
        self,
        request: AgentRequest,
        context: SessionContext,
        report: Report,
        store: Store,
        head: Head,
        workspace: Workspace,
        checkpoint: CheckpointRef,
        own: CheckpointRef,
        *,
        start: Head | None = None,
        merge: Merge | None = None,
        refuse_steering: bool = False,
    ) -> None:
        self.workspace = workspace
        self._request = request
        self._context = context
        self._report = report
        self.store = store
        self.head = head
        self.start = start or head
        self.merge = merge
        if merge is not None:
            # What git merged is none of the agent's work, as for `git show --remerge-diff`.
            self.start = replace(head, tree=merge.tree)
        self._checkpoint = checkpoint
        self._refuse_steering = refuse_steering
        self._own = own
        self._scanner = Scanner(store, self.start.tree)
        self._leaks: list[Leak] = []
        self._pushed_tree = self._seen_tree = head.tree if merge is None else merge.tree
        self.changed_at = context.clock.monotonic()

    def above(self, head: Head, workspace: Workspace) -> Work:
        """Return the work that goes on in another workspace, on top of what was pushed.

        Args:
            head: commit and tree of the branch as they were pushed.
        """
        return Work(
            *(self._request, self._context, self._report, self.store, head, workspace),
            *(self._checkpoint, self._own),
            start=self.start,
            refuse_steering=self._refuse_steering,
        )

    def make_checkpoint(self) -> None:
        """Make a checkpoint if something has changed, and upload the artifacts as they are so far.

        Raises:
            PullwrightError: it may not be pushed, or GitHub or AWS did not take it.
            GitError: git failed.
        """
        artifacts = self._context.artifacts
        artifacts.put_usage(self._report.usage)
        tee.flush()
        for path in (self._context.transcript, self._context.readable, self._context.log):
            artifacts.put_if_changed(path)
        collected = self._collect()
        tree = collected.tree if collected else self.head.tree
        if tree != self._seen_tree:
            self._seen_tree = tree
            self.changed_at = self._context.clock.monotonic()
        if tree == self._pushed_tree:
            return
        self.write_diff(tree)
        artifacts.put_if_changed(self._context.diff)
        self._check(tree)
        # Whoever has lost the session has no say in its checkpoints either.
        self._context.record.beat()
        if self._push_branch_checkpoint(tree) is None:
            self._pushed_tree = tree

    def make_last_checkpoint(self) -> None:
        """Make a last checkpoint after a failure of any kind, and never fail itself."""
        if self._context.signals.lost.is_set():
            return
        try:
            self.make_checkpoint()
        except Exception:  # noqa: BLE001 - what is being handled already is the failure that counts
            logger.exception("the work could not be kept")

    def collect(self) -> Collected | None:
        """Bring the agent's finished work into the runner's repository and keep its diff at once.

        Raises:
            PushRefused: it cannot be taken in, or is too much.
            GitError: git failed.
        """
        collected = self._collect()
        if self.merge is not None and self._is_undone(self.merge, collected):
            self._leave_merge()
        if collected is None:
            return None
        store, old, new = self.store, self.start.tree, collected.tree
        report = self._report
        report.files_changed = len(store.changes(old, new))
        self.write_diff(new)
        report.additions, report.deletions = store.count_lines(old, new)
        try:
            self._context.artifacts.put_if_changed(self._context.diff)
        except PullwrightError as error:
            # It is tried again at the end; the push must not wait for it.
            logger.warning("the diff could not be uploaded yet", error=type(error).__name__)
        return collected

    def push(self, collected: Collected, landing: Landing, ci: Literal["run", "hold"], summary: str) -> None:
        """Bring the work onto the branch, if it may be there and the session is still ours.

        When that fails, the checkpoint has it.

        Args:
            ci: whether the repository's workflows may run on it at once.
            summary: what the agent says about it.

        Raises:
            SessionClosed: it is not.
            PullwrightError: the work may not be there, or GitHub does not take it.
        """
        report = self._report
        steering = find_steering(self.store, self.start.tree, collected.tree)
        self._check(collected.tree)
        if steering and self._refuse_steering:
            raise refusal(steering)
        self._context.record.beat()
        messages = [commit_message(self._request, summary)]
        if ci == "hold":
            messages.append(hold_message(self._request))
        is_as_merged = self.merge is not None and collected.tree == self.merge.tree
        if collected.tree != self._pushed_tree or is_as_merged:
            self._push_checkpoint(collected.tree)
        merge, notices = self.merge, []
        if merge is not None:
            notices = check_resolution(merge, self.store, collected.tree, self._request.base)
        report.commit = landing.land(
            collected.tree, self.head.commit, *messages, merged=merge.base.commit if merge else None
        )
        report.notices += notices
        report.ci, report.steering = ci, steering
        self.delete_checkpoint()

    def commit(self, tree: str, message: str) -> str:
        """Make a commit of the work in the runner's own repository, and return its hash."""
        return self.store.commit(
            tree,
            parent=self.head.commit,
            merged=self.merge.base.commit if self.merge else None,
            message=message,
            author=self._request.author,
        )

    def leave_for_next_task(self, collected: Collected) -> None:
        """Push the work as a checkpoint only, from which the session's next task goes on."""
        try:
            self._check(collected.tree)
            if collected.tree != self._pushed_tree:
                self._push_checkpoint(collected.tree)
        except PullwrightError as error:
            # The session failed for a reason of its own; this is only what is lost of it.
            logger.warning("the work could not be left for the next task", reason=error.sentence)

    def delete_checkpoint(self) -> None:
        """Delete the checkpoint: the branch holds everything."""
        try:
            self._checkpoint.delete(self.store)
            self._own.delete(self.store)
        except PullwrightError as error:
            # The next session finds that it is based on an older head and ignores it.
            logger.warning("the checkpoint could not be deleted", error=type(error).__name__)

    def _is_undone(self, merge: Merge, collected: Collected | None) -> bool:
        return collected is None or merge.undone(self.store, collected.tree)[1]

    def _leave_merge(self) -> None:
        """Go on without the merge: with the base as its parent, the commit would take all of it back."""
        base = self._request.base
        self._report.notices.append(
            f"The branch is not up to date with {base}: the agent left it without what is new there."
        )
        self.merge, self.start = None, self.head
        self._scanner = Scanner(self.store, self.head.tree)

    def _collect(self) -> Collected | None:
        collected = self.workspace.collect(self.head)
        if collected is None:
            return None
        try:
            self.store.receive(collected.pack)
        except GitError as error:
            logger.warning("the work was not taken in", stderr=error.stderr)
            raise PushRefused("The agent left files that git does not accept from others.") from error
        finally:
            collected.pack.unlink(missing_ok=True)
        if not self.store.changes(self.head.tree, collected.tree):
            # Git writes folders' modes anew where an old client had padded them.
            return None
        if self._request.branch_is_ours:
            return collected
        # The agent had the base branch's; whatever it made of them, the branch keeps its own.
        protection = Protection(Layout.read(self.store, self.head.tree))
        tree = self.store.graft(collected.tree, self.head.tree, protection.holds)
        return None if tree == self.head.tree else replace(collected, tree=tree)

    def write_diff(self, tree: str) -> None:
        """Write the diff, in which files with a secret are as they were before."""
        store, old = self.store, self.start.tree
        changes = store.changes(old, tree)
        check_size(changes, store)
        self._leaks = self._scanner.find(changes)
        if self._leaks:
            tree = store.graft(tree, old, {leak.path for leak in self._leaks}.__contains__)
        store.write_diff(old, tree, self._context.diff)

    def _check(self, tree: str) -> None:
        """Refuse what must not be pushed, after its diff was written."""
        store, old = self.store, self.start.tree
        check(store.changes(old, tree), Layout.read(store, old), Layout.read(store, tree))
        if self._leaks:
            raise self._leaks[0].failure()

    def _push_checkpoint(self, tree: str) -> None:
        """Push the finished work to GitHub as a checkpoint, for the branch's commit to be made of.

        Raises:
            PushRefused, BranchProtected: GitHub does not take it.
            GitHubUnavailable: GitHub did not answer.
        """
        rejection = self._push_branch_checkpoint(tree)
        if rejection is not None and not rejection.is_rule:
            # Somebody else's checkpoint stands there, or a ref that leaves no room for ours.
            self._own.find(self._context.private)
            rejection = self._own.push(self.store, self._checkpoint_of(tree))
        if rejection is not None:
            raise rejection.failure(self._request.branch)

    def _push_branch_checkpoint(self, tree: str) -> Rejection | None:
        """Push a tree as the branch's checkpoint, and return why GitHub refused it if it did."""
        return self._checkpoint.push(self.store, self._checkpoint_of(tree))

    def _checkpoint_of(self, tree: str) -> str:
        return self.commit(tree, checkpoint_message(self._request))

"""The branch of a session: found if it is ours, made if it is missing, never forced."""

from dataclasses import dataclass

from pullwright.comments import first_commit_message
from pullwright.errors import BranchNotOurs, PullRequestClosed
from pullwright.github import GitHubClient
from pullwright.github.payloads import PullRequest
from pullwright.github.refusals import ref_refusal
from pullwright.store import BranchRecord, Store


@dataclass(frozen=True, slots=True)
class BranchMaker:
    """Finds or makes one branch."""

    client: GitHubClient
    store: Store
    session_id: str
    repository: str
    branch: str
    base: str
    base_commit: str
    issue: int | None
    bot_id: int

    def prepare(self) -> PullRequest | None:
        """Make sure that the branch exists, is ours and has a commit of its own.

        Returns:
            The open pull request of the branch, if there is one.

        Raises:
            BranchNotOurs: it holds work of others.
            BranchProtected, PushRefused: GitHub refuses to write it.
            PullRequestClosed: its pull request was closed and the branch left.
        """
        pulls = self.client.pull_requests_of(self.repository, self.branch)
        opened = next((pull for pull in pulls if pull.state == "open"), None)
        head = self.client.find_branch(self.repository, self.branch)
        if head is None:
            commit = self._begin(self.base_commit)
            refusal = self.client.create_branch(self.repository, self.branch, commit)
            if refusal is None:
                return None
            # It may have been made in between; a branch that still is not there was refused.
            head = self.client.find_branch(self.repository, self.branch)
            if head is None:
                raise ref_refusal(self.branch, refusal)
        made_by_us = self._contains_first_commit()
        if opened is None:
            self._check_not_closed(pulls, head, made_by_us=made_by_us)
        elif opened.user is not None and opened.user.id == self.bot_id:
            made_by_us = True
        if made_by_us:
            return opened
        if self.client.commits_ahead(self.repository, self.base, self.branch):
            raise BranchNotOurs(f"The branch {self.branch} exists and holds commits that are not ours.")
        refusal = self.client.forward_branch(self.repository, self.branch, self._begin(head))
        if refusal is not None:
            raise ref_refusal(self.branch, refusal)
        return opened

    def _begin(self, parent: str) -> str:
        """Make the first commit, and record it before the branch has it, so that a retry knows it."""
        message = first_commit_message(self.issue)
        tree = self.client.get_commit(self.repository, parent).tree.sha
        commit = self.client.create_commit(self.repository, tree=tree, parent=parent, message=message)
        self.store.begin_branch(
            BranchRecord(
                repository=self.repository,
                branch=self.branch,
                session_id=self.session_id,
                first_commit=commit,
            )
        )
        return commit

    def _contains_first_commit(self) -> bool:
        record = self.store.read_branch(self.repository, self.branch)
        if record is None or record.first_commit is None:
            return False
        return self.client.contains(self.repository, self.branch, record.first_commit)

    def _check_not_closed(self, pulls: list[PullRequest], head: str, *, made_by_us: bool) -> None:
        record = self.store.read_branch(self.repository, self.branch) if made_by_us else None
        ours = record.pull_request if record is not None else None
        for pull in pulls:
            if pull.head.sha == head or pull.number == ours:
                how = "merged" if pull.merged_at is not None else "closed"
                raise PullRequestClosed(
                    f"The pull request {pull.html_url} of branch {self.branch} was {how}, "
                    "and its branch is still there."
                )

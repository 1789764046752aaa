"""Merging a pull request, with the messages that GitHub proposes.

https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges#merge-message-for-a-squash-merge;
the settings' names and values are those of `PATCH /repos/{owner}/{repo}`. What co-authors and branches
with merge commits do to the message is as users report it: https://github.com/Cotal-AI/Cotal/issues/1386 and
https://github.com/vyncint/termlens/issues/159.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from github_standin.answers import ApiError, unprocessable
from github_standin.git.repository import Signature
from github_standin.shapes.commits import GITHUB_MAIL
from github_standin.times import stamp

if TYPE_CHECKING:
    from github_standin.git.repository import Commit
    from github_standin.github import GitHub
    from github_standin.records import Account, Issue, Pull, Repository

_CO_AUTHOR = re.compile(r"^co-authored-by:\s*(.+)$", re.IGNORECASE | re.MULTILINE)


def commits_of(github: GitHub, repository: Repository, pull: Pull) -> list[Commit]:
    """Return a pull request's commits, oldest first."""
    git = github.git(repository)
    return git.log("--reverse", "--topo-order", f"{git.branch(pull.base)}..{pull.head_sha}")


def squash_message(repository: Repository, issue: Issue, commits: list[Commit], author: Signature) -> str:
    """Return the message that a squash merge gets.

    Args:
        author: who opened it, and so is the author of the one commit.
    """
    single = commits[0] if len(commits) == 1 else None
    title = f"{issue.title} (#{issue.number})"
    if single is not None and repository.squash_merge_commit_title == "COMMIT_OR_PR_TITLE":
        title = f"{single.message.partition(chr(10))[0]} (#{issue.number})"
    kind = repository.squash_merge_commit_message
    if kind == "BLANK":
        return title
    if kind == "PR_BODY":
        return _joined(title, issue.body or "", _credits(commits, author, issue.body or ""))
    if any(len(commit.parents) > 1 for commit in commits):
        return title
    if single is not None:
        body = single.message.partition("\n")[2].strip("\n")
        return _joined(title, body, _credits(commits, author, body))
    listed = "\n\n".join(f"* {commit.message}" for commit in commits)
    credit = _credits(commits, author, "")
    return _joined(title, listed, f"---------\n\n{credit}" if credit else "")


def _credits(commits: list[Commit], author: Signature, message: str) -> str:
    """Return a trailer for everybody else who has a part in the commits and is not named already."""
    who = [
        f"{commit.author.name} <{commit.author.email}>"
        for commit in commits
        if commit.author.email != author.email
    ]
    who += [found.strip() for commit in commits for found in _CO_AUTHOR.findall(commit.message)]
    named = {found.strip() for found in _CO_AUTHOR.findall(message)}
    return "\n".join(f"Co-authored-by: {person}" for person in dict.fromkeys(who) if person not in named)


def merge_message(github: GitHub, repository: Repository, issue: Issue, pull: Pull) -> str:
    """Return the message of a merge commit."""
    owner = github.store.accounts[pull.fork_owner_id or repository.owner_id].login
    title = f"Merge pull request #{issue.number} from {owner}/{pull.head}"
    if repository.merge_commit_title == "PR_TITLE":
        title = f"{issue.title} (#{issue.number})"
    bodies = {"PR_TITLE": issue.title, "PR_BODY": issue.body or "", "BLANK": ""}
    return _joined(title, bodies[repository.merge_commit_message])


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


class Merger:
    """Makes the commits of one merge; the caller moves the branch."""

    def __init__(
        self, github: GitHub, repository: Repository, issue: Issue, pull: Pull, who: Account
    ) -> None:
        self._github = github
        self._repository = repository
        self._issue = issue
        self._pull = pull
        self._git = github.git(repository)
        self._base = self._git.branch(pull.base) or pull.base_sha
        self._who = self._signature(who)
        self._committer = Signature("GitHub", GITHUB_MAIL, self._who.date)

    def merge(self, message: str | None) -> str:
        """Make a merge commit and return its hash."""
        message, head = (
            message or merge_message(self._github, self._repository, self._issue, self._pull),
            self._pull.head_sha,
        )
        return self._write(self._tree(head), [self._base, head], message, self._who)

    def update(self) -> str:
        """Merge the base into the head and return the merge commit's hash."""
        message = f"Merge branch '{self._pull.base}' into {self._pull.head}"
        head = self._pull.head_sha
        try:
            tree = self._tree(self._base, head)
        except ApiError:
            raise unprocessable("merge conflict between base and head") from None
        return self._write(tree, [head, self._base], message, self._who)

    def squash(self, message: str | None) -> str:
        """Make one commit of all and return its hash."""
        author = self._signature(self._github.store.accounts[self._issue.user_id])
        commits = commits_of(self._github, self._repository, self._pull)
        message = message or squash_message(self._repository, self._issue, commits, author)
        return self._write(self._tree(self._pull.head_sha), [self._base], message, author)

    def rebase(self) -> str:
        """Make each commit anew on top of the base and return the last one's hash.

        Whether GitHub keeps commits that change nothing is not documented; the repository's setting decides.
        """
        onto = self._base
        for commit in commits_of(self._github, self._repository, self._pull):
            is_empty = self._git.commit(commit.parents[0]).tree == commit.tree
            if is_empty and not self._repository.rebase_keeps_empty:
                continue
            # Both sides of this merge descend from the commit's parent, so that its own change comes over.
            there = self._git.commit(onto).tree
            side = self._git.write_commit(there, commit.parents[:1], "", self._committer, self._committer)
            onto = self._write(self._tree(commit.sha, side), [onto], commit.message, commit.author)
        return onto

    def _write(self, tree: str, parents: list[str], message: str, author: Signature) -> str:
        sign = self._github.git_store.signer.signed
        return self._git.write_commit(tree, parents, message, author, self._committer, sign=sign)

    def _tree(self, commit: str, onto: str | None = None) -> str:
        try:
            done = self._git.run("merge-tree", "--write-tree", onto or self._base, commit)
        except subprocess.CalledProcessError:
            raise ApiError(405, "Pull Request is not mergeable") from None
        return done.decode().split("\n")[0]

    def _signature(self, account: Account) -> Signature:
        mail = f"{account.id}+{account.login}@{self._github.links.noreply}"
        return Signature(account.login, mail, stamp(self._github.now()))

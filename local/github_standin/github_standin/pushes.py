"""Consequences of a ref that was created, moved or deleted, by a push or through the API."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from github_standin import checking, events, forks, workflows
from github_standin.answers import unprocessable
from github_standin.auth import role_of
from github_standin.git import rules
from github_standin.git.repository import ZERO

if TYPE_CHECKING:
    from github_standin.actors import Actor
    from github_standin.github import GitHub
    from github_standin.records import Account, Issue, Repository

_BRANCHES = "refs/heads/"
_TAGS = "refs/tags/"
_MOST_BRANCHES = 5_000
_MOST_TAGS = 3


@dataclass(frozen=True)
class Update:
    """One ref that has changed; zeros stand for nothing."""

    ref: str
    before: str
    after: str


def is_protected(repository: Repository, actor: Actor, ref: str) -> bool:
    """Tell whether branch protection refuses an actor a change of this ref; admins are exempt."""
    if not ref.startswith(_BRANCHES):
        return False
    branch = ref.removeprefix(_BRANCHES)
    return any(fnmatch.fnmatchcase(branch, pattern) for pattern in protected_for(repository, actor))


def protected_for(repository: Repository, actor: Actor) -> list[str]:
    """Return the patterns of branches that an actor may not change."""
    above = (
        actor.kind == "user" and actor.account is not None and role_of(repository, actor.account) == "admin"
    )
    return [] if above else repository.protected_branches


def rulesets_for(repository: Repository, actor: Actor) -> list[dict[str, Any]]:
    """Return the rulesets that an actor does not bypass."""
    return [ruleset for ruleset in repository.rulesets if not _bypasses(repository, actor, ruleset)]


def _bypasses(repository: Repository, actor: Actor, ruleset: dict[str, Any]) -> bool:
    is_admin = actor.kind == "user" and actor.account and role_of(repository, actor.account) == "admin"
    kinds = {bypass["actor_type"] for bypass in ruleset.get("bypass_actors") or ()}
    return ("RepositoryRole" in kinds and bool(is_admin)) or (
        "Integration" in kinds and actor.kind == "installation"
    )


def passed_checks(github: GitHub, repository: Repository) -> dict[str, list[str]]:
    """Return the names of the checks that have succeeded, by commit."""
    found: dict[str, list[str]] = {}
    for run in github.store.check_runs:
        if run.repository_id == repository.id and run.conclusion == "success":
            found.setdefault(run.head_sha, []).append(run.name)
    return found


def check_rules(github: GitHub, repository: Repository, actor: Actor, update: Update) -> None:
    """Check an update through the API against the repository's rulesets.

    Raises:
        ApiError: 422, it breaks one.
    """
    rulesets = rulesets_for(repository, actor)
    if not rulesets:
        return
    git = github.git(repository)

    def verified(commit: str) -> bool:
        return github.git_store.signer.verified(git.raw_commit(commit)) is not None

    passed = passed_checks(github, repository)
    change = rules.Change(update.ref, update.before, update.after, git.run, verified, passed)
    broken = rules.violations(rules.applying(rulesets, update.ref, repository.default_branch), change)
    if broken:
        raise unprocessable("\n\n".join(["Repository rule violations found", *broken, ""]))


def apply(github: GitHub, repository: Repository, sender: Account, updates: list[Update]) -> None:
    """Update pull requests and send the webhooks."""
    git = github.git(repository)
    repository.pushed_at = github.now()
    if git.branch(repository.default_branch) is None:
        # The first branch that is pushed to an empty repository becomes its default.
        first = next((u for u in updates if u.ref.startswith(_BRANCHES) and u.after != ZERO), None)
        if first is not None and set(git.refs()) <= {u.ref for u in updates}:
            repository.default_branch = first.ref.removeprefix(_BRANCHES)
            git.set_head(repository.default_branch)
    github.store.repositories.put(repository)
    silent = _silent(updates)
    for update in updates:
        if update.before == update.after:
            continue
        if update.after != ZERO and git.type_of(update.after) == "commit":
            github.lag.made("object", repository.id, update.after)
            github.lag.made("object", repository.id, git.commit(update.after).tree)
        if update.ref.startswith((_BRANCHES, _TAGS)) and not update.ref.startswith(silent):
            _tell(github, repository, sender, update)
        # Actions are off in a fork until its owner turns them on.
        if update.ref.startswith(_BRANCHES) and update.after != ZERO and repository.parent_id is None:
            branch = update.ref.removeprefix(_BRANCHES)
            if not workflows.skips_checks(git.commit(update.after).message):
                checking.request(github, repository, sender, branch, update.before, update.after)
            workflows.start(github, repository, "push", branch=branch, head=update.after, actor=sender)
        if update.ref.startswith(_BRANCHES):
            _follow(github, repository, sender, update)


def _silent(updates: list[Update]) -> tuple[str, ...]:
    """Return the kinds of refs of which GitHub sends no event because too many were pushed at once.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
    """
    most = {_BRANCHES: _MOST_BRANCHES, _TAGS: _MOST_TAGS}
    return tuple(
        kind for kind, count in most.items() if sum(it.ref.startswith(kind) for it in updates) > count
    )


def _tell(github: GitHub, repository: Repository, sender: Account, update: Update) -> None:
    git = github.git(repository)
    created, deleted = update.before == ZERO, update.after == ZERO
    forced = not created and not deleted and not git.is_ancestor(update.before, update.after)
    head = None if deleted else git.resolve(update.after)
    fresh = []
    if head is not None:
        others = [name for name in git.refs() if name != update.ref]
        excluded = [update.before] if not created else others
        fresh = git.log("--reverse", "--max-count=2048", head, "--not", *excluded)
    events.push_event(
        github,
        repository,
        sender,
        update.ref,
        before=update.before,
        after=update.after,
        fresh=fresh,
        head=git.commit(head) if head else None,
        forced=forced,
    )


def _follow(github: GitHub, repository: Repository, sender: Account, update: Update) -> None:
    branch = update.ref.removeprefix(_BRANCHES)
    for issue in github.store.issues:
        if issue.pull is None or issue.state != "open" or issue.pull.head != branch or issue.deleted:
            continue
        base = github.store.repositories.get(issue.repository_id)
        # The branch of a fork's pull request is in another repository than the pull request is.
        head = github.head_repository(base, issue) if base else None
        if base is None or head is None or head.id != repository.id:
            continue
        if update.after == ZERO:
            close(github, base, issue, sender)
            events.issue_event(github, base, issue, "closed", sender)
            continue
        follow(github, base, repository, issue, update.after)
        workflows.start_for_pull(github, base, issue, sender)
        events.issue_event(
            github, base, issue, "synchronize", sender, before=update.before, after=update.after
        )


def follow(github: GitHub, base: Repository, head: Repository, issue: Issue, sha: str) -> None:
    """Move a pull request to a commit, which its ref in the base repository names too.

    Args:
        head: where the commit is.
    """
    if issue.pull is None:
        return
    if head.id != base.id:
        forks.bring(github, base, head, sha)
    issue.pull.head_sha = sha
    issue.updated_at = github.now()
    github.store.issues.put(issue)
    github.git(base).set_ref(f"refs/pull/{issue.number}/head", sha)


def close(github: GitHub, repository: Repository, issue: Issue, sender: Account) -> None:
    """Close an issue or a pull request; a pull request keeps the commits it had."""
    if issue.pull is not None:
        git = github.git(repository)
        issue.pull.head_sha = github.head_of(repository, issue)
        issue.pull.base_sha = git.branch(issue.pull.base) or issue.pull.base_sha
    issue.state = "closed"
    issue.closed_at = issue.updated_at = github.now()
    issue.closed_by_id = sender.id
    github.store.issues.put(issue)


def close_all(github: GitHub, orphans: list[Issue], sender: Account) -> None:
    """Close the pull requests from a fork that was deleted: https://github.com/refined-github/sandbox/pull/129."""
    for issue in orphans:
        base = github.store.repositories.get(issue.repository_id)
        if base is not None:
            close(github, base, issue, sender)
            events.issue_event(github, base, issue, "closed", sender)

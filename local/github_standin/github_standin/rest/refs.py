"""Branches and tags as refs of the git database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin import pushes
from github_standin.answers import ApiError, not_accessible, not_found, unprocessable
from github_standin.git import workflow_files
from github_standin.git.repository import ZERO
from github_standin.links import escape, node_id
from github_standin.permissions import READ_CONTENTS, WRITE_CONTENTS, WRITE_WORKFLOWS, grants
from github_standin.routing import Router
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.git.repository import GitRepository
    from github_standin.permissions import Rule
    from github_standin.records import Repository

ROUTER = Router()
_PARTS = 3


def _shape(call: Call, repository: Repository, git: GitRepository, name: str, sha: str) -> dict[str, Any]:
    kind = git.type_of(sha) or "commit"
    return {
        "ref": name,
        "node_id": node_id("REF", int(sha[:15], 16)),
        "url": call.github.links.repo(repository, f"/git/{escape(name)}"),
        "object": {
            "sha": sha,
            "type": kind,
            "url": call.github.links.repo(repository, f"/git/{kind}s/{sha}"),
        },
    }


def _ref(call: Call, rule: Rule) -> tuple[Repository, GitRepository, str, str | None]:
    """Return repository, git, full name and commit of the path's ref; no commit if it does not exist."""
    repository = call.repository(rule)
    git = call.git(repository)
    name = f"refs/{call.params['ref']}"
    return repository, git, name, git.ref(name) if git.is_valid_ref(name) else None


@ROUTER.on("GET", "/repos/{owner}/{repo}/git/ref/{ref:path}")
def get_ref(call: Call) -> Reply:
    """Return one ref."""
    repository, git, name, sha = _ref(call, READ_CONTENTS)
    if sha is None or call.hidden(repository, "ref", name):
        raise not_found()
    return Reply(200, _shape(call, repository, git, name, sha))


@ROUTER.on("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref:path}")
def matching_refs(call: Call) -> Reply:
    """List refs that begin with a name."""
    repository = call.repository(READ_CONTENTS)
    git = call.git(repository)
    wanted = f"refs/{call.params['ref']}"
    refs = [(name, sha) for name, sha in git.refs("refs/").items() if name.startswith(wanted)]
    return call.page(refs, lambda it: _shape(call, repository, git, *it))


@ROUTER.on("POST", "/repos/{owner}/{repo}/git/refs")
def create_ref(call: Call) -> Reply:
    """Create a branch or tag on a commit that is there."""
    repository = call.repository(WRITE_CONTENTS)
    git = call.git(repository)
    name, sha = call.text("ref"), call.text("sha")
    if not name.startswith("refs/") or name.count("/") < _PARTS - 1 or not git.is_valid_ref(name):
        raise unprocessable(f"{name} is not a valid ref name.")
    kind = git.type_of(sha)
    if kind is None or call.hidden(repository, "object", sha):
        raise unprocessable("Object does not exist")
    if name.startswith("refs/heads/") and kind != "commit":
        raise unprocessable("Reference update failed")
    if git.ref(name) is not None:
        raise unprocessable("Reference already exists")
    if git.has_ref_above_or_below(name):
        raise unprocessable("Reference update failed")
    update = pushes.Update(name, ZERO, sha)
    _check(call, repository, update, "Cannot create ref due to creations being restricted.")
    git.set_ref(name, sha)
    call.github.lag.made("ref", repository.id, name)
    pushes.apply(call.github, repository, call.account(), [update])
    return Reply(201, _shape(call, repository, git, name, sha))


def _check(call: Call, repository: Repository, update: pushes.Update, sentence: str) -> None:
    """Apply the rules for branches: protected ones, rulesets, and workflow files."""
    if pushes.is_protected(repository, call.actor, update.ref):
        raise unprocessable(f"Repository rule violations found\n\n{sentence}\n\n")
    pushes.check_rules(call.github, repository, call.actor, update)
    if update.after == ZERO or call.actor.kind != "installation":
        return
    if grants(call.actor.permissions, WRITE_WORKFLOWS.permission, "write"):
        return
    git = call.github.git(repository)
    if workflow_files.find_refused(git.run, update.before, update.after):
        raise not_accessible(WRITE_WORKFLOWS.accepted())


@ROUTER.on("PATCH", "/repos/{owner}/{repo}/git/refs/{ref:path}")
def change_ref(call: Call) -> Reply:
    """Move a ref, forward only unless forced."""
    repository, git, name, before = _ref(call, WRITE_CONTENTS)
    sha = call.text("sha")
    if before is None or call.hidden(repository, "ref", name):
        raise unprocessable("Reference does not exist")
    if git.type_of(sha) is None or call.hidden(repository, "object", sha):
        raise unprocessable("Object does not exist")
    update = pushes.Update(name, before, sha)
    _check(call, repository, update, "Changes must be made through a pull request.")
    if not call.flag("force") and not git.is_ancestor(before, sha):
        raise unprocessable("Update is not a fast forward")
    git.set_ref(name, sha)
    pushes.apply(call.github, repository, call.account(), [update])
    return Reply(200, _shape(call, repository, git, name, sha))


@ROUTER.on("DELETE", "/repos/{owner}/{repo}/git/refs/{ref:path}")
def delete_ref(call: Call) -> Reply:
    """Delete a ref; open pull requests from a deleted branch are closed."""
    repository, git, name, before = _ref(call, WRITE_CONTENTS)
    if before is None:
        raise unprocessable("Reference does not exist")
    update = pushes.Update(name, before, ZERO)
    _check(call, repository, update, "Cannot delete this protected ref.")
    if name == f"refs/heads/{repository.default_branch}":
        raise ApiError(422, "Cannot delete the default branch")
    git.delete_ref(name)
    pushes.apply(call.github, repository, call.account(), [update])
    return Reply(204)

"""Forks of a repository.

https://docs.github.com/en/rest/repos/forks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin import forks
from github_standin.answers import forbidden, not_accessible
from github_standin.permissions import METADATA, Rule
from github_standin.rest.repositories import shape
from github_standin.routing import Router
from github_standin.shapes import repositories
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call

ROUTER = Router()
_FORKS = "/repos/{owner}/{repo}/forks"
_FORK = Rule("administration", "write", "read")


@ROUTER.on("GET", _FORKS)
def list_forks(call: Call) -> Reply:
    """List forks, newest first."""
    repository = call.repository(METADATA)
    found = [it for it in call.github.store.repositories if it.parent_id == repository.id]
    return call.page(found[::-1], lambda fork: repositories.repository(call.github, fork))


@ROUTER.on("POST", _FORKS)
def create_fork(call: Call) -> Reply:
    """Fork a repository as a person; one that they have already is given again."""
    repository = call.repository(METADATA)
    if call.by_app:
        raise not_accessible(_FORK.accepted())
    account = call.account()
    if account.id == repository.owner_id:
        raise forbidden("You cannot fork a repository that you own.")
    fork = forks.fork_of(call.github, repository, account.login)
    if fork is None:
        name = call.maybe_text("name") or repository.name
        taken = call.github.repository(account.login, name) is not None
        fork = forks.make(call.github, repository, account, f"{name}-1" if taken else name)
    return Reply(202, shape(call, fork))

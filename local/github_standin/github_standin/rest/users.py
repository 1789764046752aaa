"""Accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.answers import not_accessible, not_found
from github_standin.routing import Router
from github_standin.shapes import accounts
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call

ROUTER = Router()


@ROUTER.on("GET", "/user")
def current_user(call: Call) -> Reply:
    """Return the token's person."""
    if call.actor.kind in ("app", "installation"):
        raise not_accessible("")
    return Reply(200, accounts.public_user(call.github, call.account()))


@ROUTER.on("GET", "/users/{login}")
def get_user(call: Call) -> Reply:
    """Return an account; an App's is called `slug[bot]`."""
    app = call.github.app
    login = call.params["login"]
    if app is not None and login.lower() == f"{app.slug}[bot]".lower():
        call.github.bot()
    account = call.github.account(login)
    # GitHub finds no user by the login that its own agent acts under, which is an App's without `[bot]`:
    # https://github.com/anthropics/claude-code-action/issues/1284
    if account is None or (account.type == "Bot" and not account.login.endswith("[bot]")):
        raise not_found()
    return Reply(200, accounts.public_user(call.github, account))

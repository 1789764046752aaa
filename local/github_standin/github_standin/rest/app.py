"""The App, its installations and their tokens."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import jwt

from github_standin.answers import ApiError, not_found, suspended, unprocessable
from github_standin.permissions import KNOWN, LEVELS, grants
from github_standin.records import Installation, InstallationToken
from github_standin.routing import Router
from github_standin.shapes import accounts, repositories
from github_standin.times import stamp
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.github import GitHub
    from github_standin.records import Access, Repository

ROUTER = Router()
_LIFE_SECONDS = 3_600.0


@ROUTER.on("GET", "/app")
def get_app(call: Call) -> Reply:
    """Return the App."""
    call.as_app()
    if call.github.app is None:
        raise not_found()
    return Reply(200, accounts.app(call.github, call.github.app))


def _installation(call: Call) -> Installation:
    call.as_app()
    installation = call.github.store.installations.get(call.number("id"))
    if installation is None:
        raise not_found()
    return installation


@ROUTER.on("GET", "/repos/{owner}/{repo}/installation")
def repository_installation(call: Call) -> Reply:
    """Return the installation that reaches a repository."""
    call.as_app()
    repository = call.github.repository(call.params["owner"], call.params["repo"])
    installation = call.github.installation_of(repository) if repository else None
    if installation is None:
        raise not_found()
    return Reply(200, accounts.installation(call.github, installation))


@ROUTER.on("POST", "/app/installations/{id}/access_tokens")
def create_token(call: Call) -> Reply:
    """Issue a token for an installation, narrowed to what the body names."""
    installation = _installation(call)
    if installation.suspended_at is not None:
        raise suspended()
    permissions = _permissions(call, installation)
    chosen = _repositories(call, installation)
    token = call.github.store.tokens.put(
        InstallationToken(
            id=call.github.store.next_id("token"),
            token=_token(call.github, installation.id),
            installation_id=installation.id,
            permissions=permissions,
            repository_ids=None if chosen is None else [repository.id for repository in chosen],
            expires_at=call.github.now() + _LIFE_SECONDS,
        )
    )
    body: dict[str, Any] = {
        "token": token.token,
        "expires_at": stamp(token.expires_at),
        "permissions": permissions,
        "repository_selection": "selected",
    }
    if chosen is not None:
        body["repositories"] = [repositories.repository(call.github, repository) for repository in chosen]
    return Reply(201, body)


def _token(github: GitHub, installation_id: int) -> str:
    """Make a token as GitHub does since 2026: the App's id and a JSON web token, some 520 characters.

    Only GitHub can read it; clients must not rely on its content.
    """
    number = github.app.id if github.app is not None else 0
    claims = {
        "iss": str(number),
        "sub": str(installation_id),
        "iat": int(github.now()),
        "jti": secrets.token_hex(122),
    }
    return f"ghs_{number}_{jwt.encode(claims, secrets.token_bytes(64), 'HS512')}"


def _permissions(call: Call, installation: Installation) -> dict[str, Access]:
    asked = call.table("permissions")
    if asked is None:
        return dict(installation.permissions)
    for name, access in asked.items():
        if name not in KNOWN or access not in LEVELS:
            raise unprocessable(f'Invalid request.\n\nInvalid input: "{name}: {access}" is not a permission.')
        if not grants(installation.permissions, name, access):
            raise unprocessable("The permissions requested are not granted to this installation.")
    # Whoever has any permission on a repository may read its metadata.
    return {**asked, "metadata": "read"}


def _repositories(call: Call, installation: Installation) -> list[Repository] | None:
    names, numbers = call.texts("repositories"), call.items("repository_ids")
    if names is None and numbers is None:
        return None
    reached = [call.github.store.repositories[number] for number in installation.repository_ids]
    by_name = {repository.name.lower(): repository for repository in reached}
    by_id = {repository.id: repository for repository in reached}
    chosen = [by_name.get(name.lower()) for name in names or ()]
    chosen += [by_id.get(number) for number in numbers or ()]
    allowed = [repository for repository in chosen if repository is not None]
    if len(allowed) < len(chosen):
        raise ApiError(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent "
            "installation.",
        )
    return list({repository.id: repository for repository in allowed}.values())


@ROUTER.on("GET", "/installation/repositories")
def list_repositories(call: Call) -> Reply:
    """List the repositories that a token reaches."""
    installation = call.as_installation()
    reached = [call.github.store.repositories[number] for number in installation.repository_ids]
    reached = [repository for repository in reached if call.actor.reaches(repository)]
    shown, headers = call.slice(reached)
    body = {
        "total_count": len(reached),
        "repository_selection": "selected",
        "repositories": [repositories.repository(call.github, repository) for repository in shown],
    }
    return Reply(200, body, headers)

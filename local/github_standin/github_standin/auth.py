"""Who makes a request: the App by its JSON web token, an installation, a person, or nobody.

The rules for an App's token are those of
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Any

import jwt

from github_standin.actors import ANONYMOUS, Actor
from github_standin.answers import ApiError, forbidden, not_accessible, not_found, suspended
from github_standin.permissions import ROLES, Rule, grants

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Account, Issue, Repository, Role

_LONGEST = 600.0
_SKEW = 60.0


def role_of(repository: Repository, account: Account) -> Role:
    """Return a person's role: the highest of what they were given, ownership, and reading what is public.

    Where a role was given does not matter, here or in the whole organization:
    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """
    if account.id == repository.owner_id:
        return "admin"
    by_default: Role = "none" if repository.private else "read"
    here = repository.roles.get(account.id, by_default)
    return max(here, repository.organization_roles.get(account.id, "none"), key=ROLES.__getitem__)


def authenticate(github: GitHub, header: str | None) -> Actor:
    """Return who sent an `Authorization` header (Bearer, token or Basic).

    Raises:
        ApiError: 401, the credentials are not good.
    """
    if not header:
        return ANONYMOUS
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "basic":
        return actor_of(github, _password(value))
    if scheme.lower() in ("bearer", "token"):
        return actor_of(github, value.strip())
    raise ApiError(401, "Bad credentials")


def _password(value: str) -> str:
    try:
        login, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError(401, "Bad credentials") from None
    # git sends a token as the password of x-access-token; GitHub takes it as the login too.
    return password if password and password != "x-oauth-basic" else login  # noqa: S105 - GitHub's placeholder


def actor_of(github: GitHub, token: str) -> Actor:
    """Return whose token this is.

    Raises:
        ApiError: 401, the token is unknown or has expired; 403, its installation is suspended.
    """
    if token.count(".") == 2 and token.startswith("eyJ"):  # noqa: PLR2004 - the form of a JSON web token
        _verify_app(github, token)
        return Actor("app", account=github.bot())
    for issued in github.store.tokens:
        if hmac.compare_digest(issued.token.encode(), token.encode()):
            installation = github.store.installations.get(issued.installation_id)
            if installation is None or issued.expires_at <= github.now():
                break
            if installation.suspended_at is not None:
                raise suspended()
            return Actor("installation", github.bot(), installation, issued)
    for account in github.store.accounts:
        if any(hmac.compare_digest(own.encode(), token.encode()) for own in account.tokens):
            return Actor("user", account)
    raise ApiError(401, "Bad credentials")


def _verify_app(github: GitHub, token: str) -> None:
    app = github.app
    undecodable = ApiError(401, "A JSON web token could not be decoded")
    if app is None:
        raise ApiError(404, "Integration not found")
    # The claims are judged below: GitHub's answers differ from the library's.
    options: Any = {
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_aud": False,
        "verify_iss": False,
    }
    try:
        claims = jwt.decode(token, app.public_key_pem, algorithms=["RS256"], options=options)
    except jwt.PyJWTError:
        raise undecodable from None
    if str(claims.get("iss")) not in (str(app.id), app.client_id):
        raise ApiError(404, "Integration not found")
    now = github.now()
    issued, expires = _number(claims.get("iat")), _number(claims.get("exp"))
    if issued is None or issued > now + _SKEW:
        raise ApiError(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
            "was issued",
        )
    if expires is None or expires <= now:
        raise ApiError(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
            "which the assertion expires",
        )
    if expires > now + _LONGEST:
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def may_see(actor: Actor, repository: Repository) -> bool:
    """Tell whether an actor may see a repository."""
    if not repository.private or actor.reaches(repository):
        return True
    return actor.kind == "user" and actor.account is not None and role_of(repository, actor.account) != "none"


def allow(actor: Actor, repository: Repository, rule: Rule, issue: Issue | None = None) -> None:
    """Check that an actor may make a kind of request.

    Args:
        issue: the issue or pull request that the request is about, if any: their rules differ.

    Raises:
        ApiError: 404 if the repository must not be seen, 401 or 403 otherwise.
    """
    if not may_see(actor, repository):
        raise not_found()
    if actor.kind == "app":
        raise not_accessible(rule.accepted())
    if actor.kind == "installation":
        _allow_installation(actor, repository, rule, issue)
    elif rule.writes and actor.account is None:
        raise ApiError(401, "Requires authentication")
    elif actor.account is not None and ROLES[role_of(repository, actor.account)] < ROLES[rule.role]:
        needed = "admin rights to" if rule.role == "admin" else "push access to"
        raise forbidden(f"Must have {needed} Repository.")
    if rule.writes and repository.archived and rule.permission != "administration":
        raise forbidden("Repository was archived so is read-only.")


def _allow_installation(actor: Actor, repository: Repository, rule: Rule, issue: Issue | None) -> None:
    # What is public can be read without any permission.
    if not rule.writes and not repository.private:
        return
    names = [rule.permission]
    if rule.or_pulls and issue is not None and issue.pull is not None:
        names.append("pull_requests")
    held = actor.permissions
    if not actor.reaches(repository) or not any(grants(held, name, rule.access) for name in names):
        raise not_accessible(rule.accepted())

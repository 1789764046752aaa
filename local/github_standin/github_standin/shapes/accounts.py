"""People, organizations, the App and its installations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin.links import node_id
from github_standin.times import stamp
from standin.times import fine_stamp

if TYPE_CHECKING:
    from github_standin.github import GitHub
    from github_standin.records import Account, App, Installation

JSON = dict[str, Any]
_PREFIX = {"User": "U", "Organization": "O", "Bot": "BOT"}


def user(github: GitHub, account: Account) -> JSON:
    """Return GitHub's simple user."""
    api = f"{github.links.api}/users/{account.login.replace('[', '%5B').replace(']', '%5D')}"
    page = account.login.removesuffix("[bot]") if account.type == "Bot" else account.login
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id(_PREFIX[account.type], account.id),
        "avatar_url": f"{github.links.root}/avatars/{account.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{github.links.root}/{'apps/' if account.type == 'Bot' else ''}{page}",
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(github: GitHub, account: Account) -> JSON:
    """Return an account in full, as `GET /users/{login}` does."""
    made = stamp(account.created_at)
    names = ("name", "company", "location", "email", "hireable", "bio", "twitter_username")
    counts = ("public_repos", "public_gists", "followers", "following")
    return {
        **user(github, account),
        **dict.fromkeys(names),
        "blog": "",
        **dict.fromkeys(counts, 0),
        "created_at": made,
        "updated_at": made,
    }


def maybe_user(github: GitHub, number: int | None) -> JSON | None:
    """Return the account with this id, or None."""
    account = github.store.accounts.get(number)
    return None if account is None else user(github, account)


def organization(github: GitHub, account: Account) -> JSON:
    """Return an organization as webhook payloads carry it."""
    api = f"{github.links.api}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("O", account.id),
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "avatar_url": f"{github.links.root}/avatars/{account.id}",
        "description": None,
    }


def app(github: GitHub, record: App) -> JSON:
    """Return the App, as `GET /app` gives it."""
    installations = list(github.store.installations)
    permissions, events = github.asked(record)
    bot = github.bot().model_copy(update={"login": record.slug, "type": "User"})
    owner = github.store.accounts.get(record.owner_id) or bot
    return {
        "id": record.id,
        "client_id": record.client_id,
        "slug": record.slug,
        "node_id": node_id("A", record.id),
        "owner": user(github, owner),
        "name": record.name or record.slug,
        "description": None,
        "external_url": github.links.root,
        "html_url": f"{github.links.root}/apps/{record.slug}",
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.created_at),
        "permissions": permissions,
        "events": events,
        "installations_count": len(installations),
    }


def via_app(github: GitHub, *, by_app: bool) -> JSON | None:
    """Return `performed_via_github_app`."""
    return app(github, github.app) if by_app and github.app is not None else None


def installation(github: GitHub, installation: Installation) -> JSON:
    """Return an installation."""
    account = github.store.accounts[installation.account_id]
    app_record = github.app
    made = fine_stamp(installation.created_at)
    return {
        "id": installation.id,
        "client_id": app_record.client_id if app_record else None,
        "account": user(github, account),
        "repository_selection": "selected",
        "access_tokens_url": f"{github.links.api}/app/installations/{installation.id}/access_tokens",
        "repositories_url": f"{github.links.api}/installation/repositories",
        "html_url": f"{github.links.root}/settings/installations/{installation.id}",
        "app_id": app_record.id if app_record else None,
        "app_slug": app_record.slug if app_record else None,
        "target_id": account.id,
        "target_type": account.type,
        "permissions": installation.permissions,
        "events": installation.events,
        "created_at": made,
        "updated_at": made,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None if installation.suspended_at is None else user(github, account),
        "suspended_at": None if installation.suspended_at is None else stamp(installation.suspended_at),
    }

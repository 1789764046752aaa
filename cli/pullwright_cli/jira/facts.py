"""What an account finds in Jira of that which a deployment needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pullwright_cli.jira.site import API

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pullwright_cli.jira.site import Site

NEEDED = {
    "BROWSE_PROJECTS": "to read the issue",
    "ADD_COMMENTS": "to comment on it",
    "EDIT_OWN_COMMENTS": "to keep that one comment up to date",
    "LINK_ISSUES": "to link the pull request",
}
"""The permissions in each project, with their reasons."""
EVENTS = ("jira:issue_created", "jira:issue_updated", "jira:issue_deleted")
HOOKS = "/rest/webhooks/1.0/webhook"
SECTION = "issue-related-events-section"
_BROWSE, _ADMINISTER = "USER_PICKER", "ADMINISTER"
_FORBIDDEN, _NOT_FOUND = 403, 404


@dataclass(frozen=True)
class Wanted:
    """What a deployment's parameters say about Jira.

    Attributes:
        projects: repositories by the key of the project.
        groups: names or ids of groups.
        webhook_url: where Jira shall send its events.
    """

    site: str
    projects: Mapping[str, str]
    groups: Sequence[str]
    webhook_url: str

    @classmethod
    def of(cls, parameters: Mapping[str, str], outputs: Mapping[str, str]) -> Wanted | None:
        """Read them; None for a deployment without Jira."""
        site = parameters.get("JiraBaseUrl", "")
        if not site:
            return None
        pairs = (it.partition("=") for it in parameters.get("JiraProjects", "").split(",") if it)
        groups = [it for it in parameters.get("JiraGroups", "").split(",") if it]
        return cls(site, {key: name for key, _, name in pairs}, groups, outputs.get("JiraWebhookUrl", ""))

    @property
    def filter(self) -> str:
        """The JQL that chooses the issues whose events are wanted; empty for all."""
        return f"project in ({', '.join(self.projects)})" if self.projects else ""


@dataclass(frozen=True)
class Webhook:
    """A webhook, as Jira shows it to administrators."""

    is_enabled: bool
    is_signed: bool
    events: frozenset[str]


@dataclass(frozen=True)
class JiraFacts:
    """What Jira says.

    Attributes:
        lacking: permissions that are missing, by the key of the project; all of them where it is not seen.
        unknown_groups: those of the parameter that Jira does not have.
        empty_groups: those without an active member.
        browses_people: whether the account may browse users and groups.
        administers: whether it administers Jira.
        webhook: None if there is none for the deployment's address, or nobody was asked who may know.
    """

    wanted: Wanted
    account: str
    lacking: Mapping[str, Sequence[str]]
    browses_people: bool
    administers: bool
    unknown_groups: Sequence[str] = ()
    empty_groups: Sequence[str] = ()
    webhook: Webhook | None = field(default=None)
    webhook_was_asked: bool = False


def collect(site: Site, wanted: Wanted, administrator: Site | None = None) -> JiraFacts:
    """Ask Jira.

    Args:
        administrator: who may see webhooks, if the account may not.

    Raises:
        JiraError: it does not answer, or does not know the account.
    """
    me = site.get(f"{API}/myself")
    everywhere = _permissions(site, [_BROWSE, _ADMINISTER])
    lacking = {key: _lacking(site, key) for key in wanted.projects}
    unknown, empty = [], []
    if everywhere[_BROWSE]:
        for group in wanted.groups:
            members = _members(site, group)
            if members is None:
                unknown.append(group)
            elif members == 0:
                empty.append(group)
    asked = administrator or (site if everywhere[_ADMINISTER] else None)
    return JiraFacts(
        wanted=wanted,
        account=str(me.get("displayName") or site.email),
        lacking={key: names for key, names in lacking.items() if names},
        browses_people=everywhere[_BROWSE],
        administers=everywhere[_ADMINISTER],
        unknown_groups=unknown,
        empty_groups=empty,
        webhook=webhook(asked, wanted.webhook_url) if asked else None,
        webhook_was_asked=asked is not None,
    )


def find_hook(site: Site, url: str) -> dict[str, Any] | None:
    """Return the webhook for an address."""
    found = site.get(HOOKS)
    return next((dict(it) for it in found or [] if it.get("url") == url), None)


def webhook(site: Site, url: str) -> Webhook | None:
    """Return what an administrator sees of the webhook for an address."""
    found = find_hook(site, url)
    if found is None:
        return None
    return Webhook(
        bool(found.get("enabled")), bool(found.get("isSigned")), frozenset(found.get("events") or ())
    )


def _permissions(site: Site, keys: Sequence[str], **place: str) -> dict[str, bool]:
    answer = site.get(f"{API}/mypermissions", {_NOT_FOUND}, permissions=",".join(keys), **place) or {}
    held = answer.get("permissions", {})
    return {key: bool(held.get(key, {}).get("havePermission")) for key in keys}


def _lacking(site: Site, project: str) -> list[str]:
    return [key for key, held in _permissions(site, list(NEEDED), projectKey=project).items() if not held]


def _members(site: Site, group: str) -> int | None:
    """Return how many active members a group has, by its name or id; None if it is not there."""
    for name in ("groupname", "groupId"):
        found = site.get(f"{API}/group/member", {_NOT_FOUND, _FORBIDDEN, 400}, maxResults=1, **{name: group})
        if found is not None:
            return int(found.get("total", 0))
    return None

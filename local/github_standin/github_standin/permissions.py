"""Who may do what: the permission of an App's token, and the role of a person, per kind of request.

From https://docs.github.com/rest/authentication/permissions-required-for-github-apps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github_standin.records import Access, Role

LEVELS: dict[str, int] = {"read": 1, "write": 2, "admin": 3}
ROLES: dict[Role, int] = {"none": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}

# GitHub's list, schema `app-permissions` of its OpenAPI description; a token request with any other name is
# refused.
KNOWN = frozenset(
    {
        "actions",
        "administration",
        "artifact_metadata",
        "attestations",
        "checks",
        "code_quality",
        "codespaces",
        "contents",
        "custom_properties_for_organizations",
        "dependabot_secrets",
        "deployments",
        "discussions",
        "email_addresses",
        "enterprise_custom_properties_for_organizations",
        "environments",
        "followers",
        "git_ssh_keys",
        "gpg_keys",
        "interaction_limits",
        "issues",
        "members",
        "merge_queues",
        "metadata",
        "organization_administration",
        "organization_announcement_banners",
        "organization_copilot_agent_settings",
        "organization_copilot_seat_management",
        "organization_custom_org_roles",
        "organization_custom_properties",
        "organization_custom_roles",
        "organization_events",
        "organization_hooks",
        "organization_packages",
        "organization_personal_access_token_requests",
        "organization_personal_access_tokens",
        "organization_plan",
        "organization_projects",
        "organization_secrets",
        "organization_self_hosted_runners",
        "organization_user_blocking",
        "packages",
        "pages",
        "profile",
        "pull_requests",
        "repository_custom_properties",
        "repository_hooks",
        "repository_projects",
        "secret_scanning_alerts",
        "secrets",
        "security_events",
        "single_file",
        "starring",
        "statuses",
        "vulnerability_alerts",
        "workflows",
    }
)


@dataclass(frozen=True)
class Rule:
    """The permission and role that one kind of request requires.

    Attributes:
        or_pulls: on a pull request, `pull_requests` at the same level will do as well.
    """

    permission: str
    access: Access
    role: Role
    or_pulls: bool = False

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.access != "read"

    def accepted(self) -> str:
        """Return the permissions as GitHub lists them in `X-Accepted-GitHub-Permissions`."""
        names = [self.permission, "pull_requests"] if self.or_pulls else [self.permission]
        return "; ".join(f"{name}={self.access}" for name in names)


METADATA = Rule("metadata", "read", "read")
ADMINISTER = Rule("administration", "write", "admin")
READ_CONTENTS = Rule("contents", "read", "read")
WRITE_CONTENTS = Rule("contents", "write", "write")
WRITE_WORKFLOWS = Rule("workflows", "write", "write")
READ_ISSUES = Rule("issues", "read", "read", or_pulls=True)
TALK = Rule("issues", "write", "read", or_pulls=True)
MANAGE_ISSUES = Rule("issues", "write", "triage", or_pulls=True)
READ_PULLS = Rule("pull_requests", "read", "read")
WRITE_PULLS = Rule("pull_requests", "write", "write")
EDIT_PULLS = Rule("pull_requests", "write", "read")
READ_CHECKS = Rule("checks", "read", "read")
WRITE_CHECKS = Rule("checks", "write", "write")


def grants(permissions: Mapping[str, Access], name: str, access: str) -> bool:
    """Tell whether a set of permissions holds one at this level or a higher one."""
    return LEVELS.get(permissions.get(name, ""), 0) >= LEVELS[access]

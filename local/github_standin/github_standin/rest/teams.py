"""Teams of organizations: who is in one.

https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from github_standin.answers import ApiError, not_accessible, not_found
from github_standin.permissions import grants
from github_standin.routing import Router
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Account

ROUTER = Router()
_ACCEPTED = "members=read"


@ROUTER.on("GET", "/orgs/{org}/teams/{team}/memberships/{login}")
def get_membership(call: Call) -> Reply:
    """Return somebody's membership in a team that the caller may see."""
    organization = call.github.account(call.params["org"])
    if call.actor.kind in ("anonymous", "app"):
        raise ApiError(401, "Requires authentication")
    if organization is None or organization.type != "Organization":
        raise not_found()
    _check(call, organization)
    members = organization.teams.get(call.params["team"].lower(), [])
    member = call.github.account(call.params["login"])
    if member is None or member.id not in members:
        raise not_found()
    path = f"/orgs/{organization.login}/teams/{call.params['team']}/memberships/{member.login}"
    url = f"{call.github.links.api}{path}"
    return Reply(200, {"url": url, "role": "member", "state": "active"})


def _check(call: Call, organization: Account) -> None:
    installation = call.actor.installation
    if installation is None:
        if not any(call.account().id in members for members in organization.teams.values()):
            raise not_found()
    elif installation.account_id != organization.id or not grants(call.actor.permissions, "members", "read"):
        raise not_accessible(_ACCEPTED)

"""What only GitHub can say before a worker starts: which files a pull request changes, who is in a team."""

from urllib.parse import quote

from pullwright.errors import FailureClass, PullwrightError
from pullwright.events.messages import QueuedStart
from pullwright.github import GitHubClient
from pullwright.github.app import GitHubApp
from pullwright.github.payloads import ChangedFile
from pullwright.github.permissions import ASKING, ASKING_TEAMS
from pullwright.models import SessionRequest
from pullwright.workers.patterns import matches_any

# https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
_MOST_FILES = 3_000


def why_not(message: QueuedStart, request: SessionRequest, app: GitHubApp) -> str:
    """Return why a queued session does not start after all; empty if it does.

    Raises:
        PullwrightError: GitHub did not answer; to be asked again.
    """
    permissions = ASKING_TEAMS if message.teams else ASKING
    try:
        return _why_not(
            message, request, app.client(request.repository, permissions, request.installation_id)
        )
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Asking again changes nothing: a permission is missing, or the pull request is gone.
            return error.sentence
        raise


def _why_not(message: QueuedStart, request: SessionRequest, client: GitHubClient) -> str:
    repository, number, login = request.repository, request.pull_request, request.requested_by or ""
    if message.teams and not any(_is_member(client, repository, team, login) for team in message.teams):
        return f"{login} is in none of the teams {', '.join(message.teams)}."
    # A push that does not list its files may have changed any of them.
    if message.paths and number is not None and not _changes(client, repository, number, message.paths):
        return f"Nothing is changed that fits {', '.join(message.paths)}."
    return ""


def _changes(client: GitHubClient, repository: str, number: int, patterns: tuple[str, ...]) -> bool:
    path, what = f"/repos/{repository}/pulls/{number}/files", "list the files of the pull request"
    files = client.pages(path, what, ChangedFile, limit=_MOST_FILES, about=[f"number:{number}"])
    return any(matches_any(patterns, name) for file in files for name in file.names)


def _is_member(client: GitHubClient, repository: str, team: str, login: str) -> bool:
    """Return whether somebody is a member of one of the organization's teams.

    https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
    """
    organization = repository.partition("/")[0]
    path = f"/orgs/{organization}/teams/{quote(team, safe='')}/memberships/{quote(login, safe='')}"
    # 403 comes where the App may not read members: then nobody is known to be one.
    response = client.call("GET", path, "read a team's members", allow=(403, 404), may_be_absent=True)
    decoded = response.decoded if isinstance(response.decoded, dict) else {}
    return decoded.get("state") == "active"

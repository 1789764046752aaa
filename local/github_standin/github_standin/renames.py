"""Renamed repositories and transferred issues: GitHub's redirects.

https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
https://docs.github.com/en/issues/tracking-your-work-with-issues/administering-issues/transferring-an-issue-to-another-repository
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from github_standin.answers import invalid
from github_standin.auth import may_see
from github_standin.links import escape
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.github import GitHub
    from github_standin.records import Repository

_NAME = re.compile(r"[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*")
_BY_NAME = re.compile(r"/repos/([^/]+)/([^/]+)(/.*)?")
_ISSUE = re.compile(r"/repos/([^/]+)/([^/]+)/issues/([0-9]+)")
_BY_NUMBER = re.compile(r"/repositories/(\d+)(/.*)?")


def rename(github: GitHub, repository: Repository, name: str) -> None:
    """Rename a repository; its old name redirects to it.

    Raises:
        ApiError: 422, the name cannot be one, or is taken.
    """
    if name == repository.name:
        return
    if not _NAME.fullmatch(name) or name.endswith(".git"):
        raise invalid("Repository", "invalid", field="name")
    if github.repository(repository.owner, name) is not None:
        raise invalid("Repository", "already_exists", field="name")
    github.git_store.rename(repository.owner, repository.name, name)
    repository.former_names.append(repository.full_name.lower())
    repository.name = name


def resolve(call: Call) -> Reply | None:
    """Translate a path with a repository's id, or redirect one with an old name or place.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects

    Returns:
        The redirect, if this is one.
    """
    if match := _BY_NUMBER.fullmatch(call.path):
        found = call.github.store.repositories.get(int(match[1]))
        if found is not None and may_see(call.actor, found):
            call.path = f"/repos/{found.full_name}{match[2] or ''}"
    elif (match := _BY_NAME.fullmatch(call.path)) and (found := call.github.renamed(match[1], match[2])):
        return _redirect(call, found, match[3] or "") if may_see(call.actor, found) else None
    return _transferred(call)


def _transferred(call: Call) -> Reply | None:
    """Redirect to an issue's new place; 404 for a caller who may not see it.

    https://docs.github.com/en/rest/issues/issues#get-an-issue
    """
    match = _ISSUE.fullmatch(call.path) if call.method == "GET" else None
    repository = call.github.repository(match[1], match[2]) if match else None
    if match is None or repository is None or not may_see(call.actor, repository):
        return None
    it = call.github.transferred(repository, int(match[3]))
    target = call.github.store.repositories.get(it.repository_id) if it else None
    if it is None or target is None or not may_see(call.actor, target):
        return None
    return _redirect(call, target, f"/issues/{it.number}")


def _redirect(call: Call, repository: Repository, path: str) -> Reply:
    query = f"?{urlencode(call.query)}" if call.query else ""
    url = f"{call.github.links.api}/repositories/{repository.id}{escape(path)}{query}"
    status = 301 if call.method == "GET" else 307
    message = "Moved Permanently" if status == 301 else "Temporary Redirect"  # noqa: PLR2004 - HTTP's own number
    return Reply(status, {"message": message, "url": url}, {"Location": url})

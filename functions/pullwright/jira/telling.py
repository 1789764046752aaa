"""Tells an issue in Jira what becomes of it: one link to the pull request, and one comment that is edited."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from pullwright.jira.client import JiraClient
from pullwright.jira.texts import started
from pullwright.jira.writing import Node
from pullwright.models import AgentRequest


def tell_started(client: JiraClient, opened: AgentRequest) -> None:
    """Link the pull request of a session, and say that it is worked on.

    Raises:
        JiraUnavailable, JiraRateLimited, JiraRefused, JiraIssueNotFound: Jira did not take it.
    """
    if opened.jira is None:
        return
    link = pull_request_link(opened.repository, opened.pull_request, opened.pull_request_url, is_done=False)
    client.put_link(opened.jira, link)
    put_comment(client, opened.jira, opened.repository, started(opened.pull_request_url))


def put_comment(client: JiraClient, key: str, repository: str, document: Node) -> None:
    """Write our comment on an issue, or rewrite it; one that people deleted is written again.

    Raises:
        JiraUnavailable, JiraRateLimited, JiraRefused, JiraIssueNotFound: Jira did not take it.
    """
    me = client.myself().account_id
    for comment in client.comments(key):
        is_ours = comment.author is not None and comment.author.account_id == me
        if is_ours and client.has_property(comment.id) and client.update_comment(key, comment.id, document):
            return
    client.create_comment(key, document, {"repository": repository})


def pull_request_link(repository: str, number: int, url: str, *, is_done: bool) -> Mapping[str, Any]:
    """Return a remote link, which exists once for each pull request.

    https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-remote-links/
    """
    icon = urljoin(url, "/favicon.ico")
    state = "Ready for review" if is_done else "Open"
    return {
        "globalId": f"pullwright&repository={repository}&pull_request={number}",
        "application": {"type": "com.pullwright", "name": "Pullwright"},
        "relationship": "pull request",
        "object": {
            "url": url,
            "title": f"{repository}#{number}",
            "icon": {"url16x16": icon, "title": "GitHub"},
            "status": {"resolved": is_done, "icon": {"url16x16": icon, "title": state, "link": url}},
        },
    }

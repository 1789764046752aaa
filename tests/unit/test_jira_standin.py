"""The Jira stand-in has Jira's rules. Each answer is held against Atlassian's description as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jira_standin import api
from jira_standin.calls import Call
from tests.unit.jira_kit import ADMIN, DEVELOPER, NOW, OUTSIDER, PROJECT, Site, basic, document

if TYPE_CHECKING:
    from pathlib import Path

_NO_ISSUE = {
    "errorMessages": ["Issue does not exist or you do not have permission to see it."],
    "errors": {},
}
_GLOBAL_ID = "pullwright:octo/app#7"
_LINK = {
    "globalId": _GLOBAL_ID,
    "object": {"url": "https://github.example/octo/app/pull/7", "title": "octo/app#7"},
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Provide a stand-in with three people and a project."""
    return Site.make(tmp_path)


def test_wrong_credentials_are_answered_like_a_stranger(site: Site) -> None:
    """Jira says 404 for an issue and names the failed login in a header alone; `myself` says 401.

    https://support.servicenow.com/kb?id=kb_article_view&sysparm_article=KB2942093
    """
    key = site.create()
    account = site.accounts[DEVELOPER]
    site.control("PATCH", f"/people/{account}", {"tokens": []})
    issue, myself = site.ask("GET", f"/issue/{key}"), site.ask("GET", "/myself")
    assert (issue.status, issue.body) == (404, _NO_ISSUE)
    assert issue.headers["X-Seraph-Loginreason"] == "AUTHENTICATED_FAILED"
    assert (myself.status, myself.body) == (401, "Client must be authenticated to access this resource.")
    assert "X-Seraph-Loginreason" not in site.ask("GET", "/myself", who=None).headers


def test_a_deactivated_account_signs_in_no_more(site: Site) -> None:
    """It stays in its groups, and is shown as inactive."""
    site.control("PATCH", f"/people/{site.accounts[DEVELOPER]}", {"active": False})
    assert site.ask("GET", "/myself").status == 401
    query = {"accountId": site.accounts[DEVELOPER]}
    assert site.get("/user", ADMIN, **query)["active"] is False
    assert [it["name"] for it in site.get("/user/groups", ADMIN, **query)] == ["developers"]
    assert site.get("/group/member", ADMIN, groupname="developers")["values"] == []


def test_an_issue_is_seen_by_who_may(site: Site) -> None:
    """Without the project's permission or outside its security level there is no such issue."""
    key = site.create()
    assert site.get(f"/issue/{key}", OUTSIDER)["key"] == key
    site.control("PATCH", f"/issues/{key}", {"security": ["developers"]})
    assert site.ask("GET", f"/issue/{key}", who=OUTSIDER).body == _NO_ISSUE
    site.control("PATCH", f"/issues/{key}", {"security": None})
    site.control("PUT", f"/projects/{PROJECT}", {"permissions": {"BROWSE_PROJECTS": ["developers"]}})
    assert site.ask("GET", f"/issue/{key}", who=OUTSIDER).body == _NO_ISSUE
    assert site.get(f"/issue/{key}")["key"] == key


def test_labels_are_added_and_removed_one_by_one(site: Site) -> None:
    """Each change is one entry of the changelog, and nothing is written where nothing changes."""
    key = site.create(labels=["a"])
    add = {"update": {"labels": [{"add": "claude-dev"}]}}
    assert [site.ask("PUT", f"/issue/{key}", add).status for _ in range(2)] == [204, 204]
    site.ask("PUT", f"/issue/{key}", {"update": {"labels": [{"remove": "a"}]}})
    assert site.get(f"/issue/{key}")["fields"]["labels"] == ["claude-dev"]
    entries = site.get(f"/issue/{key}/changelog")["values"]
    assert [(it["items"][0]["fromString"], it["items"][0]["toString"]) for it in entries] == [
        ("a", "a claude-dev"),
        ("a claude-dev", "claude-dev"),
    ]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"labels": ["two words"]}, {"labels": "The label 'two words' contains spaces which is invalid."}),
        ({"summary": " "}, {"summary": "You must specify a summary of the issue."}),
        (
            {"description": "text"},
            {
                "description": "Operation value must be an Atlassian Document "
                "(see the Atlassian Document Format)"
            },
        ),
    ],
)
def test_wrong_fields_are_refused(site: Site, fields: dict[str, Any], errors: dict[str, str]) -> None:
    """The refusal has a sentence by field: https://github.com/lesstif/php-jira-rest-client/issues/280."""
    reply = site.ask("PUT", f"/issue/{site.create()}", {"fields": fields})
    assert (reply.status, reply.body) == (400, {"errorMessages": [], "errors": errors})


@pytest.mark.parametrize("body", ["text", None])
def test_a_comment_is_a_document(site: Site, body: object) -> None:
    """Text is refused as Jira does: https://github.com/lesstif/php-jira-rest-client/issues/412."""
    reply = site.ask("POST", f"/issue/{site.create()}/comment", {"body": body})
    assert (reply.status, reply.body["errors"]) == (400, {"comment": "Comment body is not valid!"})


def test_a_document_is_validated_by_the_schema_of_atlassian(site: Site) -> None:
    """A node in a wrong place is INVALID_INPUT: https://github.com/nguyenvanduocit/jira-mcp/issues/42."""
    wrong = {"type": "doc", "version": 1, "content": [{"type": "text", "text": "bare"}]}
    key = site.create()
    comment = site.ask("POST", f"/issue/{key}/comment", {"body": wrong})
    issue = site.ask("PUT", f"/issue/{key}", {"fields": {"description": wrong}})
    assert [it.body["errorMessages"] for it in (comment, issue)] == [["INVALID_INPUT"], ["INVALID_INPUT"]]


def test_a_text_has_a_longest_length(site: Site) -> None:
    """Jira takes 32,767 characters, unless the stand-in is told otherwise."""
    key, long = site.create(), document("x" * 32_768)
    reply = site.ask("POST", f"/issue/{key}/comment", {"body": long})
    assert (reply.status, "32,767" in reply.body["errors"]["comment"]) == (400, True)
    site.control("PUT", "/settings", {"longest_text": 300_000})
    assert site.ask("POST", f"/issue/{key}/comment", {"body": long}).status == 201


def test_a_comment_is_found_again_by_its_property(site: Site) -> None:
    """Properties are read one by one, or of many comments at once; an edit keeps those it does not name."""
    key = site.create()
    body = {"body": document("Begun"), "properties": [{"key": "pullwright", "value": {"session": "s-1"}}]}
    made = site.ask("POST", f"/issue/{key}/comment", body).body
    other = site.ask("POST", f"/issue/{key}/comment", {"body": document("Hello")}).body
    changed = site.ask("PUT", f"/issue/{key}/comment/{made['id']}", {"body": document("Done")})
    assert (changed.status, changed.body["body"]) == (200, document("Done"))
    assert site.get(f"/comment/{made['id']}/properties/pullwright")["value"] == {"session": "s-1"}
    assert site.ask("GET", f"/comment/{other['id']}/properties/pullwright").status == 404
    ids = [int(it["id"]) for it in site.get(f"/issue/{key}/comment")["comments"]]
    listed = site.ask("POST", "/comment/list", {"ids": ids}, expand="properties").body["values"]
    assert [bool(it["properties"]) for it in listed] == [True, False]


def test_only_the_author_edits_a_comment(site: Site) -> None:
    """Others need the permission to edit all comments, which administrators have."""
    key = site.create()
    made = site.ask("POST", f"/issue/{key}/comment", {"body": document("Mine")}).body
    path = f"/issue/{key}/comment/{made['id']}"
    assert site.ask("PUT", path, {"body": document("Yours")}, OUTSIDER).status == 400
    assert site.ask("PUT", path, {"body": document("Ours")}, ADMIN).status == 200


def test_a_remote_link_with_a_global_id_is_there_once(site: Site) -> None:
    """Written again it is changed, and what is not given is then gone."""
    key = site.create()
    first = site.ask("POST", f"/issue/{key}/remotelink", {**_LINK, "relationship": "is worked on in"})
    again = site.ask("POST", f"/issue/{key}/remotelink", _LINK)
    assert (first.status, again.status, first.body["id"]) == (201, 200, again.body["id"])
    assert [set(it) for it in site.get(f"/issue/{key}/remotelink")] == [{"id", "self", "globalId", "object"}]
    assert site.get(f"/issue/{key}/remotelink", globalId=_GLOBAL_ID)["id"] == first.body["id"]
    missing = site.ask("POST", f"/issue/{key}/remotelink", {"object": {"url": "https://a.example"}})
    assert (missing.status, missing.body["errors"]) == (400, {"title": "'title' is required."})


def test_groups_are_told_to_who_may_browse_people(site: Site) -> None:
    """Without that global permission the answer is 403; an account that nobody knows is 404."""
    query = {"accountId": site.accounts[DEVELOPER]}
    assert [it["name"] for it in site.get("/user/groups", OUTSIDER, **query)] == ["developers"]
    assert site.ask("GET", "/user/groups", accountId="nobody").status == 404
    site.control("PATCH", f"/people/{site.accounts[OUTSIDER]}", {"browses_people": False})
    assert site.ask("GET", "/user/groups", who=OUTSIDER, **query).status == 403
    assert site.ask("GET", "/group/member", who=OUTSIDER, groupname="developers").status == 403


def test_permissions_are_told_by_project(site: Site) -> None:
    """Each permission says whether who asks has it; an unknown one is refused."""
    site.control("PUT", f"/projects/{PROJECT}", {"permissions": {"LINK_ISSUES": ["developers"]}})
    query = {"projectKey": PROJECT, "permissions": "LINK_ISSUES,ADD_COMMENTS,ADMINISTER"}
    held = {
        who: [it["havePermission"] for it in site.get("/mypermissions", who, **query)["permissions"].values()]
        for who in (DEVELOPER, OUTSIDER, ADMIN)
    }
    assert held == {
        DEVELOPER: [True, True, False],
        OUTSIDER: [False, True, False],
        ADMIN: [False, True, True],
    }
    assert site.ask("GET", "/mypermissions", permissions="MAKE_COFFEE").status == 400
    assert site.ask("GET", "/mypermissions").status == 400


def test_a_moved_issue_is_found_by_its_old_key(site: Site) -> None:
    """Jira answers with the new key, and the changelog names both."""
    key = site.create()
    site.control("PUT", "/projects/POS", {})
    site.control("POST", f"/issues/{key}/move", {"project": "POS", "by": site.accounts[ADMIN]})
    assert site.get(f"/issue/{key}")["key"] == "POS-1"
    items = site.get("/issue/POS-1", expand="changelog")["changelog"]["histories"][0]["items"]
    assert [(it["field"], it["fromString"], it["toString"]) for it in items] == [
        ("project", "Shop", "POS"),
        ("Key", key, "POS-1"),
    ]


def test_lists_come_in_pages(site: Site) -> None:
    """Each page names the next until the last."""
    key = site.create()
    for number in range(5):
        site.ask("PUT", f"/issue/{key}", {"fields": {"summary": f"Version {number}"}})
    pages = [site.get(f"/issue/{key}/changelog", startAt=str(at), maxResults="2") for at in (0, 2, 4)]
    assert [len(it["values"]) for it in pages] == [2, 2, 1]
    assert [it["isLast"] for it in pages] == [False, False, True]
    assert "startAt=2" in pages[0]["nextPage"]
    assert "nextPage" not in pages[2]
    assert site.ask("GET", f"/issue/{key}/changelog", startAt="x").status == 400


def test_too_many_requests_are_refused_with_their_headers(site: Site) -> None:
    """The names are those of https://developer.atlassian.com/cloud/jira/platform/rate-limiting/."""
    site.control("PUT", "/settings", {"limits": {"requests": 5, "window": 30}})
    replies = [site.ask("GET", "/myself") for _ in range(6)]
    assert [it.status for it in replies] == [200] * 5 + [429]
    assert [it.headers["X-RateLimit-Remaining"] for it in replies] == ["4", "3", "2", "1", "0", "0"]
    assert [it.headers.get("X-RateLimit-NearLimit") for it in replies[:5]] == [None] * 4 + ["true"]
    assert replies[5].headers["Retry-After"] == "30"
    assert replies[5].headers["X-RateLimit-Reset"] == "2027-01-15T08:00Z"
    assert site.ask("GET", "/myself", who=OUTSIDER).status == 200
    site.control("POST", "/clock", {"advance": 30})
    assert site.ask("GET", "/myself").status == 200


def test_only_an_administrator_makes_webhooks(site: Site) -> None:
    """The secret is shown to nobody, only whether there is one; a filter of JQL chooses projects."""
    assert site.ask("GET", "/rest/webhooks/1.0/webhook").status == 403
    made = site.hook(secret="s3cret", filters={"issue-related-events-section": f"project in ({PROJECT})"})
    assert (made.status, made.body["isSigned"], "secret" in made.body) == (201, True, False)
    assert site.hook(url="http://hooks.example.com/").status == 400
    assert site.hook(filters={"issue-related-events-section": "assignee = me"}).status == 400
    site.create()
    site.control("PUT", "/projects/POS", {})
    fields = {"project": {"key": "POS"}, "issuetype": {"name": "Bug"}, "summary": "Elsewhere"}
    site.ask("POST", "/issue", {"fields": fields})
    assert [it.issue_key for it in site.deliveries] == [f"{PROJECT}-1"]


def test_an_event_has_the_form_of_version_2(site: Site) -> None:
    """A document is text there, addresses are of version 2, and the changelog has the labels as one text.

    https://developer.atlassian.com/cloud/jira/platform/webhooks/#example-callback-for-an-issue-related-event
    """
    site.hook()
    key = site.create(description=document("First", "Second"))
    site.ask("PUT", f"/issue/{key}", {"update": {"labels": [{"add": "claude-dev"}]}})
    site.ask("DELETE", f"/issue/{key}")
    created, updated, deleted = (it.payload for it in site.deliveries)
    assert [it["webhookEvent"] for it in (created, updated, deleted)] == [
        "jira:issue_created",
        "jira:issue_updated",
        "jira:issue_deleted",
    ]
    assert created["timestamp"] == int(NOW * 1000)
    assert created["issue"]["fields"]["description"] == "First\n\nSecond"
    assert created["user"]["self"].endswith(f"/rest/api/2/user?accountId={site.accounts[DEVELOPER]}")
    assert updated["changelog"]["items"] == [
        {
            "field": "labels",
            "fieldtype": "jira",
            "fieldId": "labels",
            "from": None,
            "fromString": "",
            "to": None,
            "toString": "claude-dev",
        }
    ]
    assert "changelog" not in created
    assert "changelog" not in deleted


def test_a_wrong_control_request_names_its_field(site: Site) -> None:
    """So does one about somebody who is not there."""
    unknown = site.control("PUT", f"/projects/{PROJECT}", {"permissions": {"MAKE_COFFEE": []}})
    nobody = site.control("PUT", "/groups/developers", {"members": ["nobody"]})
    assert [unknown.status, nobody.status] == [422, 422]
    assert unknown.body["errors"][0]["field"].startswith("permissions.MAKE_COFFEE")
    assert nobody.body["errors"][0]["field"] == "members"


@pytest.mark.parametrize("header", ["Bearer x", "Basic !", basic(DEVELOPER, "wrong"), basic(DEVELOPER, "")])
def test_other_credentials_are_none(site: Site, header: str) -> None:
    """Only an address with one of its tokens signs in."""
    call = Call(site.jira, "GET", "/rest/api/3/myself", headers={"authorization": header})
    assert api.respond(call).status == 401

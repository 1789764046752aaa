"""The stand-in's REST and GraphQL rules, asked without any network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from tests.unit.github_kit import MAINTAINER, REPO, StandIn, message, open_lab


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    """Provide a stand-in with a repository, for one test."""
    yield from open_lab(tmp_path)


def test_refs(standin: StandIn) -> None:
    """Creating twice, moving back and touching what is missing are refused in GitHub's words."""
    sha = standin.branch()
    base = standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    refs = f"{REPO}/git/refs"
    expected = [
        ("POST", refs, {"ref": "refs/heads/topic", "sha": sha}, (422, "Reference already exists")),
        ("POST", refs, {"ref": "refs/heads/new", "sha": "1" * 40}, (422, "Object does not exist")),
        ("PATCH", f"{refs}/heads/topic", {"sha": base}, (422, "Update is not a fast forward")),
        ("PATCH", f"{refs}/heads/none", {"sha": base}, (422, "Reference does not exist")),
        ("DELETE", f"{refs}/heads/none", None, (422, "Reference does not exist")),
        ("GET", f"{REPO}/git/ref/heads/none", None, (404, "Not Found")),
        ("GET", f"{REPO}/branches/none", None, (404, "Branch not found")),
    ]
    for method, path, body, answer in expected:
        assert message(standin.ask(method, path, body)) == answer
    assert standin.ask("PATCH", f"{refs}/heads/topic", {"sha": base, "force": True}).status == 200


def test_rules_for_branches_hold_for_the_app(standin: StandIn) -> None:
    """The App cannot create or move protected branches, nor bring workflow files; an owner can."""
    sha = standin.branch()
    token = standin.token(contents="write")
    standin.control("PATCH", "/repositories/octo/app", {"protected_branches": ["claude/*"]})
    body = {"ref": "refs/heads/claude/1", "sha": sha}
    refused = standin.ask("POST", f"{REPO}/git/refs", body, token)
    assert refused.status == 422
    assert "rule violations" in refused.body["message"]
    assert standin.ask("POST", f"{REPO}/git/refs", body).status == 201
    tree = {"tree": [{"path": ".github/workflows/x.yml", "mode": "100644", "content": "on: push"}]}
    assert standin.ask("POST", f"{REPO}/git/trees", tree, token).status == 403


def test_pull_requests_that_cannot_be(standin: StandIn) -> None:
    """Without commits, twice, from nowhere, or as a draft where there are none: 422."""
    base = standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    standin.ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/same", "sha": base})
    assert message(standin.pull(head="same")) == (422, "No commits between main and same")
    assert standin.pull(head="none").body["errors"][0]["field"] == "head"
    assert standin.pull(head="same", base="none").body["errors"][0]["field"] == "base"
    standin.branch()
    standin.control("PATCH", "/repositories/octo/app", {"drafts": False})
    assert message(standin.pull(draft=True)) == (
        422,
        "Draft pull requests are not supported in this repository.",
    )
    assert standin.pull().status == 201
    assert message(standin.pull()) == (422, "A pull request already exists for octo:topic.")


def test_pull_requests_are_found_by_head(standin: StandIn) -> None:
    """The head filter wants an owner; without one it filters nothing."""
    standin.branch()
    standin.pull()
    for head, count in (("octo:topic", 1), ("octo:other", 0), ("maintainer:topic", 0), ("other", 1)):
        assert len(standin.ask("GET", f"{REPO}/pulls", head=head).body) == count


def test_a_deleted_branch_closes_its_pull_request(standin: StandIn) -> None:
    """Deleting the branch closes the pull request, which then cannot be reopened."""
    sha = standin.branch()
    number = standin.pull().body["number"]
    standin.ask("DELETE", f"{REPO}/git/refs/heads/topic")
    pull = standin.get(f"{REPO}/pulls/{number}")
    assert (pull["state"], pull["head"]["sha"]) == ("closed", sha)
    reply = standin.ask("PATCH", f"{REPO}/pulls/{number}", {"state": "open"})
    assert "has been deleted" in message(reply)[1]


def test_an_old_name_leads_to_the_repository(standin: StandIn) -> None:
    """After a renaming the old name redirects by number, and the new one holds everything, git included."""
    token, sha = standin.token(), standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    taken = standin.ask("PATCH", REPO, {"name": "no/name"})
    assert taken.status == 422
    assert standin.ask("PATCH", REPO, {"name": "new"}).body["full_name"] == "octo/new"
    found = standin.ask("GET", f"{REPO}/issues", token=token, state="all")
    number = standin.get("/repos/octo/new")["id"]
    target = f"http://127.0.0.1:4000/api/v3/repositories/{number}/issues?state=all"
    assert (found.status, found.headers["Location"]) == (301, target)
    assert standin.ask("POST", f"{REPO}/issues", {"title": "x"}, token).status == 307
    assert standin.get(f"/repositories/{number}/git/ref/heads/main", token)["object"]["sha"] == sha
    app = standin.app_token()
    installation = standin.get("/repos/octo/new/installation", app)["id"]
    tokens = f"/app/installations/{installation}/access_tokens"
    refused = standin.ask("POST", tokens, {"repositories": ["app"]}, app)
    assert refused.status == 422


def test_archived_and_empty_repositories(standin: StandIn) -> None:
    """An archived repository takes nothing, an empty one has no git data."""
    standin.control(
        "POST", "/repositories", {"full_name": "octo/empty", "permissions": {"maintainer": "admin"}}
    )
    ref = "/repos/octo/empty/git/ref/heads/main"
    assert message(standin.ask("GET", ref)) == (409, "Git Repository is empty.")
    assert standin.ask("POST", "/repos/octo/empty/issues", {"title": "x"}).status == 201
    standin.ask("PATCH", REPO, {"archived": True})
    expected = (403, "Repository was archived so is read-only.")
    assert message(standin.ask("POST", f"{REPO}/issues", {"title": "x"}, standin.token())) == expected


def test_texts_that_are_too_long_or_missing(standin: StandIn) -> None:
    """A comment of 65,536 characters is the longest; an empty one is none."""
    standin.ask("POST", f"{REPO}/issues", {"title": "x"})
    path = f"{REPO}/issues/1/comments"
    assert standin.ask("POST", path, {"body": "x" * 65_536}).status == 201
    assert "too long (maximum is 65536" in message(standin.ask("POST", path, {"body": "x" * 65_537}))[1]
    assert standin.ask("POST", path, {"body": " "}).status == 422
    assert "wasn't supplied" in message(standin.ask("POST", path, {}))[1]
    assert "is not a string" in message(standin.ask("POST", path, {"body": 5}))[1]
    assert standin.ask("POST", path, [1]).status == 400


def test_a_reaction_is_given_once(standin: StandIn) -> None:
    """The first time it is created, the second time it is there."""
    standin.ask("POST", f"{REPO}/issues", {"title": "x"})
    path = f"{REPO}/issues/1/reactions"
    token = standin.token(issues="write")
    assert [standin.ask("POST", path, {"content": "eyes"}, token).status for _ in range(2)] == [201, 200]
    assert [it["user"]["login"] for it in standin.get(path)] == ["wright[bot]"]
    assert standin.ask("POST", path, {"content": "cow"}, token).status == 422


def test_the_app_is_told_what_happened(standin: StandIn) -> None:
    """Labels, edits and states become events, in order; what changes nothing becomes none."""
    before = len(standin.events())
    standin.ask("POST", f"{REPO}/issues", {"title": "x", "body": "one"})
    for _ in range(2):
        standin.ask("POST", f"{REPO}/issues/1/labels", {"labels": ["Claude-Dev"]})
    standin.ask("DELETE", f"{REPO}/issues/1/labels/claude-dev")
    standin.ask("PATCH", f"{REPO}/issues/1", {"body": "two"})
    standin.ask("PATCH", f"{REPO}/issues/1", {"state": "closed"})
    standin.ask("POST", f"{REPO}/issues/1/comments", {"body": "x"})
    expected = ["opened", "labeled", "unlabeled", "edited", "closed", "created"]
    assert [action for _, action in standin.events()[before:]] == expected
    payload = list(standin.world.store.deliveries)[-1].payload
    assert payload["repository"]["full_name"] == "octo/app"
    assert payload["sender"]["login"] == "maintainer"
    assert payload["installation"]["id"]
    assert payload["organization"]["login"] == "octo"


def test_lists_come_in_pages(standin: StandIn) -> None:
    """Thirty at a time, at most a hundred, with links to the other pages."""
    for number in range(31):
        standin.ask("POST", f"{REPO}/issues", {"title": f"{number}"})
    first = standin.ask("GET", f"{REPO}/issues", state="all")
    assert len(first.body) == 30
    assert 'issues?state=all&page=2>; rel="next"' in first.headers["Link"]
    last = standin.ask("GET", f"{REPO}/issues", page="2")
    assert [it["number"] for it in last.body] == [1]
    assert 'rel="prev"' in last.headers["Link"]
    assert len(standin.ask("GET", f"{REPO}/issues", per_page="1000").body) == 31


MUTATION = (
    "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) "
    "{ pullRequest { isDraft } } }"
)


def test_ready_for_review_asks_for_both_permissions(standin: StandIn) -> None:
    """Without write access to contents and pull requests, GraphQL says so with HTTP 200."""
    standin.branch()
    node = standin.pull(draft=True).body["node_id"]
    for permissions in ({"pull_requests": "write"}, {"contents": "write"}):
        body = standin.graphql(MUTATION, standin.token(**permissions), id=node)
        assert body["data"] == {"markPullRequestReadyForReview": None}
        [error] = body["errors"]
        assert (error["type"], error["path"]) == ("FORBIDDEN", ["markPullRequestReadyForReview"])
    body = standin.graphql(MUTATION, standin.token(contents="write", pull_requests="write"), id=node)
    assert body == {"data": {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": False}}}}
    assert standin.graphql(MUTATION, MAINTAINER, id="PR_nothing")["errors"][0]["type"] == "NOT_FOUND"


def test_the_text_before_an_edit_can_be_found(standin: StandIn) -> None:
    """The history of an issue's text and title is there for GraphQL, newest first."""
    standin.ask("POST", f"{REPO}/issues", {"title": "one", "body": "first"})
    standin.time[0] += 60
    standin.ask("PATCH", f"{REPO}/issues/1", {"title": "two", "body": "second"})
    query = """{ repository(owner: "octo", name: "app") { issue(number: 1) {
      lastEditedAt userContentEdits(first: 10) { nodes { editedAt diff editor { login } } }
      timelineItems(first: 5, itemTypes: [RENAMED_TITLE_EVENT]) {
        nodes { ... on RenamedTitleEvent { previousTitle currentTitle } } } } } }"""
    issue = standin.graphql(query, standin.token())["data"]["repository"]["issue"]
    edits = issue["userContentEdits"]["nodes"]
    assert [edit["diff"] for edit in edits] == ["second", "first"]
    assert issue["lastEditedAt"] == edits[0]["editedAt"]
    assert issue["timelineItems"]["nodes"] == [{"previousTitle": "one", "currentTitle": "two"}]


def test_deliveries_are_listed_by_outcome(standin: StandIn) -> None:
    """The failure filter covers 400 to 599, so that a delivery without an answer is in neither list."""
    standin.ask("POST", f"{REPO}/issues", {"title": "x"})
    for delivery, code in zip(standin.world.store.deliveries, (0, 202, 502), strict=True):
        delivery.pending, delivery.status_code = False, code
        standin.world.store.deliveries.put(delivery)
    token = standin.app_token()

    def codes(**query: str) -> list[int]:
        reply = standin.ask("GET", "/app/hook/deliveries", token=token, **query)
        return [it["status_code"] for it in reply.body]

    assert codes() == [502, 202, 0]
    assert codes(status="success") == [202]
    assert codes(status="failure") == [502]
    listed = standin.get("/app/hook/deliveries", token)
    again = standin.ask("POST", f"/app/hook/deliveries/{listed[0]['id']}/attempts", token=token)
    assert again.status == 202
    newest = list(standin.world.store.deliveries)[-1]
    assert (newest.guid, newest.redelivery) == (listed[0]["guid"], True)
    assert newest.id != listed[0]["id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/users", {"login": "x y", "token": "12345678"}, "login"),
        ("POST", "/users", {"login": "x"}, "token"),
        ("POST", "/repositories", {"full_name": "nothing"}, "full_name"),
        ("POST", "/repositories", {"full_name": "octo/app"}, "full_name"),
        ("POST", "/repositories", {"full_name": "o/r", "colour": "red"}, "colour"),
        ("POST", "/repositories", {"full_name": "o/r", "source": "/nowhere"}, "source"),
        ("POST", "/repositories", {"full_name": "o/r", "permissions": {"zoe": "read"}}, "permissions.zoe"),
        ("POST", "/repositories", {"full_name": "o/r", "files": {"../x": "y"}}, "files"),
        (
            "POST",
            "/repositories",
            {"full_name": "o/r", "installation_permissions": {"cows": "read"}},
            "installation_permissions",
        ),
        ("PUT", "/app", {"app_id": 1, "slug": "x", "public_key_pem": "no"}, "public_key_pem"),
        ("PUT", "/faults", [{"path_regex": "(", "status": 500}], "0.path_regex"),
        ("PUT", "/limits", {"per_day": 5}, "per_day"),
    ],
)
def test_control_requests_name_the_wrong_field(
    standin: StandIn, method: str, path: str, body: object, field: str
) -> None:
    """A control request that is wrong gets 422 with the field's name, and changes nothing."""
    count = len(standin.world.store.repositories)
    reply = standin.control(method, path, body)
    assert reply.status == 422
    assert reply.body["errors"][0]["field"] == field
    assert len(standin.world.store.repositories) == count

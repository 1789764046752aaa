"""The stand-in's REST and GraphQL rules, asked without any network."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from local.github import api, graphql
from local.github.calls import Call
from local.github.control import Control
from local.github.faults import Faults
from local.github.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.github.answers import Reply

NOW = 1_800_000_000.0
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
MAINTAINER = "ghp_ada_ada_ada"
OUTSIDER = "ghp_eve_eve_eve"
REPO = "/repos/octo/app"


@dataclass
class Lab:
    """A stand-in with two people, an App and a repository.

    Args:
        world: its state.
        time: what its clock shows; tests move it.
    """

    world: World
    time: list[float] = field(default_factory=lambda: [NOW])

    def control(self, method: str, path: str, body: object = None) -> Reply:
        """Ask the control API."""
        content = json.dumps(body).encode() if body is not None else b""
        control = Control(self.world, Faults(), deque())
        return control.respond(Call(self.world, method, path, content=content))

    def ask(
        self, method: str, path: str, body: object = None, token: str | None = MAINTAINER, **query: str
    ) -> Reply:
        """Ask the REST API."""
        headers = {"user-agent": "test"} | ({"authorization": f"Bearer {token}"} if token else {})
        content = json.dumps(body).encode() if body is not None else b""
        return api.respond(Call(self.world, method, path, query, headers, content))

    def get(self, path: str, token: str | None = MAINTAINER) -> Any:
        """Ask for something that is there."""
        reply = self.ask("GET", path, token=token)
        assert reply.status == 200, reply.body
        return reply.body

    def graphql(self, query: str, token: str, **variables: Any) -> Any:
        """Ask the GraphQL API."""
        content = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"authorization": f"bearer {token}"}
        return graphql.respond(Call(self.world, "POST", "/", {}, headers, content)).body

    def app_token(self, **claims: Any) -> str:
        """Sign an App's token; claims of None are left out."""
        now = int(self.time[0])
        all_claims = {"iss": "7", "iat": now - 60, "exp": now + 540, **claims}
        return jwt.encode({k: v for k, v in all_claims.items() if v is not None}, PEM, "RS256")

    def token(self, repository: str = "app", **permissions: str) -> str:
        """Get an installation token for one repository with these permissions."""
        app = self.app_token()
        number = self.get(f"/repos/octo/{repository}/installation", app)["id"]
        body: dict[str, Any] = {"repositories": [repository]}
        if permissions:
            body["permissions"] = permissions
        reply = self.ask("POST", f"/app/installations/{number}/access_tokens", body, app)
        assert reply.status == 201, reply.body
        return str(reply.body["token"])

    def branch(self, name: str = "topic", token: str = MAINTAINER) -> str:
        """Create a branch with an empty commit of its own and return the commit."""
        base = self.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
        tree = self.get(f"{REPO}/git/commits/{base}")["tree"]["sha"]
        body = {"message": "Begin", "tree": tree, "parents": [base]}
        sha = self.ask("POST", f"{REPO}/git/commits", body, token).body["sha"]
        reply = self.ask("POST", f"{REPO}/git/refs", {"ref": f"refs/heads/{name}", "sha": sha}, token)
        assert reply.status == 201, reply.body
        return str(sha)

    def pull(self, token: str = MAINTAINER, **more: Any) -> Reply:
        """Open a pull request from `topic`."""
        body = {"title": "Topic", "head": "topic", "base": "main", **more}
        return self.ask("POST", f"{REPO}/pulls", body, token)

    def events(self) -> list[tuple[str, str | None]]:
        """Return what was queued for the webhook."""
        return [(it.event, it.action) for it in self.world.store.deliveries]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A stand-in whose webhooks are queued and never sent."""
    time = [NOW]
    world = World(tmp_path / "data", "http://127.0.0.1:4000", lambda: time[0])
    made = Lab(world, time)
    for login, token in (("maintainer", MAINTAINER), ("outsider", OUTSIDER)):
        made.control("POST", "/users", {"login": login, "token": token})
    made.control(
        "PUT",
        "/app",
        {"app_id": 7, "slug": "wright", "public_key_pem": PUBLIC, "webhook_url": "http://127.0.0.1:9/"},
    )
    permissions = {"contents": "write", "issues": "write", "pull_requests": "write", "checks": "write"}
    reply = made.control(
        "POST",
        "/repositories",
        {
            "full_name": "octo/app",
            "files": {"a.txt": "one\n"},
            "permissions": {"maintainer": "admin"},
            "installation_permissions": permissions,
        },
    )
    assert reply.status == 201, reply.body
    yield made
    world.close()


def message(reply: Reply) -> tuple[int, str]:
    """Return status and sentence, with the detail of a failed validation."""
    detail = (reply.body.get("errors") or [{}])[0]
    return reply.status, detail.get("message") or detail.get("code") or reply.body["message"]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, (200, None)),
        ({"iat": int(NOW) + 50}, (200, None)),
        ({"iat": int(NOW) + 90}, (401, "'Issued at' claim")),
        ({"exp": int(NOW) + 601}, (401, "too far in the future")),
        ({"exp": int(NOW) - 1}, (401, "'Expiration time' claim")),
        ({"exp": None}, (401, "'Expiration time' claim")),
        ({"iss": "8"}, (404, "Integration not found")),
    ],
)
def test_claims_of_an_apps_token(lab: Lab, claims: dict[str, Any], expected: tuple[int, str | None]) -> None:
    """The App is let in only with the claims that GitHub accepts."""
    reply = lab.ask("GET", "/app", token=lab.app_token(**claims))
    assert reply.status == expected[0], reply.body
    assert expected[1] is None or expected[1] in reply.body["message"]


def test_another_key_or_algorithm_is_no_app(lab: Lab) -> None:
    """A token signed with another key, or by HMAC with the public one, is refused."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"iss": "7", "iat": int(NOW), "exp": int(NOW) + 60}
    for token in (jwt.encode(claims, other, "RS256"), jwt.encode(claims, "x" * 32, "HS256")):
        assert message(lab.ask("GET", "/app", token=token)) == (
            401,
            "A JSON web token could not be decoded",
        )


def test_tokens_cannot_hold_more_than_the_installation(lab: Lab) -> None:
    """More permissions or other repositories than the installation has are refused with 422."""
    app = lab.app_token()
    number = lab.get(f"{REPO}/installation", app)["id"]
    path = f"/app/installations/{number}/access_tokens"
    for body, words in (
        ({"permissions": {"workflows": "write"}}, "not granted to this installation"),
        ({"permissions": {"contents": "admin"}}, "not granted to this installation"),
        ({"repositories": ["other"]}, "does not exist or is not accessible"),
        ({"repository_ids": [1]}, "does not exist or is not accessible"),
    ):
        reply = lab.ask("POST", path, body, app)
        assert reply.status == 422
        assert words in reply.body["message"]


def test_a_token_ends_after_an_hour(lab: Lab) -> None:
    """An installation token answers for an hour, then with 401."""
    token = lab.token()
    lab.time[0] += 3_599
    assert lab.ask("GET", "/installation/repositories", token=token).status == 200
    lab.time[0] += 1
    assert message(lab.ask("GET", "/installation/repositories", token=token)) == (401, "Bad credentials")


@pytest.mark.parametrize(
    ("permissions", "method", "path", "body"),
    [
        ({"contents": "read"}, "POST", "/git/refs", {"ref": "refs/heads/x", "sha": "0" * 40}),
        ({"contents": "write"}, "POST", "/issues/1/comments", {"body": "x"}),
        ({"pull_requests": "write"}, "POST", "/issues/1/comments", {"body": "x"}),
        ({"issues": "write"}, "POST", "/pulls", {"title": "x", "head": "topic", "base": "main"}),
        ({"issues": "read"}, "POST", "/issues/1/labels", {"labels": ["x"]}),
        ({"issues": "write"}, "POST", "/check-runs", {"name": "x", "head_sha": "0" * 40}),
        ({"contents": "write", "issues": "write"}, "PATCH", "", {"archived": True}),
    ],
)
def test_a_missing_permission_is_refused(
    lab: Lab, permissions: dict[str, str], method: str, path: str, body: dict[str, Any]
) -> None:
    """Each write asks for its own permission, and the answer names it in a header."""
    lab.ask("POST", f"{REPO}/issues", {"title": "x"})
    reply = lab.ask(method, f"{REPO}{path}", body, lab.token(**permissions))
    assert message(reply) == (403, "Resource not accessible by integration")
    assert "=" in reply.headers["X-Accepted-GitHub-Permissions"]


def test_a_comment_on_a_pull_request_needs_either_permission(lab: Lab) -> None:
    """On a pull request `pull_requests: write` is enough to comment."""
    lab.branch()
    number = lab.pull().body["number"]
    token = lab.token(pull_requests="write")
    path = f"{REPO}/issues/{number}/comments"
    assert lab.ask("POST", path, {"body": "x"}, token).status == 201


def test_a_token_reaches_only_its_repositories(lab: Lab) -> None:
    """A token for one repository cannot write to another, nor see a private one."""
    lab.control("POST", "/repositories", {"full_name": "octo/other", "private": True})
    lab.control("POST", "/repositories", {"full_name": "octo/open"})
    token = lab.token()
    assert lab.ask("GET", "/repos/octo/other", token=token).status == 404
    assert lab.ask("GET", "/repos/octo/open", token=token).status == 200
    assert lab.ask("POST", "/repos/octo/open/issues", {"title": "x"}, token).status == 403


def test_strangers_read_what_is_public_and_write_little(lab: Lab) -> None:
    """Without a token one reads; with a stranger's one opens issues but does not label."""
    assert lab.ask("GET", REPO, token=None).status == 200
    assert message(lab.ask("POST", f"{REPO}/issues", {"title": "x"}, None)) == (
        401,
        "Requires authentication",
    )
    made = lab.ask("POST", f"{REPO}/issues", {"title": "x", "labels": ["claude-dev"]}, OUTSIDER)
    assert (made.status, made.body["labels"]) == (201, [])
    assert lab.ask("POST", f"{REPO}/issues/1/labels", {"labels": ["claude-dev"]}, OUTSIDER).status == 403
    lab.control("PUT", "/repositories/octo/app/permissions", {"outsider": "triage"})
    assert lab.ask("POST", f"{REPO}/issues/1/labels", {"labels": ["claude-dev"]}, OUTSIDER).status == 200
    assert lab.ask("PATCH", REPO, {"archived": True}, OUTSIDER).status == 403


def test_permissions_of_people_and_apps(lab: Lab) -> None:
    """The permission of a person is known, that of an App is a 404."""
    token = lab.token(issues="write")
    expected = {"maintainer": ("admin", "admin"), "outsider": ("read", "read")}
    for login, (old, role) in expected.items():
        body = lab.get(f"{REPO}/collaborators/{login}/permission", token)
        assert (body["permission"], body["role_name"]) == (old, role)
    lab.control("PUT", "/repositories/octo/app/permissions", {"outsider": "maintain"})
    assert lab.get(f"{REPO}/collaborators/outsider/permission", token)["permission"] == "write"
    for login in ("wright[bot]", "nobody"):
        assert lab.ask("GET", f"{REPO}/collaborators/{login}/permission", token=token).status == 404


def test_refs(lab: Lab) -> None:
    """Creating twice, moving back and touching what is missing are refused in GitHub's words."""
    sha = lab.branch()
    base = lab.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
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
        assert message(lab.ask(method, path, body)) == answer
    assert lab.ask("PATCH", f"{refs}/heads/topic", {"sha": base, "force": True}).status == 200


def test_rules_for_branches_hold_for_the_app(lab: Lab) -> None:
    """The App cannot create or move protected branches, nor bring workflow files; an owner can."""
    sha = lab.branch()
    token = lab.token(contents="write")
    lab.control("PATCH", "/repositories/octo/app", {"protected_branches": ["claude/*"]})
    body = {"ref": "refs/heads/claude/1", "sha": sha}
    refused = lab.ask("POST", f"{REPO}/git/refs", body, token)
    assert refused.status == 422
    assert "rule violations" in refused.body["message"]
    assert lab.ask("POST", f"{REPO}/git/refs", body).status == 201
    tree = {"tree": [{"path": ".github/workflows/x.yml", "mode": "100644", "content": "on: push"}]}
    assert lab.ask("POST", f"{REPO}/git/trees", tree, token).status == 403


def test_pull_requests_that_cannot_be(lab: Lab) -> None:
    """Without commits, twice, from nowhere, or as a draft where there are none: 422."""
    base = lab.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    lab.ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/same", "sha": base})
    assert message(lab.pull(head="same")) == (422, "No commits between main and same")
    assert lab.pull(head="none").body["errors"][0]["field"] == "head"
    assert lab.pull(head="same", base="none").body["errors"][0]["field"] == "base"
    lab.branch()
    lab.control("PATCH", "/repositories/octo/app", {"drafts": False})
    assert message(lab.pull(draft=True)) == (422, "Draft pull requests are not supported in this repository.")
    assert lab.pull().status == 201
    assert message(lab.pull()) == (422, "A pull request already exists for octo:topic.")


def test_pull_requests_are_found_by_head(lab: Lab) -> None:
    """The head filter wants an owner; without one it filters nothing."""
    lab.branch()
    lab.pull()
    for head, count in (("octo:topic", 1), ("octo:other", 0), ("maintainer:topic", 0), ("other", 1)):
        assert len(lab.ask("GET", f"{REPO}/pulls", head=head).body) == count


def test_a_deleted_branch_closes_its_pull_request(lab: Lab) -> None:
    """Deleting the branch closes the pull request, which then cannot be reopened."""
    sha = lab.branch()
    number = lab.pull().body["number"]
    lab.ask("DELETE", f"{REPO}/git/refs/heads/topic")
    pull = lab.get(f"{REPO}/pulls/{number}")
    assert (pull["state"], pull["head"]["sha"]) == ("closed", sha)
    reply = lab.ask("PATCH", f"{REPO}/pulls/{number}", {"state": "open"})
    assert "has been deleted" in message(reply)[1]


def test_archived_and_empty_repositories(lab: Lab) -> None:
    """An archived repository takes nothing, an empty one has no git data."""
    lab.control("POST", "/repositories", {"full_name": "octo/empty", "permissions": {"maintainer": "admin"}})
    ref = "/repos/octo/empty/git/ref/heads/main"
    assert message(lab.ask("GET", ref)) == (409, "Git Repository is empty.")
    assert lab.ask("POST", "/repos/octo/empty/issues", {"title": "x"}).status == 201
    lab.ask("PATCH", REPO, {"archived": True})
    expected = (403, "Repository was archived so is read-only.")
    assert message(lab.ask("POST", f"{REPO}/issues", {"title": "x"}, lab.token())) == expected


def test_texts_that_are_too_long_or_missing(lab: Lab) -> None:
    """A comment of 65,536 characters is the longest; an empty one is none."""
    lab.ask("POST", f"{REPO}/issues", {"title": "x"})
    path = f"{REPO}/issues/1/comments"
    assert lab.ask("POST", path, {"body": "x" * 65_536}).status == 201
    assert "too long (maximum is 65536" in message(lab.ask("POST", path, {"body": "x" * 65_537}))[1]
    assert lab.ask("POST", path, {"body": " "}).status == 422
    assert "wasn't supplied" in message(lab.ask("POST", path, {}))[1]
    assert "is not a string" in message(lab.ask("POST", path, {"body": 5}))[1]
    assert lab.ask("POST", path, [1]).status == 400


def test_a_reaction_is_given_once(lab: Lab) -> None:
    """The first time it is created, the second time it is there."""
    lab.ask("POST", f"{REPO}/issues", {"title": "x"})
    path = f"{REPO}/issues/1/reactions"
    token = lab.token(issues="write")
    assert [lab.ask("POST", path, {"content": "eyes"}, token).status for _ in range(2)] == [201, 200]
    assert [it["user"]["login"] for it in lab.get(path)] == ["wright[bot]"]
    assert lab.ask("POST", path, {"content": "cow"}, token).status == 422


def test_the_app_is_told_what_happened(lab: Lab) -> None:
    """Labels, edits and states become events, in order; what changes nothing becomes none."""
    before = len(lab.events())
    lab.ask("POST", f"{REPO}/issues", {"title": "x", "body": "one"})
    for _ in range(2):
        lab.ask("POST", f"{REPO}/issues/1/labels", {"labels": ["Claude-Dev"]})
    lab.ask("DELETE", f"{REPO}/issues/1/labels/claude-dev")
    lab.ask("PATCH", f"{REPO}/issues/1", {"body": "two"})
    lab.ask("PATCH", f"{REPO}/issues/1", {"state": "closed"})
    lab.ask("POST", f"{REPO}/issues/1/comments", {"body": "x"})
    expected = ["opened", "labeled", "unlabeled", "edited", "closed", "created"]
    assert [action for _, action in lab.events()[before:]] == expected
    payload = list(lab.world.store.deliveries)[-1].payload
    assert payload["repository"]["full_name"] == "octo/app"
    assert payload["sender"]["login"] == "maintainer"
    assert payload["installation"]["id"]
    assert payload["organization"]["login"] == "octo"


def test_lists_come_in_pages(lab: Lab) -> None:
    """Thirty at a time, at most a hundred, with links to the other pages."""
    for number in range(31):
        lab.ask("POST", f"{REPO}/issues", {"title": f"{number}"})
    first = lab.ask("GET", f"{REPO}/issues", state="all")
    assert len(first.body) == 30
    assert 'issues?state=all&page=2>; rel="next"' in first.headers["Link"]
    last = lab.ask("GET", f"{REPO}/issues", page="2")
    assert [it["number"] for it in last.body] == [1]
    assert 'rel="prev"' in last.headers["Link"]
    assert len(lab.ask("GET", f"{REPO}/issues", per_page="1000").body) == 31


def test_limits(lab: Lab) -> None:
    """Requests and content beyond the limits are refused, and the headers say for how long."""
    lab.control("PUT", "/limits", {"content_per_minute": 2})
    token = lab.token(issues="write")
    path = f"{REPO}/issues"
    assert [lab.ask("POST", path, {"title": "x"}, token).status for _ in range(3)] == [201, 201, 403]
    refused = lab.ask("POST", path, {"title": "x"}, token)
    assert "secondary rate limit" in refused.body["message"]
    assert refused.headers["Retry-After"] == "60"
    lab.time[0] += 61
    assert lab.ask("POST", path, {"title": "x"}, token).status == 201
    lab.control("PUT", "/limits", {"per_hour": 1})
    reply = lab.ask("GET", REPO, token=OUTSIDER)
    assert (reply.status, reply.headers["X-RateLimit-Remaining"]) == (200, "0")
    reply = lab.ask("GET", REPO, token=OUTSIDER)
    assert reply.status == 403
    assert reply.body["message"].startswith("API rate limit exceeded for user ID")
    lab.time[0] += 3_600
    assert lab.ask("GET", REPO, token=OUTSIDER).status == 200


MUTATION = (
    "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) "
    "{ pullRequest { isDraft } } }"
)


def test_ready_for_review_asks_for_both_permissions(lab: Lab) -> None:
    """Without write access to contents and pull requests, GraphQL says so with HTTP 200."""
    lab.branch()
    node = lab.pull(draft=True).body["node_id"]
    for permissions in ({"pull_requests": "write"}, {"contents": "write"}):
        body = lab.graphql(MUTATION, lab.token(**permissions), id=node)
        assert body["data"] == {"markPullRequestReadyForReview": None}
        [error] = body["errors"]
        assert (error["type"], error["path"]) == ("FORBIDDEN", ["markPullRequestReadyForReview"])
    body = lab.graphql(MUTATION, lab.token(contents="write", pull_requests="write"), id=node)
    assert body == {"data": {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": False}}}}
    assert lab.graphql(MUTATION, MAINTAINER, id="PR_nothing")["errors"][0]["type"] == "NOT_FOUND"


def test_the_text_before_an_edit_can_be_found(lab: Lab) -> None:
    """The history of an issue's text and title is there for GraphQL, newest first."""
    lab.ask("POST", f"{REPO}/issues", {"title": "one", "body": "first"})
    lab.time[0] += 60
    lab.ask("PATCH", f"{REPO}/issues/1", {"title": "two", "body": "second"})
    query = """{ repository(owner: "octo", name: "app") { issue(number: 1) {
      lastEditedAt userContentEdits(first: 10) { nodes { editedAt diff editor { login } } }
      timelineItems(first: 5, itemTypes: [RENAMED_TITLE_EVENT]) {
        nodes { ... on RenamedTitleEvent { previousTitle currentTitle } } } } } }"""
    issue = lab.graphql(query, lab.token())["data"]["repository"]["issue"]
    edits = issue["userContentEdits"]["nodes"]
    assert [edit["diff"] for edit in edits] == ["second", "first"]
    assert issue["lastEditedAt"] == edits[0]["editedAt"]
    assert issue["timelineItems"]["nodes"] == [{"previousTitle": "one", "currentTitle": "two"}]


def test_deliveries_are_listed_by_outcome(lab: Lab) -> None:
    """The failure filter covers 400 to 599, so that a delivery without an answer is in neither list."""
    lab.ask("POST", f"{REPO}/issues", {"title": "x"})
    for delivery, code in zip(lab.world.store.deliveries, (0, 202, 502), strict=True):
        delivery.pending, delivery.status_code = False, code
        lab.world.store.deliveries.put(delivery)
    token = lab.app_token()

    def codes(**query: str) -> list[int]:
        reply = lab.ask("GET", "/app/hook/deliveries", token=token, **query)
        return [it["status_code"] for it in reply.body]

    assert codes() == [502, 202, 0]
    assert codes(status="success") == [202]
    assert codes(status="failure") == [502]
    listed = lab.get("/app/hook/deliveries", token)
    again = lab.ask("POST", f"/app/hook/deliveries/{listed[0]['id']}/attempts", token=token)
    assert again.status == 202
    newest = list(lab.world.store.deliveries)[-1]
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
    lab: Lab, method: str, path: str, body: object, field: str
) -> None:
    """A control request that is wrong gets 422 with the field's name, and changes nothing."""
    count = len(lab.world.store.repositories)
    reply = lab.control(method, path, body)
    assert reply.status == 422
    assert reply.body["errors"][0]["field"] == field
    assert len(lab.world.store.repositories) == count

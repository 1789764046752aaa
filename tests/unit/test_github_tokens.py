"""Who the stand-in lets in, and what for: the App's tokens, permissions, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from tests.unit.github_kit import NOW, OUTSIDER, REPO, StandIn, message, open_lab


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    """Provide a stand-in with a repository, for one test."""
    yield from open_lab(tmp_path)


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
def test_claims_of_an_apps_token(
    standin: StandIn, claims: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    """The App is let in only with the claims that GitHub accepts."""
    reply = standin.ask("GET", "/app", token=standin.app_token(**claims))
    assert reply.status == expected[0], reply.body
    assert expected[1] is None or expected[1] in reply.body["message"]


def test_another_key_or_algorithm_is_no_app(standin: StandIn) -> None:
    """A token signed with another key, or by HMAC with the public one, is refused."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"iss": "7", "iat": int(NOW), "exp": int(NOW) + 60}
    for token in (jwt.encode(claims, other, "RS256"), jwt.encode(claims, "x" * 32, "HS256")):
        assert message(standin.ask("GET", "/app", token=token)) == (
            401,
            "A JSON web token could not be decoded",
        )


def test_tokens_cannot_hold_more_than_the_installation(standin: StandIn) -> None:
    """More permissions or other repositories than the installation has are refused with 422."""
    app = standin.app_token()
    number = standin.get(f"{REPO}/installation", app)["id"]
    path = f"/app/installations/{number}/access_tokens"
    for body, words in (
        ({"permissions": {"workflows": "write"}}, "not granted to this installation"),
        ({"permissions": {"contents": "admin"}}, "not granted to this installation"),
        ({"repositories": ["other"]}, "does not exist or is not accessible"),
        ({"repository_ids": [1]}, "does not exist or is not accessible"),
    ):
        reply = standin.ask("POST", path, body, app)
        assert reply.status == 422
        assert words in reply.body["message"]


def test_a_token_ends_after_an_hour(standin: StandIn) -> None:
    """An installation token answers for an hour, then with 401."""
    token = standin.token()
    standin.time[0] += 3_599
    assert standin.ask("GET", "/installation/repositories", token=token).status == 200
    standin.time[0] += 1
    assert message(standin.ask("GET", "/installation/repositories", token=token)) == (401, "Bad credentials")


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
    standin: StandIn, permissions: dict[str, str], method: str, path: str, body: dict[str, Any]
) -> None:
    """Each write asks for its own permission, and the answer names it in a header."""
    standin.ask("POST", f"{REPO}/issues", {"title": "x"})
    reply = standin.ask(method, f"{REPO}{path}", body, standin.token(**permissions))
    assert message(reply) == (403, "Resource not accessible by integration")
    assert "=" in reply.headers["X-Accepted-GitHub-Permissions"]


def test_a_comment_on_a_pull_request_needs_either_permission(standin: StandIn) -> None:
    """On a pull request `pull_requests: write` is enough to comment."""
    standin.branch()
    number = standin.pull().body["number"]
    token = standin.token(pull_requests="write")
    path = f"{REPO}/issues/{number}/comments"
    assert standin.ask("POST", path, {"body": "x"}, token).status == 201


def test_a_token_reaches_only_its_repositories(standin: StandIn) -> None:
    """A token for one repository cannot write to another, nor see a private one."""
    standin.control("POST", "/repositories", {"full_name": "octo/other", "private": True})
    standin.control("POST", "/repositories", {"full_name": "octo/open"})
    token = standin.token()
    assert standin.ask("GET", "/repos/octo/other", token=token).status == 404
    assert standin.ask("GET", "/repos/octo/open", token=token).status == 200
    assert standin.ask("POST", "/repos/octo/open/issues", {"title": "x"}, token).status == 403


def test_strangers_read_what_is_public_and_write_little(standin: StandIn) -> None:
    """Without a token one reads; with a stranger's one opens issues but does not label."""
    assert standin.ask("GET", REPO, token=None).status == 200
    assert message(standin.ask("POST", f"{REPO}/issues", {"title": "x"}, None)) == (
        401,
        "Requires authentication",
    )
    made = standin.ask("POST", f"{REPO}/issues", {"title": "x", "labels": ["claude-dev"]}, OUTSIDER)
    assert (made.status, made.body["labels"]) == (201, [])
    assert standin.ask("POST", f"{REPO}/issues/1/labels", {"labels": ["claude-dev"]}, OUTSIDER).status == 403
    standin.control("PUT", "/repositories/octo/app/permissions", {"outsider": "triage"})
    assert standin.ask("POST", f"{REPO}/issues/1/labels", {"labels": ["claude-dev"]}, OUTSIDER).status == 200
    assert standin.ask("PATCH", REPO, {"archived": True}, OUTSIDER).status == 403


def test_permissions_of_people_and_apps(standin: StandIn) -> None:
    """The permission of a person is known, that of an App is a 404."""
    token = standin.token(issues="write")
    expected = {"maintainer": ("admin", "admin"), "outsider": ("read", "read")}
    for login, (old, role) in expected.items():
        body = standin.get(f"{REPO}/collaborators/{login}/permission", token)
        assert (body["permission"], body["role_name"]) == (old, role)
    standin.control("PUT", "/repositories/octo/app/permissions", {"outsider": "maintain"})
    assert standin.get(f"{REPO}/collaborators/outsider/permission", token)["permission"] == "write"
    for login in ("wright[bot]", "nobody"):
        assert standin.ask("GET", f"{REPO}/collaborators/{login}/permission", token=token).status == 404


def test_limits(standin: StandIn) -> None:
    """Requests and content beyond the limits are refused, and the headers say for how long."""
    standin.control("PUT", "/limits", {"content_per_minute": 2})
    token = standin.token(issues="write")
    path = f"{REPO}/issues"
    assert [standin.ask("POST", path, {"title": "x"}, token).status for _ in range(3)] == [201, 201, 403]
    refused = standin.ask("POST", path, {"title": "x"}, token)
    assert "secondary rate limit" in refused.body["message"]
    assert refused.headers["Retry-After"] == "60"
    standin.time[0] += 61
    assert standin.ask("POST", path, {"title": "x"}, token).status == 201
    standin.control("PUT", "/limits", {"per_hour": 1})
    reply = standin.ask("GET", REPO, token=OUTSIDER)
    assert (reply.status, reply.headers["X-RateLimit-Remaining"]) == (200, "0")
    reply = standin.ask("GET", REPO, token=OUTSIDER)
    assert reply.status == 403
    assert reply.body["message"].startswith("API rate limit exceeded for user ID")
    standin.time[0] += 3_600
    assert standin.ask("GET", REPO, token=OUTSIDER).status == 200


def test_a_secondary_limit_without_a_time(standin: StandIn) -> None:
    """Without `Retry-After` a limit lasts a minute; whoever goes on asking waits anew, and is listed."""
    standin.control("PUT", "/limits", {"requests_per_minute": 3, "retry_after": False})
    token = standin.token()
    asked = [standin.ask("GET", REPO, token=token) for _ in range(4)]
    assert [reply.status for reply in asked] == [200, 200, 200, 403]
    assert "Retry-After" not in asked[-1].headers
    assert "secondary rate limit" in asked[-1].body["message"]
    standin.time[0] += 1
    assert standin.ask("GET", REPO, token=token).status == 403
    assert standin.control("GET", "/impatient").body == []
    standin.time[0] += 30
    assert standin.ask("GET", REPO, token=token).status == 403
    standin.time[0] += 59
    # It began anew, for a minute: without a time nobody could know of more.
    assert standin.ask("GET", REPO, token=token).status == 403
    standin.time[0] += 61
    assert standin.ask("GET", REPO, token=token).status == 200
    assert len(standin.control("GET", "/impatient").body) == 2


@pytest.mark.parametrize("status", [200, 403])
def test_graphql_tells_limits_in_its_own_way(standin: StandIn, status: int) -> None:
    """A primary limit is 200 with a type, a secondary one 200 or 403 with a message."""
    token = standin.token()
    query = "query { viewer { login } }"
    standin.control("PUT", "/limits", {"requests_per_minute": 0, "graphql_status": status})
    reply = standin.graphql_reply(query, token)
    assert reply.status == status
    words = reply.body["message"] if status == 403 else reply.body["errors"][0]["message"]
    assert "secondary rate limit" in words
    assert reply.headers["Retry-After"] == "60"
    standin.control("PUT", "/limits", {"requests_per_minute": None, "per_hour": 0})
    reply = standin.graphql_reply(query, token)
    assert (reply.status, reply.headers["X-RateLimit-Remaining"]) == (200, "0")
    assert reply.body["errors"][0]["type"] == "RATE_LIMIT"

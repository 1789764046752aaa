"""What holds the stand-in to GitHub's own descriptions: it passes what is right, and sees what is not."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.github_truth.report import judge
from tests.integration.github.kit import MAINTAINER, StandIn, address, git

if TYPE_CHECKING:
    from pathlib import Path

APP = {"actor": "installation", "query": {}, "headers": {}, "media_type": "application/json; charset=utf-8"}


def _judged(folder: Path, *exchanges: dict[str, Any]) -> list[str]:
    (folder / "1.jsonl").write_text("".join(json.dumps(exchange) + "\n" for exchange in exchanges))
    return list(judge(folder).violations)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Provide what a stand-in wrote down of an issue, a comment on it and a pull request."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULLWRIGHT_EXCHANGES", str(folder / "exchanges"))
        stand_in = StandIn.start(folder / "data")
    try:
        stand_in.control("POST", "/users", {"login": "maintainer", "token": MAINTAINER})
        name = stand_in.repository("acme/described")
        stand_in.rest("POST", f"/repos/{name}/issues", {"title": "One", "body": "Text"})
        stand_in.rest("POST", f"/repos/{name}/issues/1/comments", {"body": "Hello"})
        git(folder, "clone", "--quiet", address(stand_in, name, MAINTAINER), "clone")
        clone = folder / "clone"
        git(clone, "checkout", "--quiet", "-b", "work")
        (clone / ".github/workflows").mkdir(parents=True)
        (clone / ".github/workflows/ci.yml").write_text("on: pull_request\njobs: {}\n")
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "New")
        git(clone, "push", "--quiet", "origin", "work")
        stand_in.rest("POST", f"/repos/{name}/pulls", {"title": "Two", "head": "work", "base": "main"})
        assert stand_in.rest("GET", f"/repos/{name}/actions/runs")["total_count"] == 1
        stand_in.rest("PUT", f"/repos/{name}/issues/1/lock", {"lock_reason": "resolved"})
        stand_in.rest("GET", f"/repos/{name}/issues/1")
        stand_in.rest("PATCH", f"/repos/{name}", {"has_issues": False})
        with pytest.raises(Exception, match="answered 410"):
            stand_in.rest("GET", f"/repos/{name}/issues/1")
    finally:
        stand_in.stop()
    [file] = (folder / "exchanges").glob("*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_what_the_stand_in_says_is_as_github_describes_it(
    written: list[dict[str, Any]], tmp_path: Path
) -> None:
    """`@octokit/openapi` finds nothing in an issue, a comment, a pull request, a run and a setting."""
    assert {exchange["path"].rpartition("/")[2] for exchange in written} >= {"issues", "comments", "pulls"}
    assert _judged(tmp_path, *written) == []


def _paths(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return all fields of the objects in a value, but for those inside lists."""
    if not isinstance(value, dict):
        return []
    return [
        found for name, inner in value.items() for found in ((*path, name), *_paths(inner, (*path, name)))
    ]


def test_a_field_of_another_type_is_seen_wherever_it_stands(
    written: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Each field of the pull request that GitHub describes, given as what it is not, is found by its path."""
    [pull] = [exchange for exchange in written if exchange["path"].endswith("/pulls")]
    missed = []
    for path in _paths(pull["answer"]):
        changed = copy.deepcopy(pull)
        place = changed["answer"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = [{"not": "this"}]
        if not _judged(tmp_path, changed):
            missed.append("/".join(path))
    assert missed == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "POST", "path": "/repos/a/b/issues/1/comment"}, "GitHub has no such operation"),
        ({"body": {"text": "hello"}}, '"body" is a required property'),
        ({"query": {"colour": "red"}}, "no parameter colour"),
        ({"answer": {"id": 1}}, '"node_id" is a required property'),
        ({"status": 299}, "GitHub does not describe this status"),
        ({"status": 404, "answer": {"error": 3, "message": 4}}, "answer: "),
    ],
)
def test_what_departs_is_named(
    written: list[dict[str, Any]], tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    """An unknown path, field, parameter or status, and an answer without what it needs, fail the run."""
    [comment] = [exchange for exchange in written if exchange["path"].endswith("/comments")]
    found = _judged(tmp_path, {**comment, **APP, **change})
    assert any(words in problem for problem in found), found


@pytest.mark.parametrize(
    ("body", "answer", "words"),
    [
        ({"query": "query { viewer { colour } }"}, {"data": {"viewer": {"colour": 1}}}, "Cannot query field"),
        (
            {"query": 'query { repository(owner: "a", name: "b") { issue(number: 1) { title } } }'},
            {"data": {"repository": {"issue": {"title": None}}}},
            "Cannot return null",
        ),
        (
            {"query": 'query { repository(owner: "a", name: "b") { issue(number: 1) { state } } }'},
            {"data": {"repository": {"issue": {"state": "AJAR"}}}},
            "AJAR",
        ),
    ],
)
def test_graphql_that_departs_is_named(
    tmp_path: Path, body: dict[str, Any], answer: dict[str, Any], words: str
) -> None:
    """`@octokit/graphql-schema` finds an unknown field, a null that may not be, and an unknown value."""
    exchange = {**APP, "kind": "graphql", "method": "POST", "path": "/", "body": body, "status": 200}
    assert any(words in problem for problem in _judged(tmp_path, {**exchange, "answer": answer}))


def test_a_webhook_that_departs_is_named(tmp_path: Path) -> None:
    """`@octokit/openapi-webhooks` finds an unknown event and a payload without its parts."""
    headers = {"X-GitHub-Event": "issues"}
    found = _judged(
        tmp_path,
        {"kind": "webhook", "headers": headers, "body": {"action": "labelled"}},
        {"kind": "webhook", "headers": headers, "body": {"action": "labeled"}},
    )
    assert "issues-labelled: GitHub has no such webhook" in found
    assert 'issues-labeled: the whole: "issue" is a required property' in found
    assert "issues-labeled: header x-github-delivery is missing" in found


def test_conditional_requests_and_api_versions(stand_in: StandIn) -> None:
    """A known ETag gets 304 and costs nothing; an unknown version of the API gets 400."""
    import urllib3  # noqa: PLC0415 - one test needs headers of its own

    name = stand_in.repository("acme/tagged")
    url = f"{stand_in.url}/api/v3/repos/{name}"
    headers = {"User-Agent": "tests", "Authorization": f"Bearer {MAINTAINER}"}
    first = urllib3.request("GET", url, headers=headers)
    again = urllib3.request("GET", url, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (first.status, again.status, again.data) == (200, 304, b"")
    assert again.headers["X-RateLimit-Used"] == first.headers["X-RateLimit-Used"]
    refused = urllib3.request("GET", url, headers={**headers, "X-GitHub-Api-Version": "2019-01-01"})
    assert refused.status == 400


def test_installation_tokens_have_the_form_of_2026(stand_in: StandIn) -> None:
    """`ghs_`, the App's id and a JSON web token, some 520 characters."""
    name = stand_in.repository("acme/token")
    token = stand_in.installation_token(name, {"contents": "read"})
    head, number, signed = token.split("_", 2)
    assert (head, number.isdecimal(), signed.count(".")) == ("ghs", True, 2)
    assert 480 <= len(token) <= 560
    repository = stand_in.rest("GET", f"/repos/{name}", token=token)
    assert repository["permissions"] == {
        "admin": False,
        "maintain": False,
        "push": False,
        "triage": False,
        "pull": True,
    }


def test_a_ref_below_a_ref_is_refused_and_no_failure(stand_in: StandIn) -> None:
    """Git keeps a ref as a file or as a folder: the other one gets 422."""
    name = stand_in.repository("acme/below")
    sha = stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main")["object"]["sha"]
    stand_in.rest("POST", f"/repos/{name}/git/refs", {"ref": "refs/heads/a/b", "sha": sha})
    for ref in ("refs/heads/a", "refs/heads/a/b/c"):
        with pytest.raises(Exception, match="answered 422"):
            stand_in.rest("POST", f"/repos/{name}/git/refs", {"ref": ref, "sha": sha})

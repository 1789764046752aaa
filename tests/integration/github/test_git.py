"""Real git against the stand-in: clones, pushes and what is refused."""

from __future__ import annotations

import base64
import gzip
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from local.people import call
from tests.integration.github.kit import APP_ID, MAINTAINER, Hook, StandIn, address, clone, commit, git

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_push_of_the_app_moves_its_pull_request(stand_in: StandIn, hook: Hook, tmp_path: Path) -> None:
    """Branch, draft, push, ready: heads follow, events are signed and name the bot."""
    name = stand_in.repository("octo/flow")
    token = stand_in.installation_token(name, {"contents": "write", "pull_requests": "write"})
    base = stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main", token=token)["object"]["sha"]
    tree = stand_in.rest("GET", f"/repos/{name}/git/commits/{base}", token=token)["tree"]["sha"]
    first = stand_in.rest(
        "POST",
        f"/repos/{name}/git/commits",
        {"message": "Begin [skip ci]", "tree": tree, "parents": [base]},
        token,
    )
    assert first["author"]["name"] == "pullwright-test[bot]"
    ref = {"ref": "refs/heads/claude/1", "sha": first["sha"]}
    stand_in.rest("POST", f"/repos/{name}/git/refs", ref, token)
    pull = stand_in.rest(
        "POST",
        f"/repos/{name}/pulls",
        {"title": "x", "head": "claude/1", "base": "main", "draft": True},
        token,
    )
    headers, payload = hook.next("pull_request", "opened")
    assert headers["Host"] == "functions.example.test:4566"
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(APP_ID)
    assert payload["sender"]["login"] == "pullwright-test[bot]"
    assert payload["installation"]["id"]
    assert (payload["pull_request"]["draft"], payload["number"]) == (True, pull["number"])

    folder = clone(stand_in, name, tmp_path, token)
    git(folder, "checkout", "--quiet", "claude/1")
    sha = commit(folder, "b.txt", "two\n")
    git(folder, "push", "--quiet", "origin", "HEAD", "HEAD:refs/pullwright/claude/1")
    _, moved = hook.next("pull_request", "synchronize")
    assert (moved["before"], moved["after"]) == (first["sha"], sha)
    seen = stand_in.rest("GET", f"/repos/{name}/pulls/{pull['number']}", token=None)
    assert (seen["head"]["sha"], seen["commits"], seen["additions"]) == (sha, 2, 1)

    query = (
        "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) "
        "{ pullRequest { isDraft } } }"
    )
    body = {"query": query, "variables": {"id": pull["node_id"]}}
    answer = call(stand_in.url, "POST", "/api/graphql", body, token=token)
    assert answer == {"data": {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": False}}}}
    assert hook.next("pull_request", "ready_for_review")[1]["pull_request"]["draft"] is False


def test_rulesets_refuse_a_push_in_githubs_words(stand_in: StandIn, tmp_path: Path) -> None:
    """An unsigned commit is refused on a branch, and a restricted path on every ref; the lines are GitHub's.

    https://github.com/vercel/sandbox/pull/169 and https://github.com/transloadit/uppy/pull/6442 show them.
    """
    rulesets = [
        {
            "name": "signed",
            "conditions": {"ref_name": {"include": ["~ALL"]}},
            "rules": [{"type": "required_signatures"}],
        },
        {
            "name": "push",
            "target": "push",
            "rules": [
                {"type": "file_path_restriction", "parameters": {"restricted_file_paths": ["secret/*"]}},
                {"type": "max_file_size", "parameters": {"max_file_size": 1}},
            ],
        },
    ]
    name = stand_in.repository("octo/rules", rulesets=rulesets)
    token = stand_in.installation_token(name, {"contents": "write"})
    folder = clone(stand_in, name, tmp_path, token)
    sha = commit(folder, "b.txt", "two\n")
    refused = git(folder, "push", "origin", "HEAD:refs/heads/x", ok=False)
    for line in (
        "remote: error: GH013: Repository rule violations found for refs/heads/x.",
        f"remote: Review all repository rules at {stand_in.url}/octo/rules/rules?ref=refs%2Fheads%2Fx",
        "remote: - Commits must have verified signatures.",
        "remote:   Found 1 violation:",
        f"remote:   {sha}",
        "[remote rejected] HEAD -> x (push declined due to repository rule violations)",
    ):
        assert line in refused
    git(folder, "push", "--quiet", "origin", "HEAD:refs/pullwright/x")
    (folder / "secret").mkdir()
    commit(folder, "secret/key", "x")
    assert "secret/key" in git(folder, "push", "origin", "HEAD:refs/pullwright/y", ok=False)
    git(folder, "reset", "--quiet", "--hard", "HEAD~1")
    commit(folder, "large", "x" * 1_100_000)
    assert "larger than 1 MB" in git(folder, "push", "origin", "HEAD:refs/pullwright/y", ok=False)
    # What GitHub has signed may be pushed too: it is the commit that counts.
    tree = stand_in.rest("GET", f"/repos/{name}/git/commits/{sha}", token=token)["tree"]["sha"]
    base = stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main", token=token)["object"]["sha"]
    body = {"message": "Signed", "tree": tree, "parents": [base]}
    signed = stand_in.rest("POST", f"/repos/{name}/git/commits", body, token)["sha"]
    git(folder, "fetch", "--quiet", "origin", signed)
    git(folder, "push", "--quiet", "origin", f"{signed}:refs/heads/x")


def test_a_large_push_is_streamed_in_chunks(stand_in: StandIn, tmp_path: Path) -> None:
    """A push beyond git's post buffer comes chunked and arrives whole."""
    name = stand_in.repository("octo/large")
    folder = clone(stand_in, name, tmp_path, MAINTAINER)
    (folder / "noise").write_bytes(os.urandom(5_000_000))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "noise")
    git(folder, "push", "--quiet", "origin", "main")
    git(tmp_path, "clone", "--quiet", address(stand_in, name), "second")
    assert (tmp_path / "second" / "noise").read_bytes() == (folder / "noise").read_bytes()


def test_a_gzipped_request_is_understood(stand_in: StandIn) -> None:
    """A fetch whose body is compressed, as git sends large ones, is answered."""
    name = stand_in.repository("octo/zipped")
    body = b"0014command=ls-refs\n0015agent=test/1.00010000"
    answer = urllib3.request(
        "POST",
        f"{stand_in.url}/{name}.git/git-upload-pack",
        body=gzip.compress(body),
        headers={
            "Content-Type": "application/x-git-upload-pack-request",
            "Content-Encoding": "gzip",
            "Git-Protocol": "version=2",
        },
    )
    assert answer.status == 200
    assert b"refs/heads/main" in answer.data


def test_a_client_that_dies_in_the_middle_of_a_request_leaves_nothing_running(stand_in: StandIn) -> None:
    """A body that ends before its length ends git as well, which would look for the rest for ever."""
    name = stand_in.repository("octo/cut-off")

    def backends() -> list[Path]:
        tasks = Path(f"/proc/{stand_in.process.pid}/task").glob("*/children")
        children = [Path(f"/proc/{pid}/comm") for file in tasks for pid in file.read_text().split()]
        return [child for child in children if child.exists() and child.read_text().startswith("git-http")]

    client = socket.create_connection(("127.0.0.1", int(stand_in.url.rpartition(":")[2])))
    password = base64.b64encode(f"x:{MAINTAINER}".encode()).decode()
    head = (
        f"POST /{name}.git/git-receive-pack HTTP/1.1",
        "Host: localhost",
        f"Authorization: Basic {password}",
        "Content-Type: application/x-git-receive-pack-request",
        "Content-Length: 750",
    )
    client.sendall(("\r\n".join(head) + "\r\n\r\n0014").encode())
    _until(lambda: len(backends()) == 1)
    client.close()
    _until(lambda: not backends())


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("path", "permissions", "settings", "reason"),
    [
        ("b.txt", {"contents": "read"}, {}, "Permission to octo/"),
        ("b.txt", {"contents": "write"}, {"protected_branches": ["ma*"]}, "(protected branch hook declined)"),
        (".github/workflows/ci.yml", {"contents": "write"}, {}, "without `workflows` permission"),
        (
            "b.txt",
            {"contents": "write"},
            {"archived": True},
            "This repository was archived so it is read-only.",
        ),
    ],
)
def test_pushes_that_github_refuses(
    stand_in: StandIn,
    tmp_path: Path,
    path: str,
    permissions: dict[str, str],
    settings: dict[str, Any],
    reason: str,
) -> None:
    """A push without the right is refused in GitHub's words, and nothing moves."""
    name = stand_in.repository(f"octo/{tmp_path.name.strip('_')}")
    folder = clone(stand_in, name, tmp_path, stand_in.installation_token(name, permissions))
    before = git(folder, "rev-parse", "HEAD").strip()
    commit(folder, path, "on: push\n")
    stand_in.control("PATCH", f"/repositories/{name}", settings)
    assert reason in git(folder, "push", "origin", "main", ok=False)
    assert stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main")["object"]["sha"] == before


def test_rewritten_history_needs_force(stand_in: StandIn, tmp_path: Path) -> None:
    """A push that is no fast-forward is refused without force, and taken with it."""
    name = stand_in.repository("octo/forced")
    folder = clone(stand_in, name, tmp_path, MAINTAINER)
    commit(folder, "b.txt", "two\n")
    git(folder, "push", "--quiet", "origin", "HEAD:topic")
    git(folder, "commit", "--quiet", "--amend", "--message", "again")
    assert "non-fast-forward" in git(folder, "push", "origin", "HEAD:topic", ok=False)
    git(folder, "push", "--quiet", "--force", "origin", "HEAD:topic")
    assert stand_in.rest("GET", f"/repos/{name}/compare/main...topic")["status"] == "ahead"


def test_strangers_do_not_learn_of_private_repositories(stand_in: StandIn, tmp_path: Path) -> None:
    """A client is asked for credentials, and with somebody's it hears that there is nothing."""
    name = stand_in.repository("octo/hidden", private=True)
    stand_in.control("POST", "/users", {"login": "outsider", "token": "ghp_mallory_mallory"})
    assert "could not read Username" in git(tmp_path, "clone", address(stand_in, name), "one", ok=False)
    answer = git(tmp_path, "clone", address(stand_in, name, "ghp_mallory_mallory"), "two", ok=False)
    assert "Repository not found." in answer
    assert "Invalid username or token" in git(
        tmp_path, "clone", address(stand_in, name, "ghs_nobody"), "three", ok=False
    )
    git(tmp_path, "clone", "--quiet", address(stand_in, name, MAINTAINER), "four")

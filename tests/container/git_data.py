"""The part of GitHub's git database API that brings a commit onto a branch.

Who stands in such a commit and what is refused in which words is what GitHub documents; the stand-in in
`local/github_standin` is stricter and signs, and the integration tests have it.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.container.harness import Harness

_REPO = "/api/v3/repos/acme/shop/git"
_BOT = ("pullwright[bot]", "1+pullwright[bot]@users.noreply.github.com")
_GITHUB = ("GitHub", "noreply@github.com")


def answer_git_data(harness: Harness, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Answer one request with status and content."""
    harness.git_data_calls.append(f"{method} {path.removeprefix(_REPO)}")
    given = json.loads(body) if body else {}
    if happens := harness.before_git_data.pop(method, None):
        happens()
    if waiting := harness.git_data_answers.get(method):
        status, message, is_done = waiting.pop(0)
        if is_done:
            _carry_out(harness, method, path, given)
        return status, {"message": message}
    return _carry_out(harness, method, path, given)


def _carry_out(harness: Harness, method: str, path: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if (method, path) == ("POST", f"{_REPO}/commits"):
        return _commit(harness, given)
    ref = path.removeprefix(_REPO).replace("/ref/", "/refs/").strip("/")
    stands = _try(harness, "rev-parse", "--verify", "--quiet", ref)
    if method == "GET":
        found = {"ref": ref, "object": {"sha": stands, "type": "commit"}}
        return (200, found) if stands else (404, {"message": "Not Found"})
    if stands is None:
        return 422, {"message": "Reference does not exist"}
    if _try(harness, "cat-file", "-t", given["sha"]) is None:
        return 422, {"message": "Object does not exist"}
    if given.get("force") or _try(harness, "merge-base", "--is-ancestor", stands, given["sha"]) is None:
        return 422, {"message": "Update is not a fast forward"}
    harness.git("update-ref", ref, given["sha"])
    return 200, {"ref": ref, "object": {"sha": given["sha"], "type": "commit"}}


def _commit(harness: Harness, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if set(given) != {"message", "tree", "parents"}:
        return 422, {"message": "This is not signed"}
    if _try(harness, "cat-file", "-t", given["tree"]) != "tree":
        return 422, {"message": "Tree SHA does not exist"}
    who = {
        f"GIT_{role}_{field}": value
        for role, identity in (("AUTHOR", _BOT), ("COMMITTER", _GITHUB))
        for field, value in zip(("NAME", "EMAIL"), identity, strict=True)
    }
    parents = [word for parent in given["parents"] for word in ("-p", parent)]
    command = ["git", "commit-tree", given["tree"], *parents]
    done = subprocess.run(
        command, cwd=harness.bare, env=who, input=given["message"].encode(), check=True, capture_output=True
    )
    made: dict[str, Any] = {
        "sha": done.stdout.decode().strip(),
        "tree": {"sha": given["tree"]},
        "message": given["message"],
        "committer": {"name": "GitHub", "email": "noreply@github.com", "date": "2026-11-21T08:30:00Z"},
    }
    return 201, made


def _try(harness: Harness, *arguments: str) -> str | None:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=harness.bare, check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None

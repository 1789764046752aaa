"""The stand-in's signatures and rulesets, asked without any network."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.github_kit import MAINTAINER, REPO, StandIn, open_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHO = {"name": "x", "email": "x@example.invalid"}


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[StandIn]:
    """Provide a stand-in with a repository, for one test."""
    yield from open_lab(tmp_path)


def commit(standin: StandIn, token: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    """Make a commit on top of main, or of another one."""
    parent = parent or standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    tree = standin.get(f"{REPO}/git/commits/{parent}")["tree"]["sha"]
    body = {"message": "Work", "tree": tree, "parents": [parent], **more}
    reply = standin.ask("POST", f"{REPO}/git/commits", body, token)
    assert reply.status == 201, reply.body
    return dict(reply.body)


def test_only_the_apps_commits_without_names_are_signed(standin: StandIn) -> None:
    """GitHub signs for a bot that gives neither author nor committer, and for nobody else.

    https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
    """
    token = standin.token(contents="write")
    signed = commit(standin, token)
    assert signed["author"]["name"] == "wright[bot]"
    assert signed["committer"]["email"] == "noreply@github.com"
    assert signed["verification"]["reason"] == "valid"
    assert signed["verification"]["payload"].startswith(f"tree {signed['tree']['sha']}\n")
    unsigned = [
        commit(standin, token, author=WHO),
        commit(standin, token, committer=WHO),
        commit(standin, MAINTAINER),
        # Whoever names GitHub as the committer has not its key.
        commit(standin, token, committer={"name": "GitHub", "email": "noreply@github.com"}),
    ]
    assert [one["verification"]["reason"] for one in unsigned] == ["unsigned"] * 4


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="git needs ssh-keygen, which is missing")
def test_git_verifies_the_signature(standin: StandIn, tmp_path: Path) -> None:
    """The independent judge is git with OpenSSH: it verifies the commit, and not one that was changed."""
    sha = commit(standin, standin.token(contents="write"))["sha"]
    git = standin.world.git_store.open("octo", "app")
    signers = tmp_path / "signers"
    signers.write_text(f"noreply@github.com {standin.world.git_store.signer.public_key}\n")
    options = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit")
    git.run(*options, sha)
    forged = git.raw_commit(sha).replace(b"Work", b"Mine")
    other = git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=forged).decode().strip()
    with pytest.raises(subprocess.CalledProcessError):
        git.run(*options, other)
    assert standin.get(f"{REPO}/git/commits/{other}")["verification"]["verified"] is False


RULES: list[tuple[dict[str, Any], str | None]] = [
    ({"type": "required_signatures"}, None),
    ({"type": "non_fast_forward"}, None),
    ({"type": "required_linear_history"}, None),
    ({"type": "update"}, "Cannot update this protected ref."),
    ({"type": "pull_request"}, "Changes must be made through a pull request."),
    (
        {
            "type": "required_status_checks",
            "parameters": {"required_status_checks": [{"context": "ci"}]},
        },
        'Required status check "ci" is expected.',
    ),
    (
        {"type": "commit_message_pattern", "parameters": {"operator": "starts_with", "pattern": "feat"}},
        "Commit message must start with feat.",
    ),
    (
        {"type": "committer_email_pattern", "parameters": {"operator": "regex", "pattern": "@github"}},
        None,
    ),
]


@pytest.mark.parametrize(("rule", "sentence"), RULES, ids=[rule["type"] for rule, _ in RULES])
def test_rulesets_hold_for_updates_through_the_api(
    standin: StandIn, rule: dict[str, Any], sentence: str | None
) -> None:
    """A signed commit that moves a branch forward breaks only the rules that it must break."""
    token = standin.token(contents="write")
    first = commit(standin, token)["sha"]
    standin.ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/claude/1", "sha": first}, token)
    ruleset = {"name": "r", "conditions": {"ref_name": {"include": ["refs/heads/claude/*"]}}, "rules": [rule]}
    reply = standin.control("PATCH", "/repositories/octo/app", {"rulesets": [ruleset]})
    assert reply.status == 200, reply.body
    second = commit(standin, token, first)["sha"]
    moved = standin.ask("PATCH", f"{REPO}/git/refs/heads/claude/1", {"sha": second}, token)
    if sentence is None:
        assert moved.status == 200, moved.body
    else:
        assert (moved.status, moved.body["message"].splitlines()[:3]) == (
            422,
            ["Repository rule violations found", "", sentence],
        )


def test_unsigned_commits_and_new_branches_can_be_refused(standin: StandIn) -> None:
    """Every new commit has to be signed, creations are refused; who bypasses a ruleset is above it."""
    token = standin.token(contents="write")
    signed, unsigned = commit(standin, token)["sha"], commit(standin, token, author=WHO)["sha"]
    everywhere = {"ref_name": {"include": ["~ALL"], "exclude": ["refs/heads/free"]}}

    def create(name: str, sha: str, kind: str, **more: Any) -> tuple[int, str]:
        ruleset = {"name": "r", "conditions": everywhere, "rules": [{"type": kind}], **more}
        standin.control("PATCH", "/repositories/octo/app", {"rulesets": [ruleset]})
        body = {"ref": f"refs/heads/{name}", "sha": sha}
        reply = standin.ask("POST", f"{REPO}/git/refs", body, token)
        return reply.status, reply.body.get("message", "")

    status, message = create("a", unsigned, "required_signatures")
    assert status == 422
    assert f"Commits must have verified signatures.\n  Found 1 violation:\n\n  {unsigned}" in message
    assert create("b", signed, "required_signatures")[0] == 201
    assert "creations being restricted" in create("c", signed, "creation")[1]
    assert create("free", signed, "creation")[0] == 201
    assert create("d", signed, "creation", enforcement="evaluate")[0] == 201
    bypass = [{"actor_type": "Integration", "actor_id": 7, "bypass_mode": "always"}]
    assert create("e", signed, "creation", bypass_actors=bypass)[0] == 201


def test_a_ruleset_that_is_none_is_refused(standin: StandIn) -> None:
    """The control API names the field."""
    body = {"rulesets": [{"name": "r", "rules": [{"type": "no_such_rule"}]}]}
    reply = standin.control("PATCH", "/repositories/octo/app", body)
    assert (reply.status, reply.body["errors"][0]["field"]) == (422, "rulesets.0.rules.0.type")

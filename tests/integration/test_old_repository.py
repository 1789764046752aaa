"""A repository as there are many: an old history, strict rules, and workflows that must run after a merge."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Repositories

# As in the histories of rails and others (rails/rails#58144); git fsck calls it badTimezone.
_AUTHOR = "A <a@example.invalid> 1112911993 +051800"
_WORKFLOW = """\
on:
  push: { branches: [main] }
jobs: { test: { runs-on: ubuntu-latest, steps: [{ run: make test }] } }
"""
_SIGNED = {
    "name": "signed and linear",
    "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}},
    "rules": [
        {"type": kind} for kind in ("required_signatures", "non_fast_forward", "required_linear_history")
    ],
}


def _old_history(folder: Path) -> Path:
    """Return a git repository whose first commit has a time zone that cannot be, and which has a workflow."""

    def git(*arguments: str, given: str = "") -> str:
        command = ["git", "-C", str(folder), "-c", "user.name=B", "-c", "user.email=b@example.invalid"]
        done = subprocess.run([*command, *arguments], input=given, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    (folder / ".github/workflows").mkdir(parents=True)
    (folder / ".github/workflows/ci.yml").write_text(_WORKFLOW)
    git("add", "--all")
    text = f"tree {git('write-tree')}\nauthor {_AUTHOR}\ncommitter {_AUTHOR}\n\nOld\n"
    old = git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=text)
    git("update-ref", "refs/heads/main", old)
    (folder / "README.md").write_text("# Old\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Newer")
    found = subprocess.run(["git", "-C", str(folder), "fsck"], check=False, capture_output=True, text=True)
    assert "badTimezone" in found.stderr + found.stdout
    return folder


def test_an_old_repository_with_strict_rules_gets_its_work_and_its_workflows(
    repositories: Repositories, tmp_path: Path
) -> None:
    """A bad time zone is cloned, every commit is signed, and the squashed merge starts main's workflow."""
    repository = repositories.make(source=str(_old_history(tmp_path)), rulesets=[_SIGNED])
    session = repository.start(issue=repository.issue())
    record = session.record()
    assert (session.status(), record.outcome) == ("SUCCEEDED", "changed"), record
    number = record.pull_request
    commits = repository.rest("GET", f"/pulls/{number}/commits")
    assert {one["commit"]["verification"]["reason"] for one in commits} == {"valid"}

    merged = repository.rest("PUT", f"/pulls/{number}/merge", {"merge_method": "squash"})["sha"]
    runs = repository.rest("GET", f"/actions/runs?head_sha={merged}")["workflow_runs"]
    assert [(run["event"], run["head_branch"]) for run in runs] == [("push", "main")]

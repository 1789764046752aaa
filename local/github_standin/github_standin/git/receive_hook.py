"""The git hooks of every repository, run by `git receive-pack` in a process of their own.

`proc-receive` judges each ref of a push and answers with GitHub's own reasons; what passes is left to git
(https://git-scm.com/docs/githooks#proc-receive). `post-receive` writes down what was really updated.
The rules come with the environment, in `STANDIN_PUSH`. Only the standard library is on the path.
"""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from github_standin.git import rules as rulings
    from github_standin.git import workflow_files
else:
    # Isolated as this process is, it finds its neighbours only so.
    sys.path.insert(0, str(Path(__file__).parent))
    import rules as rulings
    import workflow_files

ZERO = "0" * 40


def _read_line() -> bytes | None:
    """Read one pkt-line; None is the flush packet (or the end)."""
    head = sys.stdin.buffer.read(4)
    length = int(head, 16) if head else 0
    return None if length == 0 else sys.stdin.buffer.read(length - 4)


def _read_lines() -> list[bytes]:
    lines = []
    while (line := _read_line()) is not None:
        lines.append(line)
    return lines


def _write_lines(*lines: str) -> None:
    for line in lines:
        data = line.encode() + b"\n"
        sys.stdout.buffer.write(f"{len(data) + 4:04x}".encode() + data)
    sys.stdout.buffer.write(b"0000")
    sys.stdout.buffer.flush()


def _git(*arguments: str, stdin: bytes | None = None) -> bytes:
    return subprocess.run(["git", *arguments], input=stdin, check=True, capture_output=True).stdout


def _broken(rules: dict[str, Any], old: str, new: str, ref: str) -> list[str]:
    """Return which rules of the repository's rulesets an update breaks."""

    def verified(commit: str) -> bool:
        # Only this one needs a library, which takes longer to load than all the rest of the push.
        command = [sys.executable, "-I", rules["signing"], rules["data"]]
        content = _git("cat-file", "commit", commit)
        return b"\ngpgsig " in content and subprocess.run(command, input=content, check=False).returncode == 0

    change = rulings.Change(ref, old, new, _git, verified, rules["passed"])
    return rulings.violations(rulings.applying(rules["rulesets"], ref, rules["default_branch"]), change)


def _refusal(rules: dict[str, Any], old: str, new: str, ref: str) -> str | None:
    """Return why a ref may not be updated, in GitHub's words, or None."""
    branch = ref.removeprefix("refs/heads/")
    if rules["only"] is not None and (branch == ref or branch not in rules["only"] or new == ZERO):
        return "permission denied"
    if ref != branch and any(fnmatch.fnmatchcase(branch, pattern) for pattern in rules["protected"]):
        print(f"error: GH006: Protected branch update failed for {ref}.", file=sys.stderr)
        if new == ZERO:
            print("error: Cannot delete a protected branch", file=sys.stderr)
        elif old == ZERO:
            print("error: Cannot create a branch that matches a protected pattern", file=sys.stderr)
        else:
            print("error: Changes must be made through a pull request.", file=sys.stderr)
        return "protected branch hook declined"
    if broken := _broken(rules, old, new, ref):
        address = f"{rules['page']}/rules?ref={quote(ref, safe='')}"
        print(f"error: GH013: Repository rule violations found for {ref}.", file=sys.stderr)
        print(f"Review all repository rules at {address}\n", file=sys.stderr)
        for text in broken:
            print(f"- {text}\n", file=sys.stderr)
        return "push declined due to repository rule violations"
    if new != ZERO and not rules["workflows"] and (name := workflow_files.find_refused(_git, old, new)):
        return (
            f"refusing to allow a GitHub App to create or update workflow `{name}` "
            "without `workflows` permission"
        )
    return None


def _proc_receive(rules: dict[str, Any]) -> None:
    _read_lines()
    _write_lines("version=1\0")
    commands = [line.decode().strip().split(" ", 2) for line in _read_lines()]
    answers = []
    for old, new, ref in commands:
        reason = _refusal(rules, old, new, ref)
        answers += [f"ng {ref} {reason}"] if reason else [f"ok {ref}", "option fall-through"]
    _write_lines(*answers)


def _post_receive(rules: dict[str, Any]) -> None:
    with open(rules["log"], "a", encoding="utf-8") as log:  # noqa: PTH123 - -S keeps start-up short
        log.writelines(sys.stdin)


if __name__ == "__main__":
    push = json.loads(os.environ["STANDIN_PUSH"])
    if sys.argv[1] == "proc-receive":
        _proc_receive(push)
    else:
        _post_receive(push)

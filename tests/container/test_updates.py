"""Branches that fell behind their base, which are brought up to date before the agent begins: real git.

What is expected of a merge is what GitHub does with `Update branch`
(https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request-branch).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from github_standin.git import workflow_files
from pullwright.github.holding import SKIP_CHECKS
from runner import exit_codes
from tests.container.cli import StandIn
from tests.container.harness import IDENTITY, Harness
from tests.container.test_checks import commit
from tests.container.test_follow_ups import next_task

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOW = ".github/workflows/ci.yml"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n".format("1" * 64)
BEHIND = "The branch is not up to date with main"
RULE = """\
#!{python}
import subprocess, sys
sys.path.insert(0, {folder!r})
from workflow_files import ZERO, find_refused

def git(*arguments, stdin=None):
    return subprocess.run(["git", *arguments], input=stdin, check=True, capture_output=True).stdout

for old, new, _ in map(str.split, sys.stdin):
    if new != ZERO and (name := find_refused(git, old, new)):
        sys.exit(f"refusing to allow a GitHub App to create or update workflow `{{name}}`")
"""


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a branch with a person's commit, and a base that went on, also with a workflow."""
    with Harness.open() as opened:
        hook = opened.bare / "hooks/pre-receive"
        folder = str(workflow_files.__file__).rpartition("/")[0]
        hook.write_text(RULE.format(python=sys.executable, folder=folder))
        commit(opened, "claude/7", {"work.py": "x = 1\n"})
        commit(opened, "main", {"new.py": "y = 2\n", WORKFLOW: "on: push\n"})
        # From now on, who pushes is the App.
        hook.chmod(0o755)
        yield opened


def as_person(harness: Harness, branch: str, files: dict[str, str]) -> str:
    """Push a commit to a branch, as somebody who may push workflows too; return the commit."""
    hook = harness.bare / "hooks/pre-receive"
    hook.chmod(0o644)
    commit(harness, branch, files)
    hook.chmod(0o755)
    return harness.git("rev-parse", branch)


def conflict(harness: Harness) -> tuple[str, str]:
    """Let both sides change the same line, and the base bring what a checkout could lose.

    Returns:
        Where the branch and its base stand.
    """
    head = as_person(harness, "claude/7", {"src/app.py": "print('hello')\n"})
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "main", cwd=seed)
    (seed / "kept.log").write_text("ignored, and in git all the same\n")
    (seed / "link").symlink_to("new.py")
    harness.git("add", "-f", "kept.log", "link", cwd=seed)
    harness.git("update-index", "--add", "--cacheinfo", f"160000,{head},vendored", cwd=seed)
    harness.git("commit", "-q", "-m", "More", cwd=seed)
    (seed / "vendored").mkdir()
    files = {
        ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ".gitmodules": '[submodule "vendored"]\n\tpath = vendored\n\turl = https://example.com/x.git\n',
        "model.bin": POINTER,
        "src/app.py": "print('good day')\n",
    }
    return head, as_person(harness, "main", files)


def notices(harness: Harness) -> tuple[str, ...]:
    """Return what people are told besides."""
    return harness.result.notices


def parents(harness: Harness, commit: str = "claude/7") -> list[str]:
    """Return a commit's parents."""
    return harness.git("log", "-1", "--format=%P", commit).split()


def next_session(harness: Harness) -> None:
    """Forget the session before."""
    harness.objects.setdefault(harness.key("conversation.jsonl"), b"")
    next_task(harness)


def test_what_is_clean_is_merged_before_the_agent_begins(harness: Harness) -> None:
    """A merge commit by GitHub stands above everybody's commits, and the agent's work above it; once."""
    head, base = harness.git("rev-parse", "claude/7"), harness.git("rev-parse", "main")
    harness.fake_cli("cat > /dev/null; cp new.py copy.py; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.notices, result.files_changed) == ("changed", (), 1)
    assert harness.git("log", "-1", "--format=%P|%cn|%s", "claude/7^") == (
        f"{head} {base}|GitHub|Merge branch 'main' into claude/7"
    )
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7") == "copy.py"
    assert harness.git("show", f"claude/7:{WORKFLOW}") == "on: push"
    assert b"ci.yml" not in harness.artifact("diff.patch")
    assert harness.git("for-each-ref", "refs/pullwright") == ""
    # The next session finds nothing to merge, and what it does not change stays as it is.
    stands = harness.git("rev-parse", "claude/7")
    next_session(harness)
    harness.git_data_calls.clear()
    harness.fake_cli("cat > /dev/null; finish")
    assert harness.run().code == exit_codes.DONE
    assert (harness.result.outcome, harness.git("rev-parse", "claude/7")) == ("no_change", stands)
    assert harness.git_data_calls == []


@pytest.mark.parametrize("is_held", [False, True])
def test_what_waits_for_people_goes_on_waiting(harness: Harness, *, is_held: bool) -> None:
    """The merge of held work is held as well, and what was released is not held again."""
    if is_held:
        seed = harness.folder / "seed"
        harness.git("checkout", "-q", "claude/7", cwd=seed)
        message = f"Hold\n\n\nPullwright-Session: x\nCo-authored-by: a <a@b>\n{SKIP_CHECKS}"
        harness.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message, cwd=seed)
        harness.git("push", "-q", "origin", "claude/7", cwd=seed)
    harness.ask(repository_is_private=False)
    harness.fake_cli("cat > /dev/null; finish")
    assert harness.run().code == exit_codes.DONE
    hold = ["Hold CI until somebody has read the work"] if is_held else []
    subjects = harness.git("log", "--format=%s", "-2", "--first-parent", "claude/7").splitlines()
    assert subjects[: len(hold) + 1] == [*hold, "Merge branch 'main' into claude/7"]


def test_conflicts_are_the_agent_s_to_resolve(harness: Harness) -> None:
    """It finds a merge under way; its commit has both parents, and what git merged is none of its work."""
    head, base = conflict(harness)
    harness.fake_cli(
        'echo "$PROMPT" > PROMPT.md; cut -c1-9 src/app.py > SEEN.md; git status > STATUS.md; '
        'git checkout -q --theirs src/app.py; echo "print(1)" >> src/app.py; finish'
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    prompt, seen, status = (
        harness.git("show", f"claude/7:{name}.md") for name in ("PROMPT", "SEEN", "STATUS")
    )
    assert "had fallen behind main" in prompt
    assert "src/app.py" in prompt
    assert "<<<<<<<" in seen
    assert ">>>>>>>" in seen
    assert "both modified:   src/app.py" in status
    assert parents(harness) == [head, base]
    assert harness.git("show", "claude/7:src/app.py") == "print('good day')\nprint(1)"
    ours = ["PROMPT.md", "SEEN.md", "STATUS.md", "src/app.py", "work.py"]
    assert harness.git("diff", "--name-only", base, "claude/7").split() == ours
    result = harness.result
    assert (result.outcome, result.files_changed) == ("changed", 4)
    assert result.notices == (
        "The branch conflicted with main. The agent resolved it in `src/app.py`: read these first.",
    )
    patch = harness.artifact("diff.patch")
    assert b"diff --git a/.github" not in patch
    assert b"src/app.py" in patch
    # A second task that finds the work counts the same, and nothing of the base's.
    del harness.objects[harness.key("result.json")]
    harness.record["task_arn"] = "arn:aws:ecs:eu-central-1:000000000000:task/agents/another"
    assert harness.run().code == exit_codes.DONE
    again = harness.result
    assert (again.commit, again.files_changed, again.steering) == (result.commit, 4, ())
    assert (again.additions, again.deletions) == (result.additions, result.deletions)


def test_the_real_cli_resolves_a_conflict(harness: Harness) -> None:
    """It reads the markers, edits them away, and the branch then has the base."""
    base = as_person(harness, "main", {"src/app.py": "print('good day')\n"})
    head = as_person(harness, "claude/7", {"src/app.py": "print('hello')\n"})
    harness.real_cli()
    file = {"file_path": "{cwd}/src/app.py"}
    steps = [
        {"tool": "Read", "input": file},
        {"tool": "Write", "input": {**file, "content": "print('hello, good day')\n"}},
        {"text": "Both are said."},
    ]
    with StandIn.running() as standin:
        # Answered only if the conflict stands in what the model is asked.
        standin.call("PUT", "scripts/test", {"match": "in the middle of a merge", "steps": steps})
        ran = harness.run(ANTHROPIC_BASE_URL=standin.url)
    assert ran.code == exit_codes.DONE, ran.output
    assert parents(harness) == [head, base]
    assert harness.git("show", "claude/7:src/app.py") == "print('hello, good day')"
    assert harness.git("merge-base", "main", "claude/7") == base


def test_conflicts_that_are_left_are_not_pushed_and_not_lost(harness: Harness) -> None:
    """The session says where they are; the next one goes on from there and merges."""
    head, base = conflict(harness)
    harness.fake_cli("cat > /dev/null; echo half > HALF.md; mv src/app.py src/moved.py; finish")
    assert harness.run().code == exit_codes.of("PushRefused")
    failure = harness.result.failure
    assert failure is not None
    assert failure.sentence == "The agent left conflicts with main in `src/moved.py`."
    assert harness.git("rev-parse", "claude/7") == head
    assert harness.git("show", "refs/pullwright/claude/7:HALF.md") == "half"
    next_session(harness)
    as_person(harness, "main", {"later.py": "z = 3\n"})
    harness.fake_cli("cat > /dev/null; rm src/moved.py; echo 'print(2)' > src/app.py; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert parents(harness) == [head, base]
    assert harness.git("show", "claude/7:HALF.md") == "half"
    ours = ["HALF.md", "src/app.py", "work.py"]
    assert harness.git("diff", "--name-only", base, "claude/7").split() == ours


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("git merge --abort", f"{BEHIND}: the agent left it without"),
        ("echo 1 > src/app.py; rm new.py", "The agent took back what is new on main in `new.py`."),
    ],
)
def test_a_merge_that_the_agent_undoes_is_not_pushed_as_one(harness: Harness, script: str, told: str) -> None:
    """Merged later, such a commit would take back other people's work unseen; a part of it is told."""
    head, base = conflict(harness)
    harness.fake_cli(f"cat > /dev/null; {script}; echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert notices(harness)[-1].startswith(told)
    is_whole = "abort" in script
    assert parents(harness) == ([head] if is_whole else [head, base])
    removed = b"new.py" in harness.artifact("diff.patch")
    assert removed is not is_whole
    assert harness.result.files_changed == (1 if is_whole else 3)


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("key = ghp_" + "a" * 36, "PushRefused", "what looks like a GitHub token"),
        ("[submodule]", None, "`.gitmodules`"),
    ],
)
def test_nothing_is_hidden_in_a_resolution(harness: Harness, text: str, error: str | None, told: str) -> None:
    """What neither side had is the agent's: a secret is refused, and a file that steers is announced."""
    path = ".gitmodules" if error is None else "src/app.py"
    head = as_person(harness, "claude/7", {path: "[one]\n"})
    as_person(harness, "main", {path: "[two]\n", ".husky/pre-push": "true\n"})
    harness.fake_cli(f"cat > /dev/null; printf '%s\\n' '{text}' > {path}; finish")
    ran = harness.run()
    result = harness.result
    assert ran.code == (exit_codes.of(error) if error else exit_codes.DONE), ran.output
    if error is None:
        # The base's own hook is none of its work.
        assert [path for files in result.steering for path in files.paths] == [".gitmodules"]
    else:
        assert result.failure is not None
        assert told in result.failure.sentence
        assert harness.git("rev-parse", "claude/7") == head


REFUSED = (422, "Repository rule violations found\n\nThis branch must not contain merge commits.\n\n", False)


def test_what_github_does_not_take_keeps_nobody_from_working(harness: Harness) -> None:
    """The session goes on with the branch as it is, and says so."""
    harness.git_data_answers["PATCH"] = [REFUSED]
    head = harness.git("rev-parse", "claude/7")
    harness.fake_cli("cat > /dev/null; echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    [notice] = notices(harness)
    assert notice.startswith(f"{BEHIND}: ")
    assert "must not contain merge commits" in notice
    assert parents(harness) == [head]


@pytest.mark.parametrize("where", ["both", "markers"])
def test_workflows_that_both_have_changed_are_merged_by_people(harness: Harness, where: str) -> None:
    """Whether git can merge them or not, no branch has the result, and GitHub does not take it."""
    text = "# {}\non: push\n# 1\n# 2\n# 3\n# {}\n"
    as_person(harness, "claude/7", {WORKFLOW: "on: pull_request\n"})
    if where == "both":
        # The same file on both sides, changed by each in another place.
        base = as_person(harness, "main", {WORKFLOW: text.format(1, 1)})
        harness.git("update-ref", "refs/heads/claude/7", base)
        seed = harness.folder / "seed"
        harness.git("fetch", "-q", "origin", "+claude/7:claude/7", cwd=seed)
        as_person(harness, "claude/7", {WORKFLOW: text.format(2, 1)})
        as_person(harness, "main", {WORKFLOW: text.format(1, 2)})
    head = harness.git("rev-parse", "claude/7")
    harness.fake_cli("cat > /dev/null; echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    [notice] = notices(harness)
    assert notice == (
        f"{BEHIND}: both have changed `{WORKFLOW}`, and Pullwright's App "
        "may not push workflow files. Merge it by hand."
    )
    assert parents(harness) == [head]


def test_markers_in_what_git_calls_clean_are_not_pushed(harness: Harness) -> None:
    """Where the branch moved a file to what the base fills too, git reports no conflict, and leaves them."""
    text = "".join(f"{number}\n" for number in range(9))
    as_person(harness, "main", {"a.txt": text})
    seed = harness.folder / "seed"
    harness.git("push", "-q", "-f", "origin", "main:claude/7", cwd=seed)
    as_person(harness, "main", {"a.txt": "other\n", "moved.txt": f"{text}end\n"})
    harness.git("fetch", "-q", "origin", "claude/7", cwd=seed)
    harness.git("checkout", "-q", "-B", "claude/7", "FETCH_HEAD", cwd=seed)
    harness.git("mv", "a.txt", "moved.txt", cwd=seed)
    head = as_person(harness, "claude/7", {"moved.txt": f"{text}end\n"})
    harness.fake_cli("cat > /dev/null; echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert notices(harness) == (f"{BEHIND}: git left conflict markers in `moved.txt`. Merge it by hand.",)
    assert parents(harness) == [head]


def test_who_pushes_meanwhile_loses_nothing(harness: Harness) -> None:
    """The merge and the agent's work go on top of what somebody pushed while the base was merged."""
    theirs: list[str] = []
    harness.before_git_data["PATCH"] = lambda: theirs.append(
        as_person(harness, "claude/7", {"theirs.py": "1\n"})
    )
    harness.fake_cli("cat > /dev/null; cp theirs.py copy.py; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert parents(harness, "claude/7^") == [*theirs, harness.git("rev-parse", "main")]
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7") == "copy.py"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"branch_is_ours": False}, ()),
        ({"stub": True}, (f"{BEHIND}: they conflict, and a stub resolves nothing.",)),
    ],
)
def test_who_is_not_to_merge_leaves_the_branch_alone(
    harness: Harness, request_: dict[str, Any], told: tuple[str, ...]
) -> None:
    """Other people's branches are theirs to update, and a session without an agent resolves nothing."""
    head, _ = conflict(harness)
    harness.ask(**request_)
    harness.fake_cli("cat > /dev/null; echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert (parents(harness), notices(harness)) == ([head], told)


def test_a_base_that_was_written_anew_is_merged_like_any_other(harness: Harness) -> None:
    """Squashed there, the branch's own commit is no conflict; the base's old commits stay below."""
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "main", cwd=seed)
    harness.git("reset", "-q", "--hard", "HEAD~1", cwd=seed)
    harness.git(*IDENTITY, "merge", "-q", "--squash", "claude/7", cwd=seed)
    harness.git("commit", "-q", "-m", "Squashed", cwd=seed)
    harness.git("push", "-q", "-f", "origin", "main", cwd=seed)
    base = as_person(harness, "main", {"new.py": "y = 3\n"})
    harness.fake_cli("cat > /dev/null; echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert (notices(harness), parents(harness, "claude/7^")[1]) == ((), base)
    assert harness.git("diff", "--name-only", "main", "claude/7") == "X.md"

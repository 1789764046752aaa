"""The runner as a real process: real git, real second user, a scripted agent in place of the CLI."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.endpoints import MODEL_KEY, SECRET_KEY, TASK_ARN, TOKEN
from tests.container.harness import Harness, finish, stop_when

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as opened:
        yield opened


def test_a_stub_session_changes_one_file_and_pushes_one_commit(harness: Harness) -> None:
    """Stub mode needs no CLI and takes the whole way from the claim to the artifacts."""
    harness.ask(stub=True)
    before = harness.git("rev-parse", "claude/7")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert result.outcome == "changed"
    assert result.commit == harness.git("rev-parse", "claude/7")
    assert harness.git("rev-parse", "claude/7^") == before
    assert "The greeting is misspelt" in harness.git("show", "claude/7:pullwright-stub.md")
    assert (result.files_changed, result.deletions) == (1, 0)
    assert {"start", "request", "clone", "agent", "collect", "push"} == set(result.phases)
    assert b"pullwright-stub.md" in harness.artifact("diff.patch")
    assert harness.artifact("transcript.jsonl") == b""
    assert b"session ended" in harness.artifact("runner.log")
    assert harness.record["task_arn"] == TASK_ARN
    assert harness.record["image_digest"] == "sha256:0123"
    assert "pullwright:tracking" in harness.comments[0]


def test_what_the_agent_leaves_becomes_one_commit_of_the_bot(harness: Harness) -> None:
    """Edits, new files and commits of the agent's own are one commit with our words and trailers."""
    harness.fake_cli(
        "cat > /dev/null; echo \"print('hello')\" > src/app.py; git add -A; git commit -qm mine;"
        "echo new > NEW.md; rm README.md; echo noise > debug.log; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    changed = harness.git("diff", "--name-status", "claude/7^", "claude/7").splitlines()
    assert changed == ["A\tNEW.md", "D\tREADME.md", "M\tsrc/app.py"]
    assert harness.git("log", "--format=%an %cn", "-1", "claude/7") == "pullwright[bot] GitHub"
    message = harness.git("log", "--format=%B", "-1", "claude/7")
    assert message.startswith("The greeting is misspelt\n\nFixes issue #\u200b3: it says hello now.\n\n")
    assert "Pullwright-Session: implement-7-test" in message
    assert "Co-authored-by: maintainer <583231+maintainer@users.noreply.127.0.0.1>" in message
    assert (harness.result.turns, harness.result.summary) == (2, "Fixes #3: it says hello now.")


def test_the_workspace_has_all_of_the_history_but_only_the_heads_contents(harness: Harness) -> None:
    """A partial clone: commits and the head's files are there, what only older commits hold is not."""
    old = harness.git("rev-parse", "claude/7~2:README.md")
    harness.fake_cli(
        f"{{ git status -s; git remote; git log --format=%s; git cat-file -t {old}; }} > S.md 2>&1; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    seen = harness.git("show", "claude/7:S.md").splitlines()
    # Its own output file is all that git status shows, and there is no remote.
    assert seen[:4] == ["?? S.md", "Begin work on #7", "Say helo", "Say old"]
    assert "fatal" in seen[4]


def test_files_that_attributes_would_rewrite_are_not_a_change(harness: Harness) -> None:
    """Only what the agent touched counts, even where the repository's own attributes disagree with a file."""
    seed = harness.folder / "seed"
    (seed / "crlf.txt").write_bytes(b"one\r\ntwo\r\n")
    harness.git("add", "crlf.txt", cwd=seed)
    (seed / ".gitattributes").write_text("*.txt text\n")
    harness.git("commit", "-q", "-m", "CRLF", cwd=seed)
    harness.git("add", ".gitattributes", cwd=seed)
    harness.git("commit", "-q", "-m", "Attributes", cwd=seed)
    harness.git("push", "-q", "origin", "claude/7", cwd=seed)
    harness.fake_cli("finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.result.outcome == "no_change"


def test_nothing_left_is_an_outcome_of_its_own(harness: Harness) -> None:
    """An agent that changes nothing leaves the branch as it was and has not failed."""
    harness.fake_cli("finish")
    before = harness.git("rev-parse", "claude/7")
    assert harness.run().code == exit_codes.DONE
    assert (harness.result.outcome, harness.result.commit) == ("no_change", None)
    assert harness.git("rev-parse", "claude/7") == before


def test_denied_tools_without_a_diff_are_a_failure(harness: Harness) -> None:
    """An agent that was denied its tools says success and has done nothing usable."""
    harness.fake_cli("""finish '[{"tool_name":"Write"}]'""")
    assert harness.run().code == exit_codes.of("NothingUsable")
    assert harness.result.failure is not None
    assert "Write" in harness.result.failure.sentence


def test_work_of_a_failed_agent_is_pushed(harness: Harness) -> None:
    """What an agent left before it broke is on the branch, and the session has failed."""
    harness.fake_cli("echo half > HALF.md; exit 3")
    assert harness.run().code == exit_codes.of("AgentFailed")
    assert harness.result.outcome == "failed"
    assert harness.result.commit == harness.git("rev-parse", "claude/7")
    assert harness.git("show", "claude/7:HALF.md") == "half"


def test_sigterm_ends_the_agent_and_keeps_its_work(harness: Harness) -> None:
    """ECS stops a task with SIGTERM: the work so far is pushed and everything is written."""
    harness.fake_cli("trap '' TERM; echo half > HALF.md; touch READY; sleep 600")
    process = harness.start()
    ran = stop_when(process, harness.folder / "work1/agent/shop/READY")
    assert ran.code == exit_codes.of("TaskStopped"), ran.output
    assert harness.result.failure is not None
    assert harness.result.failure.error == "TaskStopped"
    assert harness.git("show", "claude/7:HALF.md") == "half"


def test_a_closed_session_is_not_touched(harness: Harness) -> None:
    """A broker or a record that says the session is over ends the runner before it does anything."""
    harness.broker_answers[:] = [409]
    assert harness.run().code == exit_codes.NOT_OURS
    harness.record["is_over"] = "true"
    assert harness.run().code == exit_codes.NOT_OURS
    assert list(harness.objects) == ["sessions/implement-7-test/request.json"]
    assert harness.comments == []


def test_a_session_taken_over_is_not_pushed(harness: Harness) -> None:
    """A runner that finds another task's ARN in the record stops without pushing or writing."""
    harness.fake_cli("echo x > X.md; touch READY; while ! [ -e GO ]; do sleep 0.1; done; finish")
    before = harness.git("rev-parse", "claude/7")
    process = harness.start()
    folder = harness.folder / "work1/agent/shop"
    while not (folder / "READY").exists():
        assert process.poll() is None, process.communicate()
    harness.record["task_arn"] = "arn:of:another:task"
    (folder / "GO").touch()
    assert finish(process).code == exit_codes.NOT_OURS
    assert harness.git("rev-parse", "claude/7") == before
    assert "sessions/implement-7-test/result.json" not in harness.objects


def test_a_second_task_repeats_nothing_that_the_first_has_finished(harness: Harness) -> None:
    """It ends as the first did: same result, same exit code, no second commit."""
    harness.fake_cli("echo x > X.md; finish")
    assert harness.run().code == exit_codes.DONE
    commit, kept = harness.git("rev-parse", "claude/7"), dict(harness.objects)
    harness.record["task_arn"] = "arn:of:another:task"
    harness.fake_cli("exit 9")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert "another task has finished the session" in ran.output
    assert harness.git("rev-parse", "claude/7") == commit
    assert harness.objects == kept


def test_a_second_task_takes_what_the_first_has_pushed(harness: Harness) -> None:
    """The first died between its push and its result: the work is done, and is not paid for twice."""
    harness.fake_cli("echo x > X.md; finish")
    assert harness.run().code == exit_codes.DONE
    commit = harness.git("rev-parse", "claude/7")
    del harness.objects[harness.key("result.json")]
    harness.record["task_arn"] = "arn:of:another:task"
    harness.fake_cli("exit 9")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert (result.outcome, result.commit, result.files_changed) == ("changed", commit, 1)
    assert "ECS started two tasks." in result.notices[0]
    assert harness.git("rev-parse", "claude/7") == commit


def test_a_task_that_is_stopped_while_it_clones_ends_at_once(harness: Harness) -> None:
    """Nothing is lost by it, and ECS would wait for two minutes."""
    harness.git_answers.clear()
    try:
        ran = stop_when(harness.start(), harness.folder / "cloning")
    finally:
        harness.git_answers.set()
    assert ran.code == exit_codes.of("TaskStopped"), ran.output
    assert harness.result.failure is not None
    assert "while it read the repository" in harness.result.failure.sentence


def test_an_unwell_broker_is_asked_again(harness: Harness) -> None:
    """Errors of the broker's side and throttling pass."""
    harness.ask(stub=True)
    harness.broker_answers[:] = [503, 429, 500]
    assert harness.run().code == exit_codes.DONE


def test_github_failing_at_the_comment_never_fails_the_session(harness: Harness) -> None:
    """The tracking comment is for people; without it the work is done all the same."""
    harness.ask(stub=True)
    harness.comment_status = 403
    assert harness.run().code == exit_codes.DONE


def test_a_branch_that_moved_is_not_overwritten(harness: Harness) -> None:
    """Somebody else's push wins; our work is kept in a ref of its own and in diff.patch."""
    harness.fake_cli("echo x > X.md; touch READY; while ! [ -e GO ]; do sleep 0.1; done; rm READY GO; finish")
    process = harness.start()
    folder = harness.folder / "work1/agent/shop"
    while not (folder / "READY").exists():
        assert process.poll() is None, process.communicate()
    seed = harness.folder / "seed"
    harness.git("commit", "-q", "--allow-empty", "-m", "Mine", cwd=seed)
    harness.git("push", "-q", "origin", "claude/7", cwd=seed)
    (folder / "GO").touch()
    ran = finish(process)
    assert ran.code == exit_codes.of("PushRefused"), ran.output
    assert harness.git("log", "-1", "--format=%s", "claude/7") == "Mine"
    assert harness.git("show", "refs/pullwright/claude/7:X.md") == "x"
    assert b"X.md" in harness.artifact("diff.patch")
    assert harness.result.commit is None


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        ("pre-receive", "PushRefused"),
        ("update", "PushRefused"),
    ],
)
def test_a_push_that_github_declines_says_so(harness: Harness, hook: str, error: str) -> None:
    """A rejection by GitHub becomes a failure with GitHub's reason."""
    harness.ask(stub=True)
    script = harness.bare / "hooks" / hook
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    assert harness.run().code == exit_codes.of(error)
    assert harness.result.failure is not None
    assert "declined" in harness.result.failure.sentence


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("mkdir -p .github/workflows; echo x > .github/workflows/ci.yml", "workflow"),
        ("ln -s /etc/passwd link", "points outside"),
        ("ln -s ../../x src/link", "points outside"),
        ("truncate -s 101M large.bin", "100 MiB"),
    ],
)
def test_what_must_not_be_pushed_is_not(harness: Harness, script: str, words: str) -> None:
    """Workflow files, links that leave the repository and huge files stay in the diff."""
    harness.fake_cli(f"{script}; finish")
    before = harness.git("rev-parse", "claude/7")
    assert harness.run().code == exit_codes.of("PushRefused")
    assert harness.result.failure is not None
    assert words in harness.result.failure.sentence
    assert harness.git("rev-parse", "claude/7") == before


def test_a_broken_or_hostile_git_folder_does_no_harm(harness: Harness) -> None:
    """Hooks, filters and lost objects in the agent's own .git neither run as the runner nor lose work."""
    harness.fake_cli(
        "cat > .git/hooks/pre-push <<X\n#!/bin/sh\ntouch $HOME/pwned\nX\n"
        "chmod +x .git/hooks/pre-push 2>/dev/null || { mkdir -p .git/hooks; }\n"
        "git config core.hooksPath .git/hooks; git config filter.x.clean 'touch $HOME/pwned; cat'\n"
        "git config core.fsmonitor 'touch $HOME/pwned'\n"
        "echo '* filter=x' > .gitattributes; echo kept > KEPT.md; rm -rf .git/objects .git/refs; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:KEPT.md") == "kept"
    assert not (harness.folder / "work1/agent/.home/pwned").exists()


def test_repositories_inside_the_workspace_are_left_out(harness: Harness) -> None:
    """A repository that the agent cloned for itself does not become a submodule."""
    harness.fake_cli(
        "git init -q vendor/empty; git init -q vendor/full; git -C vendor/full -c user.name=a "
        "-c user.email=a@example.invalid commit -q --allow-empty -m x; echo x > X.md; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7") == "X.md"


@needs_root
def test_the_agent_has_nothing_to_steal(harness: Harness) -> None:
    """The agent sees no token, key or credentials path, in its environment, in /proc, or in any git file."""
    harness.afresh = True
    harness.fake_cli(
        "{ id -u; id -G; env; cat /proc/$PPID/environ /proc/$PPID/cmdline; git config -l; cat .git/config;"
        "ls ../../runner; cat ../../objects/../runner/prompt.txt; grep Cap /proc/self/status;"
        "grep NoNewPrivs /proc/self/status; touch ../../objects/x; } > seen.txt 2>&1; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    seen = harness.git("show", "claude/7:seen.txt")
    assert seen.splitlines()[:2] == [str(harness.agent_uid), str(harness.agent_uid)]
    for secret in (TOKEN, MODEL_KEY, SECRET_KEY, "BROKER_URL", "/credentials", "extraheader"):
        assert secret.lower() not in seen.lower(), secret
    assert "CapBnd:\t0000000000000000" in seen
    assert "NoNewPrivs:\t1" in seen
    assert seen.count("Permission denied") >= 3


@needs_root
def test_a_work_folder_out_of_the_agents_reach_is_said(harness: Harness) -> None:
    """A WORK_DIR below a folder that is closed to others fails with the remedy, not with a riddle."""
    closed = harness.folder / "closed"
    closed.mkdir(mode=0o700)
    harness.ask(stub=True)
    assert harness.run(WORK_DIR=str(closed / "work")).code == exit_codes.of("InternalError")
    assert harness.result.failure is not None
    assert "WORK_DIR" in harness.result.failure.sentence


@needs_root
def test_processes_that_the_agent_leaves_are_ended(harness: Harness) -> None:
    """A process that left the agent's group and session is ended too."""
    harness.fake_cli(
        "setsid sh -c 'sleep 1000 & echo $! > left.pid; wait' > /dev/null 2>&1 < /dev/null &\n"
        "while ! [ -s left.pid ]; do sleep 0.05; done; finish"
    )
    assert harness.run().code == exit_codes.DONE
    left = harness.git("show", "claude/7:left.pid")
    assert subprocess.run(["kill", "-0", left], check=False, capture_output=True).returncode != 0


def test_no_secret_is_in_the_log_or_the_artifacts(harness: Harness) -> None:
    """Tokens and keys appear in nothing that the runner leaves behind."""
    harness.fake_cli("echo x > X.md; finish")
    ran = harness.run()
    everything = ran.output.encode() + b"".join(harness.objects.values()) + "".join(harness.comments).encode()
    for secret in (TOKEN, MODEL_KEY, SECRET_KEY):
        assert secret.encode() not in everything


def test_each_step_of_the_agent_is_a_line_in_the_log(harness: Harness) -> None:
    """People who follow the log see what the agent does, with turns and cost."""
    use = {"type": "tool_use", "name": "Edit", "input": {"file_path": "src/app.py"}}
    line = json.dumps({"type": "assistant", "message": {"id": "m0", "content": [use]}})
    harness.fake_cli(f"echo '{line}'; finish")
    steps = [line for line in harness.run().lines if line.get("activity")]
    assert steps[-1]["activity"] == "Editing src/app.py"
    assert steps[-1]["turns"] == 1
    assert all(step["session_id"] == "implement-7-test" for step in steps)
    assert "Editing" not in harness.artifact("result.json").decode()


def test_an_incomplete_environment_is_named() -> None:
    """Without its settings the runner says which are missing and ends with their exit code."""
    with Harness.open() as harness:
        ran = harness.run(BROKER_URL="", SESSION_ID="not valid")
    assert ran.code == exit_codes.SETTINGS
    assert ran.lines[0]["problems"] == ["SESSION_ID is not valid.", "BROKER_URL is missing."]

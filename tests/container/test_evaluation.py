"""Sessions of an evaluation: what the agent can see, and what judges its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner import exit_codes
from tests.container.harness import Harness
from tests.container.test_checks import commit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright.evaluation import Judgement

CONFIGURATION = "checks:\n  - name: tests\n    command: sh tests/all.sh\n"
ALL = 'for test in tests/test_*.sh; do sh "$test" || exit 1; done\n'
TEST = 'grep -q "hello" src/app.py || { echo "says $(cat src/app.py)"; exit 1; }\n'
MENDED = "print('hello')\n"
MEND = "echo \"print('hello')\" > src/app.py"


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness."""
    with Harness.open() as opened:
        yield opened


def prepare(harness: Harness, solution: dict[str, str], **task: Any) -> str:
    """Ask for a session at the commit before a change, and return that change's commit."""
    commit(harness, "main", {".pullwright/config.yaml": CONFIGURATION, "tests/all.sh": ALL})
    base = harness.git("rev-parse", "main")
    commit(harness, "main", solution)
    change = harness.git("rev-parse", "main")
    fields = {
        "evaluation": "ev-1",
        "task": "7",
        "solution_commit": change,
        "paths": ["tests/test_greeting.sh"],
        **task,
    }
    harness.ask(
        head_commit=base,
        pull_request=0,
        pull_request_url="",
        comment_id=0,
        requested_by=None,
        evaluation=fields,
    )
    return change


def judged(harness: Harness, script: str, code: int = exit_codes.DONE) -> Judgement:
    """Run a session with this agent, and return its judgement; nothing of it is on GitHub."""
    before = harness.git("show-ref")
    harness.fake_cli(script)
    ran = harness.run()
    assert ran.code == code, ran.output
    assert harness.git("show-ref") == before
    assert harness.comments == []
    assert not [call for call in harness.git_data_calls if not call.startswith("GET")]
    assert harness.result.judgement is not None, ran.output
    return harness.result.judgement


def test_work_that_passes_the_hidden_tests_is_solved(harness: Harness) -> None:
    """The agent's change, and the test of the original one, in a fresh checkout; nothing is pushed."""
    prepare(harness, {"src/app.py": MENDED, "tests/test_greeting.sh": TEST})
    verdict = judged(harness, f"cat > /dev/null; {MEND}; finish")
    assert (verdict.verdict, verdict.fail_to_pass, verdict.failed) == ("solved", ("tests",), ())
    assert harness.result.outcome == "changed"
    assert b"hello" in harness.artifact("diff.patch")


def test_work_that_fails_them_is_not_solved(harness: Harness) -> None:
    """The result says which command failed, and what it printed; also where the agent changed nothing."""
    prepare(harness, {"src/app.py": MENDED, "tests/test_greeting.sh": TEST})
    verdict = judged(harness, "cat > /dev/null; finish")
    assert (verdict.verdict, verdict.failed) == ("unsolved", ("tests",))
    assert "says print('helo')" in verdict.output


def test_the_agents_own_test_gives_way_to_the_hidden_one(harness: Harness) -> None:
    """A test of the same name that always passes is replaced before anything is judged."""
    prepare(harness, {"src/app.py": MENDED, "tests/test_greeting.sh": TEST})
    verdict = judged(harness, "cat > /dev/null; echo 'exit 0' > tests/test_greeting.sh; finish")
    assert verdict.verdict == "unsolved"


def test_the_agent_sees_nothing_that_came_later(harness: Harness) -> None:
    """Neither the change nor its test, as object, ref or file; the history ends where the agent begins."""
    change = prepare(harness, {"src/app.py": MENDED, "tests/test_greeting.sh": TEST})
    test = harness.git("rev-parse", f"{change}:tests/test_greeting.sh")
    look = (
        f"git cat-file -t {change}; git cat-file -t {test}; ls tests; git for-each-ref; git remote -v; "
        "git log --format=%H -1; env"
    )
    verdict = judged(harness, f"cat > /dev/null; {{ {look}; }} > SEEN.md 2>&1; finish")
    assert verdict.verdict == "unsolved"
    seen = harness.artifact("diff.patch").decode()
    assert harness.git("rev-parse", "main^") in seen
    assert seen.count("could not get object info") + seen.count("Not a valid object name") == 2
    assert "test_greeting" not in seen
    assert "evaluation" not in seen


@pytest.mark.parametrize(("test", "words"), [("exit 0\n", "pass without it"), ("exit 1\n", "fail with it")])
def test_a_test_that_tells_nothing_makes_the_task_invalid(harness: Harness, test: str, words: str) -> None:
    """The agent is not judged by it."""
    prepare(harness, {"src/app.py": MENDED, "tests/test_greeting.sh": test})
    verdict = judged(harness, f"cat > /dev/null; {MEND}; finish")
    assert verdict.verdict == "invalid"
    assert words in verdict.reason


def test_a_task_may_bring_its_own_commands(harness: Harness) -> None:
    """They take the place of the repository's checks in the judgement."""
    commands = [{"name": "greeting", "command": "sh tests/test_greeting.sh"}]
    prepare(harness, {"src/app.py": MENDED, "tests/test_greeting.sh": TEST}, commands=commands)
    verdict = judged(harness, f"cat > /dev/null; {MEND}; finish")
    assert (verdict.verdict, verdict.fail_to_pass) == ("solved", ("greeting",))


def test_an_agent_that_fails_is_judged_by_what_it_left(harness: Harness) -> None:
    """It broke off after it had mended the greeting: the session failed, and the task is solved."""
    prepare(harness, {"src/app.py": MENDED, "tests/test_greeting.sh": TEST})
    verdict = judged(harness, f"cat > /dev/null; {MEND}; exit 3", code=exit_codes.of("AgentFailed"))
    assert verdict.verdict == "solved"
    assert harness.result.failure is not None

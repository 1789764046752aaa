"""How work comes onto the branch through GitHub's API, whatever GitHub answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator

LAG = (422, "Tree SHA does not exist", False)


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness, with a request that needs no agent."""
    with Harness.open() as opened:
        opened.ask(stub=True)
        yield opened


@pytest.mark.parametrize(
    "answers",
    [
        {"POST": [LAG, (404, "Not Found", False)]},
        {"POST": [(502, "Server Error", True)]},
        {"PATCH": [(502, "Server Error", True)] * 3},
        {"PATCH": [(422, "Object does not exist", False)]},
    ],
)
def test_answers_that_are_lost_or_early_are_waited_out(
    harness: Harness, answers: dict[str, list[tuple[int, str, bool]]]
) -> None:
    """Objects that GitHub does not see yet, and calls that were carried out without an answer: one commit."""
    before = harness.git("rev-parse", "claude/7")
    harness.git_data_answers = answers
    ran = harness.run(movable=True)
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("rev-parse", "claude/7^") == before
    assert harness.result.commit == harness.git("rev-parse", "claude/7")
    assert harness.git("for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/claude/7",
        "refs/heads/main",
    ]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            (422, "Repository rule violations found\n\nCannot update this protected ref.\n\n", False),
            "BranchProtected",
            "Cannot update this protected ref",
        ),
        ((422, 'Required status check "ci" is expected.', False), "BranchProtected", "is expected"),
        ((422, "Something new", False), "PushRefused", "Something new"),
    ],
)
def test_a_refusal_is_told_and_the_work_is_kept(
    harness: Harness, answer: tuple[int, str, bool], error: str, words: str
) -> None:
    """GitHub's own sentence is in the failure, the branch stays, and a checkpoint holds the work."""
    before = harness.git("rev-parse", "claude/7")
    harness.git_data_answers["PATCH"] = [answer] * 4
    ran = harness.run(movable=True)
    assert ran.code == exit_codes.of(error), ran.output
    assert harness.result.failure is not None
    assert words in harness.result.failure.sentence
    assert (harness.git("rev-parse", "claude/7"), harness.result.commit) == (before, None)
    assert "misspelt" in harness.git("show", "refs/pullwright/claude/7:pullwright-stub.md")


def test_a_push_rule_is_told_in_githubs_words(harness: Harness) -> None:
    """What GitHub writes beside the protocol reaches the failure, without its heading.

    The lines are those of https://github.com/vercel/sandbox/pull/169.
    """
    hook = harness.bare / "hooks/pre-receive"
    hook.write_text(
        "#!/bin/sh\ncat >&2 <<X\nerror: GH013: Repository rule violations found for refs/heads/x.\n"
        "Review all repository rules at https://github.com/x/y/rules?ref=refs%2Fheads%2Fx\n\n"
        "- File paths are restricted.\n  Found 1 violation:\n\n  secrets.txt\n\nX\nexit 1\n"
    )
    hook.chmod(0o755)
    ran = harness.run(movable=True)
    assert ran.code == exit_codes.of("PushRefused"), ran.output
    assert harness.result.failure is not None
    assert harness.result.failure.sentence.endswith(
        "File paths are restricted. Found 1 violation: secrets.txt."
    )

"""Evaluations: closed issues are worked on again, and judged by the tests of the change that closed them.

The terms are those of SWE-bench (https://arxiv.org/abs/2310.06770, section 2 and appendix A.4): a task is
solved if everything passes that the original change made pass (FAIL_TO_PASS) and that passed before it and
still does with it (PASS_TO_PASS). What is counted here are commands, not single tests, whose names no two
test programs print alike.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from pullwright.fields import CommitHash, Model, Repository, Stored

EvaluationId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
TaskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
TASK_FILE = "task.json"
"""Name of a session's task among its artifacts."""
JUDGING_MINUTES = 30
"""So long may the commands of one task take that judge it, all together."""
_MOST_TESTS = 300


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or {"..", ".git"} & set(parts) or not path.isprintable():
        raise ValueError("must be the path of a file in the repository, from its root")
    return path


TestPath = Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(_inside)]


class EvaluationRun(Model):
    """Which evaluation a session belongs to; its task stands in `sessions/<id>/task.json`.

    Attributes:
        budget_usd: what all sessions of the evaluation may cost together.
    """

    id: EvaluationId
    budget_usd: float = Field(gt=0, le=100_000, strict=False)


class JudgingCommand(Model):
    """A command by which a task is judged; it passes with exit code 0."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    command: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class EvaluationTask(Model):
    """One task: an issue as it stood, the commit to begin from, and the tests that judge.

    Attributes:
        base_commit: where the agent begins; it sees nothing later.
        solution_commit: where `tests` are taken from, and with which they have to pass.
        title: of the issue, before the change was proposed; so is `body`.
        tests: files that the change added, changed or removed, from the repository's root. They take the
            place of the agent's.
        commands: what judges; without any, the checks that the repository configures or that are found in it.
        issue: its number.
        pull_request: the one with the change, for people; the agent is not told.
    """

    id: TaskId
    repository: Repository
    base_commit: CommitHash
    solution_commit: CommitHash
    title: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    body: Annotated[str, StringConstraints(max_length=100_000)] = ""
    tests: tuple[TestPath, ...] = Field(min_length=1, max_length=_MOST_TESTS)
    commands: tuple[JudgingCommand, ...] = Field(default=(), max_length=20)
    issue: int | None = Field(default=None, ge=1)
    pull_request: int | None = Field(default=None, ge=1)

    @field_validator("commands")
    @classmethod
    def _different_names(cls, commands: tuple[JudgingCommand, ...]) -> tuple[JudgingCommand, ...]:
        names = [command.name for command in commands]
        if len(set(names)) < len(names):
            raise ValueError("two commands have the same name")
        return commands


class HiddenTests(Stored):
    """What judges a session of an evaluation; only the runner knows it, and fetches it afterwards.

    Attributes:
        paths: of the test files.
        commands: name and command; without any, the repository's checks.
    """

    evaluation: str
    task: str
    solution_commit: CommitHash
    paths: tuple[str, ...] = Field(strict=False)
    commands: tuple[JudgingCommand, ...] = Field(default=(), strict=False)


class Judgement(Stored):
    """How a session of an evaluation was judged.

    Attributes:
        verdict: `invalid` says something about the task: its tests do not tell the change from what was
            before. `not_judged` says nothing about either.
        reason: one sentence; empty if it was solved.
        fail_to_pass: commands that failed at the base, with the tests, and pass with the change.
        pass_to_pass: commands that pass with both.
        failed: those among them that fail with the agent's work.
        output: the end of what the first of these printed.
    """

    verdict: Literal["solved", "unsolved", "invalid", "not_judged"]
    reason: str = ""
    fail_to_pass: tuple[str, ...] = Field(default=(), strict=False)
    pass_to_pass: tuple[str, ...] = Field(default=(), strict=False)
    failed: tuple[str, ...] = Field(default=(), strict=False)
    output: str = ""

    @classmethod
    def not_judged(cls, reason: str) -> Self:
        """Return that nothing can be said."""
        return cls(verdict="not_judged", reason=reason)


Statuses = Mapping[str, str]
"""Statuses of `pullwright.results.CheckResult` by the command's name."""


def judge(work: Statuses, base: Statuses, solution: Statuses) -> Judgement:
    """Judge the agent's work.

    Args:
        work: what the commands said of the agent's work with the tests.
        base: of the commit where the agent began, with the tests.
        solution: of the change that closed the issue.
    """
    unknown = sorted(
        {name for run in (work, base, solution) for name, status in run.items() if status == "not_run"}
    )
    if unknown or not base or set(base) - set(solution):
        return Judgement.not_judged(f"{', '.join(unknown) or 'A command'} was not run everywhere.")
    passing = [name for name in base if solution[name] == "passed"]
    fail_to_pass = tuple(name for name in passing if base[name] != "passed")
    pass_to_pass = tuple(name for name in passing if base[name] == "passed")
    if not fail_to_pass:
        what = "pass without it" if pass_to_pass else "fail with it"
        return Judgement(
            verdict="invalid",
            reason=f"The tests do not tell the original change from what was before: they {what}.",
            pass_to_pass=pass_to_pass,
        )
    failed = tuple(name for name in passing if work.get(name) != "passed")
    return Judgement(
        verdict="unsolved" if failed else "solved",
        reason=f"{', '.join(failed)} failed." if failed else "",
        fail_to_pass=fail_to_pass,
        pass_to_pass=pass_to_pass,
        failed=failed,
    )

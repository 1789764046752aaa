"""Runs a repository's own commands: as a user without credentials, for a bounded time."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from pullwright.results import CheckResult
from pullwright.text import unstyled
from runner.agent.process import Stop, run_as_agent
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pullwright.repository.configuration import Check
    from runner.agent.process import ShouldStop
    from runner.git.workspace import Workspace
    from runner.user import User

SETUP = "setup"
_STATUS = {
    Stop.OVERTIME: "timed_out",
    Stop.DISK_FULL: "failed",
    Stop.TERMINATED: "not_run",
    Stop.LOST: "not_run",
}
_LINES = 60
_LONGEST_LINE = 1_000
_KEPT = 6_000


def run_command(
    name: str,
    command: str,
    *,
    user: User,
    cwd: Path,
    env: Mapping[str, str],
    seconds: float,
    should_stop: ShouldStop,
) -> CheckResult:
    """Run one command to its end, and end everything that it started.

    Args:
        command: for `bash`.
    """
    last: deque[str] = deque(maxlen=_LINES)
    began = time.monotonic()

    def stop() -> Stop | None:
        return should_stop() or (Stop.OVERTIME if time.monotonic() - began > seconds else None)

    ended = run_as_agent(
        ["bash", "-c", f"exec 2>&1\n{command}"],
        user=user,
        cwd=cwd,
        env=env,
        on_line=lambda line: last.append(_readable(line)),
        should_stop=stop,
    )
    took = round(time.monotonic() - began, 1)
    if ended.stop is Stop.DISK_FULL:
        last.append("[ended here, because the task's disk was full]")
    done = "passed" if ended.exit_code == 0 else "failed"
    status = done if ended.stop is None else _STATUS[ended.stop]
    logger.info("command ended", command_name=name, status=status, exit_code=ended.exit_code, seconds=took)
    return CheckResult.model_validate(
        {
            "name": name,
            "command": command,
            "status": status,
            "exit_code": ended.exit_code,
            "seconds": took,
            "output": "\n".join(last)[-_KEPT:],
        }
    )


def _readable(line: bytes) -> str:
    return unstyled(line[:_LONGEST_LINE].decode(errors="replace")).rstrip()


def run_checks(
    checks: Sequence[Check],
    workspace: Workspace,
    *,
    env: Mapping[str, str],
    seconds: float,
    should_stop: ShouldStop,
    show: Callable[[str], None],
) -> tuple[CheckResult, ...]:
    """Run checks one after the other.

    Args:
        seconds: for all of them together; what is left when they are used up does not run.
    """
    results = []
    end = time.monotonic() + seconds
    for check in checks:
        left = min(float(check.timeout), end - time.monotonic())
        if left <= 0 or should_stop() is not None:
            results.append(CheckResult(name=check.name, command=check.command, status="not_run"))
            continue
        show(f"Running the check {check.name}")
        results.append(
            run_command(
                *(check.name, check.command),
                user=workspace.user,
                cwd=workspace.folder,
                env=env,
                seconds=left,
                should_stop=should_stop,
            )
        )
    return tuple(results)

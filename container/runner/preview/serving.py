"""Builds and serves a preview's branch as a user that holds nothing, until it is stopped or ends."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pullwright.errors import PreviewBuildFailed, PreviewBuildTooLong, PreviewServerEnded
from pullwright.previewing.steps import Begun, Step, line_of, without_step
from runner.agent.process import Stop, run_as_agent
from runner.log import MAX_LINE_CHARACTERS, tee
from runner.user import search_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pullwright.previewing.models import PreviewPlan
    from runner.agent.process import Ended
    from runner.user import User

# A page of the log, which RoutePreview reads, has 1 MB.
_TOLD_AGAIN = 256 << 10
# Read from an open file whose number is put in; a process that was not told of it does not have it. Variables
# may be called as ours are here, and bash's own that cannot be set, or set it to POSIX's ways, end nothing.
_TAKE_VARIABLES = """take() {{
local variable
while IFS= read -r -d "" variable; do declare -gx "$variable"; done
}} 2>/dev/null
take <&{0}
exec {0}<&-
unset -f take"""


def environment(
    plan: PreviewPlan, variables: Mapping[str, str], *, address: str, home: Path
) -> dict[str, str]:
    """Return the environment of build and server; nothing of the task's own is in it.

    What the operator's secret says wins over the configuration, and the platform's own names over both.

    Args:
        variables: of the operator's secret.
        address: the task's own, which the load balancer reaches.
        home: the user's folder.
    """
    platform = {"PATH": search_path(), "HOME": str(home), "LANG": "C.UTF-8"}
    return {**plan.env, **variables, **platform, "HOST": address, "PORT": str(plan.port)}


def serve(
    plan: PreviewPlan,
    *,
    user: User,
    folder: Path,
    env: Mapping[str, str],
    is_terminated: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Build and serve; return when the task is told to stop.

    What both write goes to the task's log, without secrets.

    Args:
        folder: the branch's files.
        env: from `environment`.

    Raises:
        PreviewBuildFailed: the build ended badly.
        PreviewBuildTooLong: it took all the time that build and start have.
        PreviewServerEnded: the server ended by itself.
    """
    end = clock() + plan.start_seconds
    output = _Output()

    def stop() -> Stop | None:
        return Stop.TERMINATED if is_terminated() else None

    def stop_build() -> Stop | None:
        return stop() or (Stop.OVERTIME if clock() > end else None)

    if plan.build:
        output.begin(Step.BUILD)
        built = _run(plan.build, user, folder, env, stop_build, output.show)
        if built.stop is Stop.TERMINATED:
            return
        if built.stop is Stop.OVERTIME:
            raise PreviewBuildTooLong(f"The build took longer than {plan.start_seconds} seconds.")
        if built.exit_code != 0:
            raise PreviewBuildFailed(f"The build command ended with exit code {built.exit_code}.")
    if is_terminated():
        return
    output.begin(Step.START)
    served = _run(plan.start, user, folder, env, stop, output.show)
    if served.stop is None:
        raise PreviewServerEnded(f"The start command ended with exit code {served.exit_code}.")


class _Output:
    """The task's log, which tells a step when it begins, and again so that the end of the log has it."""

    def __init__(self) -> None:
        self._step = ""
        self._written = 0

    def begin(self, step: Step) -> None:
        """Tell that a step begins."""
        self._step = line_of(Begun(step, datetime.now(UTC)))
        self._tell()

    def show(self, line: bytes) -> None:
        """Write a line of a program of the branch."""
        # All of it: the log finds secrets first and cuts then, as half a secret would not be known as one.
        text = without_step(line.decode(errors="replace"), MAX_LINE_CHARACTERS)
        tee.write(text if text.endswith("\n") else f"{text}\n")
        self._written += len(line)
        if self._written > _TOLD_AGAIN:
            self._tell()

    def _tell(self) -> None:
        self._written = 0
        tee.write(self._step)


def _run(
    command: str,
    user: User,
    folder: Path,
    env: Mapping[str, str],
    should_stop: Callable[[], Stop | None],
    show: Callable[[bytes], None],
) -> Ended:
    """Run a command, whose variables only the user's own shell gets.

    What makes a process the user's is started as root, and a variable such as LD_PRELOAD would have it load
    code of the branch (https://man7.org/linux/man-pages/man8/ld.so.8.html).
    """
    with tempfile.TemporaryFile() as variables:
        variables.write(b"".join(f"{name}={value}\0".encode() for name, value in env.items()))
        variables.seek(0)
        descriptor = variables.fileno()
        return run_as_agent(
            ["bash", "-c", f"exec 2>&1\n{_TAKE_VARIABLES.format(descriptor)}\n{command}"],
            user=replace(user, start=partial(user.start, pass_fds=(descriptor,))),
            cwd=folder,
            env={"PATH": search_path()},
            on_line=show,
            should_stop=should_stop,
        )

"""Checks the commit that was pushed, where nothing else that the agent left has a say.

A fresh checkout from the runner's own repository, a user, home and temporary folder that the agent never had,
dependencies by the setup command again: what a check says follows from the commit, the configuration on the
default branch and the image alone.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.errors import InternalError, PullwrightError
from pullwright.results import CheckResult
from runner.git.command import GitError
from runner.git.workspace import Workspace
from runner.leftovers import SHARED_PLACES, WHOLE_MACHINE, LeftoversError, remove_leftovers
from runner.log import logger
from runner.repository.commands import run_checks, run_command
from runner.repository.profile import describe_test_changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import AgentRequest
    from runner.agent.process import ShouldStop
    from runner.context import SessionContext
    from runner.git.remote import Remote
    from runner.git.store import Head, Store
    from runner.report import Report
    from runner.repository.profile import RepositoryProfile

# Checks may outlast the session's minutes by so much: the state machine waits for 15 minutes more.
_GRACE_SECONDS = 300.0
# As much again for the setup, if it took as long before the agent began.
_SETUP_GRACE_SECONDS = 300.0
_ROLE = "checks"
_OBJECTS = "pushed"
_NO_SETUP = (
    "The check ran in a fresh checkout without a setup command. If it lacks dependencies, "
    "name the command that installs them under setup in .pullwright/config.yaml."
)
SETUP_AGAIN = "setup for the checks"
FOLDERS = (_ROLE, _OBJECTS)
"""What is made in the folder where repositories are cloned."""


@dataclass(frozen=True, slots=True)
class Checking:
    """The checks of one session.

    Args:
        request: the session's request; its name, branch, author and minutes are used.
        since: seconds since 1970 when the first command of the agent's user began.
    """

    request: AgentRequest
    context: SessionContext
    report: Report
    show: Callable[[str], None]
    should_stop: ShouldStop
    since: float

    def compare(
        self, profile: RepositoryProfile, remote: Remote, store: Store, head: Head, tree: str
    ) -> None:
        """Say what the branch changes of how it is tested."""
        try:
            self.report.check_notices += describe_test_changes(profile, remote, store, head, tree)
        except (GitError, PullwrightError):
            logger.exception("the branch's tests were not compared with the base's")
            self.report.check_notices.append(
                "What this branch changes of how it is tested could not be looked up."
            )

    def run(self, profile: RepositoryProfile, store: Store, pushed: Head) -> None:
        """Run all checks; what keeps them from running is a notice, as the work is pushed already."""
        phase = self.context.phases.phase
        try:
            with phase("checks_checkout"):
                self.show("Checking out what was pushed")
                self._remove_leftovers()
                workspace = self._check_out(store, pushed)
        except (LeftoversError, GitError, InternalError, OSError) as error:
            logger.exception("there is no fresh checkout to check")
            reason = str(error) if isinstance(error, LeftoversError) else "there is no fresh checkout"
            self.report.check_notices.append(f"The checks were not run: {reason}.")
            self.report.take_attempt(
                tuple(
                    CheckResult(name=check.name, command=check.command, status="not_run")
                    for check in profile.checks
                )
            )
            return
        setup = self._set_up(workspace, profile)
        with phase("checks"), self.context.egress.step("checks"):
            done = run_checks(
                profile.checks,
                workspace,
                env=workspace.environment(_ROLE),
                seconds=self._seconds_left(profile),
                should_stop=self.should_stop,
                show=self.show,
            )
        if setup is None and profile.configuration.checks is None and done[0].status == "failed":
            self.report.check_notices.append(_NO_SETUP)
        self.report.take_attempt(done if setup is None or setup.status == "passed" else (setup, *done))

    def _remove_leftovers(self) -> None:
        context = self.context
        is_own = context.settings.machine == "own"
        places = WHOLE_MACHINE if is_own else (context.settings.work_dir, *SHARED_PLACES)
        changed = remove_leftovers(
            (context.egress.user, context.egress.checks_user), places, since=self.since
        )
        # On a machine that serves others, they change their files too.
        if changed and is_own:
            logger.warning("files that everybody may write were changed", paths=changed[:20])
            self.report.check_notices.append(
                f"The checks may depend on {changed[0]!a}, which everybody may write and which was changed "
                f"while the agent worked ({len(changed)} such files or folders)."
            )

    def _check_out(self, store: Store, pushed: Head) -> Workspace:
        context = self.context
        for name in FOLDERS:
            shutil.rmtree(context.settings.work_dir / name, ignore_errors=True)
        store.share_objects(context.settings.work_dir / _OBJECTS)
        workspace = Workspace.create(
            context.settings.work_dir,
            context.private,
            name=self.request.repository.partition("/")[2],
            user=context.egress.checks_user,
            role=_ROLE,
            objects=_OBJECTS,
        )
        workspace.check_out(pushed, self.request.branch, self.request.author)
        return workspace

    def _set_up(self, workspace: Workspace, profile: RepositoryProfile) -> CheckResult | None:
        setup = profile.configuration.setup
        if setup is None:
            return None
        with self.context.phases.phase("checks_setup"), self.context.egress.step(SETUP_AGAIN):
            self.show("Setting up for the checks")
            return run_command(
                *(SETUP_AGAIN, setup.command),
                user=workspace.user,
                cwd=workspace.folder,
                env=workspace.environment(_ROLE),
                seconds=min(float(setup.timeout), self._seconds_left(profile)),
                should_stop=self.should_stop,
            )

    def _seconds_left(self, profile: RepositoryProfile) -> float:
        grace = _GRACE_SECONDS
        if profile.setup is not None:
            grace += min(profile.setup.seconds, _SETUP_GRACE_SECONDS)
        return self.request.limits.minutes * 60 + grace - self.context.phases.elapsed


def begin() -> float:
    """Return the time, in seconds since 1970, after which any change of a file may be the agent's."""
    # The clock that files are stamped with lags some milliseconds behind.
    return time.time() - 0.1

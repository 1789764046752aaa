"""One session, from the process's start to its exit code, wherever its repository is."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from pullwright.errors import InternalError, PullwrightError, SessionClosed
from runner import exit_codes
from runner.agent.readable import add_refused
from runner.clock import CLOCK, Clock, Phases
from runner.composition import make_session, make_tracker
from runner.context import Signals
from runner.egress.egress import Egress
from runner.git.command import GitError
from runner.log import logger, tee
from runner.record import Heartbeat
from runner.settings import CommonSettings
from runner.task_settings import SettingsError
from runner.user import adopt_orphans

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from runner.context import SessionContext
    from runner.report import Report


_Settings = TypeVar("_Settings", bound=CommonSettings)
_Own_contra = TypeVar("_Own_contra", bound=CommonSettings, contravariant=True)


class Prepare(Protocol[_Own_contra]):
    """Makes what the parts of a session share."""

    def __call__(
        self,
        settings: _Own_contra,
        building: Future[Egress],
        signals: Signals,
        phases: Phases,
        clock: Clock,
    ) -> tuple[SessionContext, Report]:
        """Make it.

        Raises:
            SettingsError: what was given is not as it has to be.
            SessionClosed: the session is over, or a newer task has it.
            PullwrightError: something that is needed did not answer.
        """


def run(read: Callable[[], _Settings], prepare: Prepare[_Settings], clock: Clock = CLOCK) -> int:
    """Run the session that the environment names.

    Args:
        read: gives the settings.
        prepare: makes what the session's parts share.

    Returns:
        The exit code, see `runner.exit_codes`.
    """
    phases = Phases(clock)
    signals = Signals(threading.Event(), threading.Event())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: signals.terminated.set())
    try:
        settings = read()
    except SettingsError as error:
        logger.error("the task's environment is wrong", problems=str(error).splitlines())
        return exit_codes.SETTINGS
    # The agent's user reads the shared objects, whatever mask this process was started with.
    os.umask(0o022)
    logger.append_keys(session_id=settings.session_id)
    adopt_orphans()
    with ThreadPoolExecutor(1, "egress") as beside:
        # It takes a quarter of a second, and is needed when the repository is there.
        building = beside.submit(Egress.begin, settings)
        try:
            return _run(lambda: prepare(settings, building, signals, phases, clock), phases)
        finally:
            if building.exception() is None:
                building.result().close()


def _run(make: Callable[[], tuple[SessionContext, Report]], phases: Phases) -> int:
    try:
        with phases.phase("start"):
            context, report = make()
            # RunTask's answer may get lost, and the state machine then starts a second task.
            earlier = context.artifacts.earlier_result() if context.takes_over else None
            if context.takes_over:
                report.go_on(context.artifacts.earlier_usage())
        was_stopped = earlier is not None and earlier.exit_code == exit_codes.STOPPED
        if earlier is not None and not was_stopped:
            logger.info("another task has finished the session", task=earlier.task_arn)
            return earlier.exit_code
    except SettingsError as error:
        logger.error("what the session was given is wrong", problems=str(error).splitlines())
        return exit_codes.SETTINGS
    except SessionClosed as error:
        logger.warning("the session is not ours", reason=error.sentence)
        return exit_codes.NOT_OURS
    except PullwrightError as error:
        logger.error("the session could not be started", reason=error.sentence)
        return exit_codes.of(type(error).__name__)
    context = replace(context, was_stopped=was_stopped)
    with Heartbeat(context.record, context.signals.lost, clock=context.clock):
        return _finish(context, report, ours=_work(context, report))


def _work(context: SessionContext, report: Report) -> bool:
    """Do the session's work and put every failure into the report; False if it is not ours any more."""
    try:
        with context.phases.phase("request"):
            request = context.artifacts.request()
        with make_tracker(context, request) as tracker:
            make_session(context, request, report, tracker).run()
    except SessionClosed as error:
        logger.warning("the session is not ours any more", reason=error.sentence)
        return False
    except PullwrightError as error:
        logger.warning("the session failed", error=type(error).__name__, reason=error.sentence)
        report.fail(error)
    except GitError as error:
        logger.exception("git failed", stderr=error.stderr)
        report.fail(InternalError("A git command of the runner failed."))
    except Exception as error:  # noqa: BLE001 - a defect has to end in a result like everything else
        logger.exception("a defect of the runner")
        report.fail(InternalError(f"The runner failed ({type(error).__name__})."))
    return True


def _finish(context: SessionContext, report: Report, *, ours: bool) -> int:
    """Upload the artifacts of a session that is still this task's, the result after all others."""
    # What another task has written about the session stays.
    if not ours or context.signals.lost.is_set() or context.record.is_lost():
        return exit_codes.NOT_OURS
    if context.building.exception() is None:
        report.egress = context.egress.result
        add_refused(context.readable, report.egress)
    code = report.exit_code
    logger.info(
        "session ended",
        outcome=report.outcome.value,
        error=report.failure.error if report.failure else None,
        commit=report.commit,
        exit_code=code,
        phases=context.phases.seconds,
    )
    tee.close_copy()
    try:
        # First: whoever goes on after this task must not count less.
        context.artifacts.put_usage(report.usage)
    except PullwrightError as error:
        logger.error("what was used could not be kept", reason=error.sentence)
    kept = [context.transcript, context.readable, context.diff, context.log]
    for path in [*kept, context.conversation] if context.conversation.exists() else kept:
        try:
            context.artifacts.put_file(path)
        except PullwrightError as error:
            logger.error("an artifact could not be kept", name=path.name, reason=error.sentence)
    try:
        context.artifacts.put_result(report.result())
    except PullwrightError as error:
        logger.error("the result could not be kept", reason=error.sentence)
        return code or exit_codes.SERVICE
    return code

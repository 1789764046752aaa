"""`python -m runner`: one session, from the task's start to its exit code."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from pullwright.errors import InternalError, PullwrightError, SessionClosed
from pullwright.github.allowance import TableAllowance
from pullwright.github.budget import Room
from pullwright.github.client import GitHubClient
from pullwright.github.fresh import Fresh
from pullwright.github.pace import Pace
from runner import exit_codes
from runner.artifacts import Artifacts
from runner.aws import Clients
from runner.broker import Broker, Grants, task_role_signer
from runner.checking import FOLDERS
from runner.clock import CLOCK, Clock, Phases
from runner.context import SessionContext, Signals
from runner.git.command import GitError
from runner.log import logger, tee
from runner.metadata import read_identity
from runner.record import Heartbeat, SessionClaim
from runner.report import Report
from runner.session import Session
from runner.settings import Settings, SettingsError
from runner.tracking import Tracker
from runner.user import User, adopt_orphans

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.models import AgentRequest


def main(clock: Clock = CLOCK) -> int:
    """Run the session that the environment names.

    Returns:
        The exit code, see `runner.exit_codes`.
    """
    phases = Phases(clock)
    signals = Signals(threading.Event(), threading.Event())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: signals.terminated.set())
    try:
        settings = Settings.read(os.environ)
    except SettingsError as error:
        logger.error("the task's environment is wrong", problems=str(error).splitlines())
        return exit_codes.SETTINGS
    # The agent's user reads the shared objects, whatever mask this process was started with.
    os.umask(0o022)
    logger.append_keys(session_id=settings.session_id)
    adopt_orphans()
    try:
        with phases.phase("start"):
            context, report = _prepare(settings, signals, phases, clock)
            # RunTask's answer may get lost, and the state machine then starts a second task.
            earlier = context.artifacts.earlier_result() if context.takes_over else None
            if context.takes_over:
                report.go_on(context.artifacts.earlier_usage())
        was_stopped = earlier is not None and earlier.exit_code == exit_codes.STOPPED
        if earlier is not None and not was_stopped:
            logger.info("another task has finished the session", task=earlier.task_arn)
            return earlier.exit_code
    except SessionClosed as error:
        logger.warning("the session is not ours", reason=error.sentence)
        return exit_codes.NOT_OURS
    except PullwrightError as error:
        logger.error("the session could not be started", reason=error.sentence)
        return exit_codes.of(type(error).__name__)
    context = replace(context, was_stopped=was_stopped)
    with Heartbeat(context.record, signals.lost, clock=clock):
        return _finish(context, report, ours=_work(context, report))


def _prepare(
    settings: Settings, signals: Signals, phases: Phases, clock: Clock
) -> tuple[SessionContext, Report]:
    """Get credentials and claim the session."""
    task = read_identity(settings.ecs_container_metadata_uri_v4)
    broker = Broker(settings.broker_url, task_role_signer(settings.aws_region), terminated=signals.terminated)
    grants = Grants(broker, patience=settings.broker_patience_seconds, now=clock.now)
    if grants.current().session_id != settings.session_id:
        raise SessionClosed("The broker says that this task runs another session.")
    clients = Clients(grants, settings.aws_region, clock.now)
    dynamodb = clients.dynamodb()
    report = Report(settings.session_id, task.arn, phases, clock)
    record = SessionClaim(
        dynamodb,
        table=settings.sessions_table,
        session_id=settings.session_id,
        task=task,
        now=clock.now,
    )
    takes_over = not record.claim(report.started_at)
    if takes_over:
        # Credentials prove nothing: this task may have got its own before the newer one claimed the session.
        grants.renew()
        record.take_over(report.started_at)
    context = SessionContext(
        work_dir=settings.work_dir,
        private=_private_folder(settings.work_dir),
        user=User(settings.agent_uid if settings.agent_isolation == "user" else None),
        checks_user=User(settings.checks_uid if settings.agent_isolation == "user" else None),
        record=record,
        artifacts=Artifacts(clients.s3(), bucket=settings.artifacts_bucket, session_id=settings.session_id),
        github_token=grants.github_token,
        forget_github_token=grants.forget_github_token,
        github_token_age=grants.github_token_age,
        model_api_key=lambda: grants.current().model_api_key,
        github=lambda repository, purpose, patience: GitHubClient(
            settings.github_api_url,
            grants.github_token,
            forget_token=grants.forget_github_token,
            patience=patience,
            fresh=Fresh(grants.github_token_age),
            pace=Pace(
                TableAllowance(dynamodb, settings.sessions_table, repository.partition("/")[0]),
                purpose=purpose,
            ),
        ),
        signals=signals,
        phases=phases,
        clock=clock,
        checkpoint_seconds=settings.checkpoint_seconds,
        package_manager=settings.package_manager,
        machine=settings.machine,
        model_patience_seconds=settings.model_patience_seconds,
        takes_over=takes_over,
        is_spot=settings.capacity == "FARGATE_SPOT",
    )
    return context, report


def _private_folder(work_dir: Path) -> Path:
    """Make the runner's own folder, and clears what an earlier run of a container left."""
    work_dir.mkdir(parents=True, exist_ok=True)
    for name in ("agent", "collected", "objects", "runner", *FOLDERS):
        shutil.rmtree(work_dir / name, ignore_errors=True)
    private = work_dir / "runner"
    private.mkdir(mode=0o700)
    tee.copy_to(private / "runner.log")
    return private


def _work(context: SessionContext, report: Report) -> bool:
    """Do the session's work and put every failure into the report; False if it is not ours any more."""
    try:
        with context.phases.phase("request"):
            request = context.artifacts.request()
        with _tracker(context, request) as tracker:
            Session(request, context, report, tracker).run()
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


def _tracker(context: SessionContext, request: AgentRequest) -> Tracker:
    # It waits for a limit itself, and then shows what is new by then.
    github = context.github(request.repository, Room.PROGRESS, 0.0)
    return Tracker(
        request,
        lambda body: github.update_comment(request.repository, request.comment_id, body),
        elapsed=lambda: context.phases.elapsed,
        stretch=github.pace.stretch,
    )


def _finish(context: SessionContext, report: Report, *, ours: bool) -> int:
    """Keep all artifacts of a session that is ours, the result last: whoever sees it sees the others."""
    # What another task has written about the session stays.
    if not ours or context.signals.lost.is_set() or context.record.is_lost():
        return exit_codes.NOT_OURS
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


if __name__ == "__main__":
    sys.exit(main())

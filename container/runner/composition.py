"""The one place where the parts of a session are made."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pullwright.errors import SessionClosed
from runner.artifacts import Artifacts, BucketStore
from runner.aws import Clients
from runner.broker import Broker, Grants, task_role_signer
from runner.checking import FOLDERS as CHECKS_FOLDERS
from runner.context import SessionContext
from runner.disk import DiskWatch
from runner.evaluation.session import EvaluationSession
from runner.git.pinned import PinnedRemote
from runner.github_host import GitHubHost
from runner.log import tee
from runner.metadata import read_identity
from runner.preparation import FOLDERS
from runner.record import SessionClaim
from runner.report import Report
from runner.review.session import FOLDER as REVIEW_FOLDER
from runner.review.session import ReviewSession
from runner.session import Session
from runner.stopping import StopConditions
from runner.tracking import Tracker

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from pullwright.models import AgentRequest
    from runner.clock import Clock, Phases
    from runner.context import Signals
    from runner.egress.egress import Egress
    from runner.settings import Settings


def prepare(
    settings: Settings, building: Future[Egress], signals: Signals, phases: Phases, clock: Clock
) -> tuple[SessionContext, Report]:
    """Get credentials, claim the session, and make what its parts share.

    Args:
        building: what processes can reach, as it is being built.

    Raises:
        SessionClosed: the session is over, or a newer task has it.
        PullwrightError: AWS or the broker did not give what is needed.
    """
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
        settings=settings,
        private=make_private_folder(settings.work_dir),
        building=building,
        record=record,
        artifacts=Artifacts(
            BucketStore(clients.s3(), bucket=settings.artifacts_bucket, session_id=settings.session_id)
        ),
        host=GitHubHost(settings.github_api_url, grants, dynamodb, settings.sessions_table, clock),
        signals=signals,
        phases=phases,
        clock=clock,
        takes_over=takes_over,
    )
    return context, report


def make_private_folder(work_dir: Path) -> Path:
    """Make the runner's own folder, and clear what an earlier run of a container left."""
    work_dir.mkdir(parents=True, exist_ok=True)
    for name in (*FOLDERS, "runner", REVIEW_FOLDER, *CHECKS_FOLDERS):
        shutil.rmtree(work_dir / name, ignore_errors=True)
    private = work_dir / "runner"
    private.mkdir(mode=0o700)
    tee.copy_to(private / "runner.log")
    return private


def make_tracker(context: SessionContext, request: AgentRequest) -> Tracker:
    """Make what shows people how far the session is."""
    comment = context.host.comment(request)
    return Tracker(request, comment.update, elapsed=lambda: context.phases.elapsed, stretch=comment.stretch)


def make_session(
    context: SessionContext, request: AgentRequest, report: Report, tracker: Tracker
) -> Session | ReviewSession | EvaluationSession:
    """Make the session with all that it needs before the repository is cloned."""
    stops = StopConditions(
        context.signals, context.phases, DiskWatch(context.settings.work_dir), request.limits.minutes
    )
    remote = context.host.remote(request, lambda: stops.from_outside() is not None)
    if request.only_comments:
        return ReviewSession(request, context, report, tracker, stops, remote)
    landing = context.host.landing(request, remote)
    session = Session(request, context, report, tracker, stops, remote, landing)
    if isinstance(remote, PinnedRemote):
        return EvaluationSession(session, request, context, report, tracker, stops, remote)
    return session

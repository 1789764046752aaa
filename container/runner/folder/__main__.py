"""`python -m runner.folder`: one session in a folder, from its start to its exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runner.artifacts import Artifacts
from runner.composition import make_private_folder
from runner.context import SessionContext
from runner.folder.artifacts import FolderStore
from runner.folder.host import FolderHost
from runner.folder.settings import Credentials, FolderSettings
from runner.record import NoClaim
from runner.report import Report
from runner.task import run

if TYPE_CHECKING:
    from concurrent.futures import Future

    from runner.clock import Clock, Phases
    from runner.context import Signals
    from runner.egress.egress import Egress


def prepare(
    settings: FolderSettings, building: Future[Egress], signals: Signals, phases: Phases, clock: Clock
) -> tuple[SessionContext, Report]:
    """Make what the session's parts share; see `runner.composition.prepare`.

    Raises:
        SettingsError: standard input is not as it has to be.
    """
    private = make_private_folder(settings.work_dir)
    credentials = Credentials.read(sys.stdin)
    context = SessionContext(
        settings=settings,
        private=private,
        building=building,
        record=NoClaim(),
        artifacts=Artifacts(FolderStore(settings.session_folder)),
        host=FolderHost(settings.session_folder, private, credentials.api_key),
        signals=signals,
        phases=phases,
        clock=clock,
        takes_over=False,
    )
    return context, Report(settings.session_id, "local", phases, clock)


if __name__ == "__main__":
    sys.exit(run(lambda: FolderSettings.read(os.environ), prepare))

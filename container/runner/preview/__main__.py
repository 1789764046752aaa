"""`python -m runner.preview`: builds and serves the preview that the task's environment names."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from pullwright.errors import PullwrightError, SessionClosed
from pullwright.github.urls import GitHubUrls
from pullwright.previewing.exits import exit_code_of
from runner import exit_codes
from runner.broker import Broker, task_role_signer
from runner.clock import CLOCK, Clock
from runner.git.command import GitError
from runner.log import logger
from runner.metadata import read_address
from runner.preview.commit import CommitRemote, bring
from runner.preview.credentials import ask_for_preview
from runner.preview.screenshots import Screenshots
from runner.preview.serving import environment, serve
from runner.preview.settings import PreviewSettings
from runner.task_settings import SettingsError
from runner.user import User, adopt_orphans

if TYPE_CHECKING:
    from pullwright.brokering.models import PreviewGrant
    from runner.git.workspace import Workspace


def main(clock: Clock = CLOCK) -> int:
    """Serve until the task is told to stop.

    Returns:
        The exit code, see `pullwright.previewing.exits`; 0 when it was told to stop.
    """
    terminated = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: terminated.set())
    try:
        settings = PreviewSettings.read(os.environ)
    except SettingsError as error:
        logger.error("the task's environment is wrong", problems=str(error).splitlines())
        return exit_codes.SETTINGS
    # The application's user reads what is checked out, whatever mask this process was started with.
    os.umask(0o022)
    logger.append_keys(preview_id=settings.preview_id)
    adopt_orphans()
    try:
        _run(settings, terminated, clock)
    except SessionClosed as error:
        logger.warning("the preview is not ours", reason=error.sentence)
        return exit_codes.NOT_OURS
    except PullwrightError as error:
        logger.error("the preview failed", error=type(error).__name__, reason=error.sentence)
        return exit_code_of(error)
    except GitError as error:
        logger.exception("git failed", stderr=error.stderr)
        return exit_codes.DEFECT
    except Exception:  # noqa: BLE001 - a defect has to end in an exit code like everything else
        logger.exception("a defect of the runner")
        return exit_codes.DEFECT
    logger.info("the preview was stopped")
    return exit_codes.DONE


def _run(settings: PreviewSettings, terminated: threading.Event, clock: Clock) -> None:
    began = clock.monotonic()
    address = read_address(settings.ecs_container_metadata_uri_v4)
    broker = Broker(settings.broker_url, task_role_signer(settings.aws_region), terminated=terminated)
    grant = ask_for_preview(broker, settings.preview_id)
    user = User(settings.agent_uid if settings.agent_isolation == "user" else None)
    workspace = _bring(settings, grant, user, terminated, clock)
    logger.info("the commit is here", commit=grant.plan.commit, seconds=round(clock.monotonic() - began, 3))
    screenshots = Screenshots(grant.plan, settings, address, broker.tell)
    screenshots.begin()
    try:
        serve(
            grant.plan,
            user=user,
            folder=workspace.folder,
            env=environment(grant.plan, grant.variables, address=address, home=workspace.home),
            is_terminated=terminated.is_set,
            clock=clock.monotonic,
        )
    finally:
        screenshots.end()


def _bring(
    settings: PreviewSettings, grant: PreviewGrant, user: User, terminated: threading.Event, clock: Clock
) -> Workspace:
    granted = clock.monotonic()
    remote = CommitRemote(
        GitHubUrls.of(settings.github_api_url).git(grant.plan.repository),
        grant.plan.commit,
        lambda: grant.github_token,
        # The broker makes a new token each time it is asked.
        token_age=lambda: clock.monotonic() - granted,
        should_stop=terminated.is_set,
    )
    name = grant.plan.repository.partition("/")[2]
    return bring(remote, settings.work_dir, name=name, user=user)


if __name__ == "__main__":
    sys.exit(main())

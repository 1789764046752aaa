"""Prepares what the agent works in: the checkout, what can be reached, packages and setup."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pullwright.egress import STACK, Domains, choose
from pullwright.results import CheckResult
from runner.git.leaks import redact
from runner.git.protected import with_base
from runner.git.workspace import Workspace
from runner.log import logger
from runner.repository.commands import SETUP, run_command
from runner.repository.packages import PACKAGES, install
from runner.repository.renewal import renew_home

if TYPE_CHECKING:
    from pullwright.models import AgentRequest
    from runner.context import SessionContext
    from runner.git.merging import Merge
    from runner.git.remote import Remote
    from runner.git.store import Head, Store
    from runner.report import Report
    from runner.repository.profile import RepositoryProfile
    from runner.stopping import StopConditions
    from runner.tracking import Tracker

FOLDERS = ("agent", "collected", "objects")
"""What is made in the folder where repositories are cloned."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepares one session's work."""

    request: AgentRequest
    context: SessionContext
    report: Report
    tracker: Tracker
    stops: StopConditions
    remote: Remote

    def check_out(
        self, store: Store, head: Head, found: Head | None = None, merge: Merge | None = None
    ) -> Workspace:
        """Check the branch out for the agent, in the place of an earlier workspace if there is one.

        Args:
            found: a checkpoint, to go on from.
            merge: with the base, whose conflicts are the agent's to resolve.
        """
        context, request = self.context, self.request
        begun = start = head.tree if merge is None else merge.tree
        if found is not None:
            start = found.tree
        if not request.branch_is_ours:
            start = with_base(self.remote, store, request.base, start)
        for name in FOLDERS:
            shutil.rmtree(context.settings.work_dir / name, ignore_errors=True)
        # Everything that the agent begins with is in the store by now.
        store.share_objects(context.settings.work_dir / "objects")
        name = request.repository.partition("/")[2]
        workspace = Workspace.create(
            context.settings.work_dir, context.private, name=name, user=context.egress.user
        )
        workspace.check_out(head, request.branch, request.author)
        if merge is not None:
            workspace.put_in(merge.tree)
        workspace.remember_index()
        if found is not None:
            self.tracker.show("Going on from the last checkpoint")
        if start != begun:
            workspace.put_back(start, "HEAD" if merge is None else begun)
        if merge is not None:
            workspace.mark_conflicts(merge)
        return workspace

    def allow(self, profile: RepositoryProfile) -> None:
        """Open the way out as far as the stack and the repository let it."""
        settings, egress = self.context.settings, self.context.egress
        entries = profile.configuration.egress
        stack, may_add = Domains.read(settings.egress_domains), Domains.read(settings.egress_may_add)
        domains, denied = choose(entries, stack, may_add)
        egress.allow(domains, (STACK,) if entries is None else entries)
        if denied:
            self.report.notices.append(
                f"Not reachable, for this deployment does not let repositories add it (EgressMayAdd): "
                f"{', '.join(denied)}."
            )

    def set_up(self, workspace: Workspace, profile: RepositoryProfile) -> RepositoryProfile:
        """Install the repository's packages and run its setup command."""
        if profile.notice is not None:
            self.report.notices.append(profile.notice)
        if profile.configuration.packages:
            profile = self._install(profile)
        return self.run_setup(workspace, profile)

    def run_setup(self, workspace: Workspace, profile: RepositoryProfile) -> RepositoryProfile:
        """Run the setup command alone; the agent hears of one that fails, and may still succeed."""
        setup = profile.configuration.setup
        if setup is None:
            return profile
        with self.context.phases.phase("setup"), self.context.egress.step(SETUP):
            self.tracker.show("Setting up")
            before = workspace.untracked()
            configuration = (workspace.folder / ".git/config").read_bytes()
            done = run_command(
                *(SETUP, setup.command),
                user=workspace.user,
                cwd=workspace.folder,
                env=workspace.environment("agent"),
                seconds=setup.timeout,
                should_stop=self.stops.of_work,
            )
            # The first one's result is what people see: later ones are of the agent's own work.
            self.report.setup = self.report.setup or done
            workspace.leave_out(workspace.untracked() - before)
            renew_home(workspace, configuration)
        return replace(profile, setup=done)

    def _install(self, profile: RepositoryProfile) -> RepositoryProfile:
        """Install the repository's packages; people and the agent hear of it if that fails."""
        names = ", ".join(profile.configuration.packages)
        if self.context.settings.package_manager == "none":
            self.report.notices.append(f"Not installed, for this image installs no system packages: {names}.")
            return replace(profile, packages=CheckResult(name=PACKAGES, command="", status="not_run"))
        with self.context.phases.phase("packages"):
            self.tracker.show("Installing packages")
            done = install(profile.configuration.packages, self.stops.of_work)
        if done.status != "passed":
            logger.warning("packages were not installed", status=done.status, output=redact(done.output))
            self.report.notices.append(f"Not installed, and the session went on without: {names}.")
        return replace(profile, packages=done)

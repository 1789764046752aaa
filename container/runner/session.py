"""One session from the clone to the push. What happened is in the report, whatever is raised."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from pullwright.egress import STACK, Domains, choose
from pullwright.errors import PullwrightError, PushRefused, SessionClosed, TaskStopped
from pullwright.models import Outcome
from pullwright.results import CheckResult
from runner.adoption import find_pushed, report_pushed
from runner.agent.answers import take_answers
from runner.agent.comments import select_comments
from runner.agent.verdict import judge
from runner.agent_work import AgentWork
from runner.checking import Checking, begin
from runner.git.checkpoint import CheckpointRef
from runner.git.command import GitError
from runner.git.leaks import redact
from runner.git.message import commit_message
from runner.git.protected import with_base
from runner.git.workspace import Workspace
from runner.log import logger
from runner.repository.commands import SETUP, run_command
from runner.repository.packages import PACKAGES, install
from runner.repository.profile import read_profile
from runner.repository.renewal import renew_home
from runner.rules.delivery import deliver
from runner.rules.source import base_files
from runner.stub import SUMMARY, run_stub
from runner.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.models import AgentRequest
    from runner.context import SessionContext
    from runner.git.landing import Landing
    from runner.git.remote import Remote
    from runner.git.store import Head, Store
    from runner.git.workspace import Collected
    from runner.report import Report
    from runner.repository.profile import RepositoryProfile
    from runner.rules.delivery import HouseRules
    from runner.stopping import StopConditions
    from runner.tracking import Tracker

    # Says what came of the agent's work, given whether it changed anything.
    Judgement = Callable[[bool], tuple[Outcome, PullwrightError | None]]


class Session:
    """The work on one request."""

    def __init__(
        self,
        request: AgentRequest,
        context: SessionContext,
        report: Report,
        tracker: Tracker,
        stops: StopConditions,
        remote: Remote,
        landing: Landing,
    ) -> None:
        self._request = request
        self._context = context
        self._report = report
        self._tracker = tracker
        self._stops = stops
        self._remote = remote
        self._landing = landing
        self._checkpoint = CheckpointRef(remote)
        self._began = begin()

    def run(self) -> None:
        """Clone the repository, let the agent work, and push what it left, also after a failure.

        Raises:
            SessionClosed: the session is not ours any more; nothing was pushed.
            PullwrightError: a failure that is not in the report yet.
        """
        phase = self._context.phases.phase
        with phase("clone"):
            self._tracker.show("Cloning the repository")
            store, head, found = self._clone()
            if self._adopt(store, head):
                return
            self._remote.fetch_others(store, self._request.base)
            workspace = self._workspace(store, head, found)
            profile = read_profile(self._remote, store, head.tree)
            self._allow(profile)
        profile = self._set_up(workspace, profile)
        if profile.packages is not None:
            # With them there may be a program for the repository's tests.
            profile = profile.with_checks_of(store, head.tree)
        self._must_go_on()
        own = CheckpointRef(self._remote, f"refs/pullwright-sessions/{self._request.session_id}")
        work = Work(
            *(self._request, self._context, self._report, store, head, workspace, self._checkpoint, own),
            refuse_steering=profile.configuration.steering == "refuse",
        )
        try:
            with phase("agent"), self._context.egress.step("agent"):
                judged = (
                    self._stub(workspace)
                    if self._request.stub
                    else self._agent(work, profile, self._house_rules(store, head), found)
                )
        except Exception:
            work.make_last_checkpoint()
            raise
        if self._context.signals.lost.is_set():
            raise SessionClosed("The session is closed or belongs to another task.")
        with phase("collect"):
            try:
                collected = work.collect()
            except (GitError, PushRefused):
                # Why the agent was ended, if it was, is why there is nothing to take in.
                _, failure = judged(True)  # noqa: FBT003 - a callable has no names for its arguments
                if failure is not None:
                    self._report.fail(failure)
                raise
        outcome, failure = judged(collected is not None)
        self._report.outcome = outcome
        if failure is not None:
            self._report.fail(failure)
        if collected is not None:
            with phase("push"):
                tree = self._push(work, collected, profile, failure)
            self._check(work, profile.with_checks_of(store, tree), tree)
        elif failure is None:
            work.delete_checkpoint()

    def _push(
        self, work: Work, collected: Collected, profile: RepositoryProfile, failure: PullwrightError | None
    ) -> str:
        """Bring the work onto the branch, and return the tree that it then has if that succeeded."""
        if self._context.is_spot and isinstance(failure, TaskStopped):
            # Half of the work on the branch would be read as the whole: the next task goes on from it.
            work.leave_for_next_task(collected)
            return collected.tree
        self._tracker.show("Pushing the work")
        try:
            work.push(collected, self._landing, profile.ci(is_private=self._request.repository_is_private))
        except SessionClosed:
            raise
        except PullwrightError as error:
            logger.warning("the work did not come onto the branch", reason=error.sentence)
            if (tree := self._adopt_instead(work)) is not None:
                return tree
            self._report.fail(error)
        return collected.tree

    def _must_go_on(self) -> None:
        if self._context.signals.terminated.is_set():
            raise TaskStopped("The task was stopped before the agent had started.")

    def _adopt(self, store: Store, head: Head) -> bool:
        """Take what another task of this session has pushed, if it has: doing it twice would cost twice."""
        context, report = self._context, self._report
        if not context.takes_over or store.session_of(head.commit) != self._request.session_id:
            return False
        if context.was_stopped:
            # What it has pushed is no more than it had come to, and the agent goes on above it.
            return False
        report_pushed(self._remote, store, head, report)
        report.outcome = Outcome.CHANGED
        report.notices.append(
            "ECS started two tasks. The first had pushed the work; its cost and the checks are not known."
        )
        return True

    def _adopt_instead(self, work: Work) -> str | None:
        """Take what another task has pushed while this one worked, instead of this one's own work.

        Returns:
            Its tree; None if there is none, or if GitHub does not say.

        Raises:
            SessionClosed: the other task is the newer one.
        """
        context, report = self._context, self._report
        if context.record.is_lost():
            raise SessionClosed("The session is closed or belongs to another task.")
        if not context.takes_over:
            return None
        try:
            pushed = find_pushed(self._remote, work.store, work.head, report.session_id)
            if pushed is None:
                return None
            report_pushed(self._remote, work.store, pushed, report)
        except PullwrightError as error:
            logger.warning("what another task has pushed could not be read", reason=error.sentence)
            return None
        report.notices.append(
            "ECS started two tasks. The other one pushed its work first, and this one's is not used."
        )
        work.write_diff(pushed.tree)
        work.delete_checkpoint()
        return pushed.tree

    def _clone(self) -> tuple[Store, Head, Head | None]:
        """Return the repository, and the last checkpoint if an earlier session left one on this branch."""
        private = self._context.private
        with ThreadPoolExecutor(1, "find-checkpoint") as beside:
            exists = beside.submit(self._checkpoint.find, private)
            store, head = self._remote.clone(private / "repository.git")
        return store, head, self._checkpoint.fetch(store, head) if exists.result() else None

    def _workspace(self, store: Store, head: Head, found: Head | None) -> Workspace:
        context, request = self._context, self._request
        start = found.tree if found is not None else head.tree
        if not request.branch_is_ours:
            start = with_base(self._remote, store, request.base, start)
        # Everything that the agent begins with is in the store by now.
        store.share_objects(context.settings.work_dir / "objects")
        name = request.repository.partition("/")[2]
        workspace = Workspace.create(
            context.settings.work_dir, context.private, name=name, user=context.egress.user
        )
        workspace.check_out(head, request.branch, request.author)
        workspace.remember_index()
        if found is not None:
            self._tracker.show("Going on from the last checkpoint")
        if start != head.tree:
            workspace.put_back(start)
        return workspace

    def _house_rules(self, store: Store, head: Head) -> HouseRules:
        """Bring what the base branch says about how to work here, after setup: it could add files."""
        base = self._request.base
        files = base_files(self._remote, store, base, head.tree)
        rules = deliver(files, self._context.settings.work_dir / "claude", base)
        self._report.notices.extend(rules.notices)
        return rules

    def _allow(self, profile: RepositoryProfile) -> None:
        """Open the way out as far as the stack and the repository let it."""
        settings, egress = self._context.settings, self._context.egress
        entries = profile.configuration.egress
        stack, may_add = Domains.read(settings.egress_domains), Domains.read(settings.egress_may_add)
        domains, denied = choose(entries, stack, may_add)
        egress.allow(domains, (STACK,) if entries is None else entries)
        if denied:
            self._report.notices.append(
                f"Not reachable, for this deployment does not let repositories add it (EgressMayAdd): "
                f"{', '.join(denied)}."
            )

    def _set_up(self, workspace: Workspace, profile: RepositoryProfile) -> RepositoryProfile:
        """Run the repository's setup command; the agent hears of one that fails, and may still succeed."""
        if profile.notice is not None:
            self._report.notices.append(profile.notice)
        if profile.configuration.packages:
            profile = self._install(profile)
        setup = profile.configuration.setup
        if setup is None:
            return profile
        with self._context.phases.phase("setup"), self._context.egress.step(SETUP):
            self._tracker.show("Setting up")
            before = workspace.untracked()
            configuration = (workspace.folder / ".git/config").read_bytes()
            done = run_command(
                *(SETUP, setup.command),
                user=workspace.user,
                cwd=workspace.folder,
                env=workspace.environment("agent"),
                seconds=setup.timeout,
                should_stop=self._stops.of_work,
            )
            self._report.setup = done
            workspace.leave_out(workspace.untracked() - before)
            renew_home(workspace, configuration)
        return replace(profile, setup=done)

    def _install(self, profile: RepositoryProfile) -> RepositoryProfile:
        """Install the repository's packages; people and the agent hear of it if that fails."""
        names = ", ".join(profile.configuration.packages)
        if self._context.settings.package_manager == "none":
            self._report.notices.append(
                f"Not installed, for this image installs no system packages: {names}."
            )
            return replace(profile, packages=CheckResult(name=PACKAGES, command="", status="not_run"))
        with self._context.phases.phase("packages"):
            self._tracker.show("Installing packages")
            done = install(profile.configuration.packages, self._stops.of_work)
        if done.status != "passed":
            logger.warning("packages were not installed", status=done.status, output=redact(done.output))
            self._report.notices.append(f"Not installed, and the session went on without: {names}.")
        return replace(profile, packages=done)

    def _check(self, work: Work, profile: RepositoryProfile, tree: str) -> None:
        """Check what was pushed, if the session has done what was wanted."""
        report, store, head = self._report, work.store, work.head
        if report.commit is None or report.outcome is not Outcome.CHANGED:
            return
        checking = Checking(
            *(self._request, self._context, report, self._tracker.show),
            should_stop=self._stops.of_checks,
            since=self._began,
        )
        checking.compare(profile, self._remote, store, head, tree)
        if not profile.checks:
            return
        # GitHub made the commit of this tree, and it is not fetched for the checks: theirs holds the same.
        message = commit_message(self._request, report.summary)
        commit = store.commit(tree, parent=head.commit, message=message, author=self._request.author)
        checking.run(profile, store, replace(head, commit=commit, tree=tree))

    def _stub(self, workspace: Workspace) -> Judgement:
        run_stub(self._request, workspace, lambda text, todos: self._tracker.show(text, todos=todos))
        self._report.summary = SUMMARY
        return lambda changed: (Outcome.CHANGED if changed else Outcome.NO_CHANGE, None)

    def _agent(
        self, work: Work, profile: RepositoryProfile, rules: HouseRules, found: Head | None
    ) -> Judgement:
        _context, report = self._context, self._report
        request, left_out = select_comments(self._request, profile.configuration.comments)
        notes = profile.notes()
        if left_out is not None:
            report.notices.append(left_out)
            notes = f"{notes}\n\n{left_out}".strip()
        self._tracker.show("Starting the agent")
        agent = AgentWork(request, self._context, report, self._tracker, self._stops, work, profile, rules)
        run = agent.run(notes, resumed=found is not None)
        report.summary, report.answers = take_answers(run.summary, request)
        report.conversation_id = run.conversation_id
        ended = run.end.ended
        logger.info("the agent has ended", exit_code=ended.exit_code, stop=ended.stop and ended.stop.name)
        if ended.exit_code and ended.stderr:
            logger.warning("the agent's last words on standard error", stderr=redact(ended.stderr))
        only_plans = self._request.plan == "only"
        return lambda changed: judge(run.end, self._request.limits, changed=changed, only_plans=only_plans)

"""Decides what is done about checks that ended on a branch of ours. Safe to repeat, in any order."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.errors import FailureClass, PullRequestNotFound, PullwrightError
from pullwright.events.checks_texts import (
    CHECKS_MARKER,
    render_flaky,
    render_given_up,
    render_nobody,
    render_on_base,
)
from pullwright.github.checks import failed_checks, failed_statuses, run_again, workflow_runs
from pullwright.github.granted import most_granted
from pullwright.github.permissions import CHECKING, CHECKING_ONLY, STATUSES
from pullwright.mended import MOST_IN_A_ROW, ChecksRecord
from pullwright.opening.ours import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pullwright.events.messages import QueuedChecks
    from pullwright.events.services import EventServices
    from pullwright.github import GitHubClient
    from pullwright.github.checks import SeenCheck, WorkflowRun
    from pullwright.github.payloads import PullRequest
    from pullwright.record import SessionRecord

_SESSION = re.compile(r"^Pullwright-(?:Session|Update): (\S{1,80})$", re.MULTILINE)
# With the worker's name and the number, an execution's name has 80 characters at most.
_OF_COMMIT = 36


def decide_checks(asked: QueuedChecks, services: EventServices) -> str:
    """Have a failure run again, tell people about it, or start the sessions that mend it.

    Returns:
        What came of it, for the log.

    Raises:
        PullwrightError: GitHub or AWS did not answer; to be asked again.
        ClientError: Step Functions did not take an execution; to be asked again.
    """
    app, store = services.app, services.store
    if asked.has_passed and not _is_awaited(store.checks.read(asked.repository, asked.branch), asked):
        return "Nothing that passed had been run again."
    try:
        if asked.app_id == app.app().id:
            return "Our own checks start nothing."
        # Not everybody has granted that workflows are run again, or that statuses are read.
        client, granted = most_granted(
            *(app, asked.repository, asked.installation_id, CHECKING_ONLY),
            ({**CHECKING, **STATUSES}, CHECKING, {**CHECKING_ONLY, **STATUSES}),
        )
        may = {"may_rerun": "actions" in granted, "sees_statuses": "statuses" in granted}
        return _Checks(asked, services, client, **may).run()
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Asking again changes nothing: a permission is missing, or the repository is gone.
            return f"Nothing was done: {error.sentence}"
        raise


def _is_awaited(record: ChecksRecord, asked: QueuedChecks) -> bool:
    return record.commit == asked.commit and bool(record.reruns)


@dataclass(frozen=True, slots=True)
class _Checks:
    asked: QueuedChecks
    services: EventServices
    client: GitHubClient
    may_rerun: bool
    sees_statuses: bool

    def run(self) -> str:
        asked = self.asked
        pull = self._pull()
        if pull is None:
            return "No open pull request of ours has this commit as its head."
        failed = self._failed(asked.commit)
        on_base = {check.name for check in self._failed(pull.base.sha)} if failed else set()
        ours = [check for check in failed if check.name not in on_base]
        if asked.has_passed:
            return self._passed(pull, ours)
        if not failed:
            return "Nothing fails on the commit any more."
        if not ours:
            self._tell(pull, render_on_base([check.name for check in failed], pull.base.sha))
            return "What fails failed on the base too."
        if asked.commit not in self._record().mended:
            runs = self._first_failures(ours)
            if runs and self._run_again(runs, ours):
                return "What failed runs again."
        return self._start(pull, ours)

    def _pull(self) -> PullRequest | None:
        """Return the pull request of ours that the checks are of; None if there is none any more."""
        asked, services = self.asked, self.services
        for pull in self._named_pulls():
            is_meant = pull.state == "open" and pull.head.sha == asked.commit
            if is_meant and is_ours(pull, asked.repository, services.app, services.store, self.client):
                return pull
        return None

    def _named_pulls(self) -> Iterator[PullRequest]:
        """Yield the pull requests that the delivery names; of a status, those of its branch."""
        repository = self.asked.repository
        if not self.asked.pull_requests:
            yield from self.client.pull_requests_of(repository, self.asked.branch)
        for number in self.asked.pull_requests:
            try:
                yield self.client.get_pull_request(repository, number)
            except PullRequestNotFound:
                continue

    def _failed(self, commit: str) -> list[SeenCheck]:
        own_app = self.services.app.app().id
        failed = failed_checks(self.client, self.asked.repository, commit, without=own_app)
        if self.sees_statuses:
            failed += failed_statuses(self.client, self.asked.repository, commit)
        return failed

    def _record(self) -> ChecksRecord:
        return self.services.store.checks.read(self.asked.repository, self.asked.branch)

    def _passed(self, pull: PullRequest, ours: Sequence[SeenCheck]) -> str:
        """Say that a failure was flaky, once everything that runs again has passed."""
        record = self._record()
        if ours:
            return "Other checks still fail."
        runs = workflow_runs(self.client, self.asked.repository, self.asked.commit)
        if any(str(run.id) in record.reruns and run.status != "completed" for run in runs):
            return "Other checks still run again."
        self._tell(pull, render_flaky(record.names, self.asked.commit))
        return "What had failed was flaky."

    def _first_failures(self, ours: Sequence[SeenCheck]) -> list[WorkflowRun]:
        """Return the runs to run again; none if one of the failures is certain."""
        if not self.may_rerun or not all(check.is_of_actions for check in ours):
            return []
        found = workflow_runs(self.client, self.asked.repository, self.asked.commit)
        by_suite = {run.check_suite_id: run for run in found}
        suites = {check.check_suite.id for check in ours if check.check_suite is not None}
        runs = [by_suite[suite] for suite in sorted(suites & by_suite.keys())]
        if any(run.run_attempt > 1 for run in runs):
            return []
        # One that is still under way tells of its end in a delivery of its own.
        return [run for run in runs if run.status == "completed"]

    def _run_again(self, runs: Sequence[WorkflowRun], ours: Sequence[SeenCheck]) -> bool:
        """Run workflows again, once for each commit; return False if GitHub runs one of them no more."""
        asked = self.asked
        names = {check.name for check in ours}

        def claim(record: ChecksRecord) -> ChecksRecord:
            is_same = record.commit == asked.commit
            before = record.reruns if is_same else {}
            reruns = {str(run.id): asked.delivery_id for run in runs} | before
            known = set(record.names) if is_same else set()
            update = {"commit": asked.commit, "reruns": reruns, "names": tuple(sorted(names | known))}
            return record.model_copy(update=update)

        record = self.services.store.checks.change(asked.repository, asked.branch, claim)
        # Those that another delivery has had run again are its business, also when it is repeated.
        mine = [run for run in runs if record.reruns.get(str(run.id)) == asked.delivery_id]
        running = [run_again(self.client, asked.repository, run) for run in mine]
        return all(running)

    def _start(self, pull: PullRequest, ours: Sequence[SeenCheck]) -> str:
        """Start the sessions that mend a commit, unless too many have tried in a row."""
        asked, names = self.asked, [check.name for check in ours]
        origin = self._origin(pull)
        if origin is None:
            self._tell(pull, render_nobody(names, asked.commit))
            return "It is not known who asked for the work."
        goes_on = self._is_by_mender()

        def count(record: ChecksRecord) -> ChecksRecord:
            before = record.mended if goes_on or asked.commit in record.mended else ()
            if asked.commit in before or len(before) >= MOST_IN_A_ROW:
                return record
            return record.model_copy(update={"mended": (*before, asked.commit)})

        record = self.services.store.checks.change(asked.repository, asked.branch, count)
        if asked.commit not in record.mended:
            self._tell(pull, render_given_up(names, asked.commit))
            return "Too many sessions have tried in a row."
        started = [self._start_worker(worker, pull, origin) for worker in asked.workers]
        return f"{sum(started)} sessions are started, {len(started) - sum(started)} were before."

    def _start_worker(self, worker: str, pull: PullRequest, origin: SessionRecord) -> bool:
        """Start a worker for whoever asked first, under a name that the commit decides."""
        asked, first = self.asked, origin.request
        request = {
            "repository": asked.repository,
            "pull_request": pull.number,
            "worker": worker,
            "checked_commit": asked.commit,
            "installation_id": asked.installation_id,
            **({"requested_by": origin.requested_by} if origin.requested_by else {}),
            # Without it, somebody with a right in the AWS account has asked, who needs no other.
            **({"delivery_id": asked.delivery_id} if first.get("delivery_id") else {}),
            **({"stub": True} if first.get("stub") is True else {}),
        }
        name = f"{worker}-{pull.number}-{asked.commit[:_OF_COMMIT]}"
        return self.services.start(name, json.dumps(request, separators=(",", ":")))

    def _origin(self, pull: PullRequest) -> SessionRecord | None:
        """Return the last session on the branch, for whose person the next one works; None if unknown."""
        store = self.services.store
        branch = store.read_branch(self.asked.repository, pull.head.ref)
        record = None if branch is None else store.read_session(branch.session_id)
        return None if record is None or record.is_missing else record

    def _is_by_mender(self) -> bool:
        """Return whether a session that mends has pushed the commit: its own trailer says which it was."""
        head = self.client.get_commit(self.asked.repository, self.asked.commit)
        session_ids = _SESSION.findall(head.message)
        if not session_ids:
            return False
        return self.services.store.read_session(session_ids[-1]).worker in self.asked.workers

    def _tell(self, pull: PullRequest, text: str) -> None:
        """Write or rewrite our one comment about checks."""
        client, repository = self.client, self.asked.repository
        bot_id = self.services.app.bot_id(client)
        for comment in client.comments(repository, pull.number):
            if comment.is_by(bot_id, CHECKS_MARKER):
                if comment.body == text or client.update_comment(repository, comment.id, text):
                    return
                break
        client.create_comment(repository, pull.number, text)

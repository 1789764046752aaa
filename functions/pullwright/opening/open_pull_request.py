"""OpenPullRequest: everything between a request and the moment when an agent can start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from pullwright.errors import (
    AwsUnavailable,
    BaseBranchNotFound,
    PullwrightError,
)
from pullwright.github import GitHubClient
from pullwright.github.payloads import Comment, PullRequest, RepositoryInfo
from pullwright.github.permissions import OPENING, OPENING_REVIEW
from pullwright.log import logger
from pullwright.models import (
    AgentRequest,
    AuthorRole,
    FollowUp,
    GitIdentity,
    OpenedPullRequest,
    ResolvedLimits,
    SessionRequest,
    WorkerMode,
)
from pullwright.opening.branch import BranchMaker
from pullwright.opening.commenting import busy, check_fork, check_new, check_sender, name_of
from pullwright.opening.conversation import read_conversation
from pullwright.opening.depth import count_in_a_row
from pullwright.opening.earlier import Earlier, bring_conversation
from pullwright.opening.evaluation import open_evaluation
from pullwright.opening.event import OpeningServices, OpenPullRequestEvent
from pullwright.opening.failing import read_failing
from pullwright.opening.follow_up import FollowUps, check_turn, taken_before, wait
from pullwright.opening.model import check_model
from pullwright.opening.money import reserve
from pullwright.opening.owner import check_name, check_owner, check_settings
from pullwright.opening.people import People
from pullwright.opening.pull_request import open_draft, track, withdraw_refusal
from pullwright.opening.request import check_session_id, read_request, readable, record_fields
from pullwright.opening.subject import Subject, find_subject
from pullwright.opening.threads import read_threads
from pullwright.opening.waiting import check_intake, first_activity
from pullwright.opening.worker import check_same, fill_in, find_worker
from pullwright.prices import Price
from pullwright.store import BranchRecord, Store
from pullwright.table import lock_key
from pullwright.workers.definition import WorkerDefinition

# The runner ends at its minutes; the state machine waits this much longer before it steps in.
GRACE_SECONDS = 900
_LONGEST_LOGIN = 64
# What an opening writes that GitHub counts as content: a pull request and its tracking comment.
_WRITES = 2


def open_pull_request(event: OpenPullRequestEvent, services: OpeningServices) -> OpenedPullRequest:
    """Check a request, take its branch's lock, and find or make branch, pull request and comment.

    Safe to repeat at any point. When it fails after it took the lock, the lock is free again.

    Raises:
        PullwrightError: the session cannot begin; the class says why.
    """
    store, settings = services.store, services.settings
    check_session_id(event.session_id)
    request = readable(read_request(event.input))
    if request.is_follow_up:
        check_turn(store, store.read_session(event.session_id), event.execution_arn)
    store.update_session(event.session_id, record_fields(request, settings))
    if request.evaluation is not None:
        return open_evaluation(event, request, services, grace_seconds=GRACE_SECONDS)
    worker = find_worker(request, request.repository, store.workers)
    request = fill_in(request, worker)
    only_comments = worker.mode is WorkerMode.COMMENT
    if worker.model is not None or only_comments:
        store.update_session(event.session_id, {"model": request.model, "mode": worker.mode.value})
    price = check_model(request, settings)
    services.app.pace(request.repository.partition("/")[0]).check_opening(_WRITES)
    allowed = check_owner(services.app, request.repository, settings.allowed_owners)
    permissions = OPENING_REVIEW if only_comments else OPENING
    client = services.app.client(request.repository, permissions, request.installation_id)
    repository = client.get_repository(request.repository)
    check_name(repository.full_name, allowed)
    check_settings(repository)
    check_same(worker, request, repository.full_name, store.workers)
    people = People(client, repository.full_name, settings.allowed_apps)
    check_sender(people, request, worker, services.app)
    check_intake(store, settings)
    subject = _subject(event, services, request, client, repository, only_comments=only_comments)
    check_fork(subject, request, worker)
    base = _base(subject, request, repository)
    base_commit = client.find_branch(repository.full_name, base)
    if base_commit is None:
        raise BaseBranchNotFound(f"The repository {repository.full_name} has no branch {base}.")
    follow_ups = FollowUps.on(request, subject.pull_request, services, client, people)
    asked = follow_ups.acknowledged(event.session_id, request) if request.is_follow_up else None
    key = lock_key(repository.full_name, name_of(subject, worker))
    if not store.take_lock(key, owner=event.execution_arn, session_id=event.session_id):
        if asked is not None:
            wait(store, event.session_id, repository=repository.full_name, branch=subject.branch)
        raise busy(store, repository.full_name, subject, worker)
    try:
        check_new(
            *(store, repository.full_name, subject, worker),
            session_id=event.session_id,
            asked=event.started_at,
        )
        installation = services.app.token(request.repository, permissions, request.installation_id)
        fields: dict[str, Any] = {
            "repository": repository.full_name,
            "branch": subject.branch,
            "base": base,
            "lock_key": key,
            "installation_id": installation.installation_id,
        }
        store.update_session(event.session_id, fields)
        client.pace.reserve(1 if subject.pull_request is not None else _WRITES)
        reserve(store, settings, request, repository.full_name, session_id=event.session_id)
        opening = _Opening(
            *(event, services, request, client, people, repository, subject, base, base_commit, price),
            *(worker, follow_ups, asked),
        )
        opened = opening.run()
    except Exception:
        _give_back(store, key, event.execution_arn)
        raise
    return OpenedPullRequest.of(
        opened,
        lock_key=key,
        timeout_seconds=ceil(opened.limits.minutes * 60) + GRACE_SECONDS,
        max_sessions=settings.max_sessions,
        # No repository can hold more slots than there are.
        max_sessions_of_repository=settings.max_sessions_per_repository or settings.max_sessions,
        installation_id=installation.installation_id,
    )


@dataclass(frozen=True, slots=True)
class _Opening:
    """The part that is done under the lock."""

    event: OpenPullRequestEvent
    services: OpeningServices
    request: SessionRequest
    client: GitHubClient
    people: People
    info: RepositoryInfo
    subject: Subject
    base: str
    base_commit: str
    price: Price | None
    worker: WorkerDefinition
    follow_ups: FollowUps
    asked: FollowUp | None

    @property
    def repository(self) -> str:
        """Its current name."""
        return self.info.full_name

    def run(self) -> AgentRequest:
        app, store, session_id = self.services.app, self.services.store, self.event.session_id
        in_a_row = count_in_a_row(
            store.read_branch(self.repository, name_of(self.subject, self.worker)), self.request, session_id
        )
        if not self.subject.is_read and self.asked is None:
            self._acknowledge()
        author = app.author(self.client)
        bot_id = app.bot_id(self.client)
        pull = self.subject.pull_request
        if pull is None and not self.subject.is_read:
            pull = self._open(bot_id)
        failing = read_failing(app, self.repository, self.request, self.worker, self.subject.pull_request)
        earlier = self._earlier()
        agent_request = self._agent_request(pull, author, bot_id).model_copy(
            update={
                "follow_ups": self._together(),
                "failing": failing,
                "conversation": earlier.conversation,
                "begins_afresh": earlier.begins_afresh,
            }
        )
        activity = first_activity(store, self.services.settings, self.repository)
        comment_id = track(self.client, agent_request, bot_id, activity=activity)
        there = self._comments()
        url = agent_request.pull_request_url
        withdraw_refusal(self.client, self.repository, there, bot_id, link=f"{url}#issuecomment-{comment_id}")
        made: dict[str, Any] = {
            "pull_request": agent_request.pull_request,
            "pull_request_url": url,
            "comment_id": comment_id,
        }
        store.update_session(session_id, made)
        store.write_branch(self._record(made, in_a_row))
        # Reading them takes a call for each; people have their first sign of life by now.
        asked_at = self._asked_at(agent_request.follow_ups)
        own = {follow_up.comment_id for follow_up in agent_request.follow_ups}
        unread = [
            comment
            for comment in there
            if comment.id not in own and (earlier.began_at is None or comment.created_at >= earlier.began_at)
        ]
        conversation = read_conversation(self.client, self.people, unread, asked_at, bot_id)
        read: dict[str, Any] = {
            "comment_id": comment_id,
            "comments": (*self.subject.comments, *conversation.comments),
            "comments_left_out": self.subject.comments_left_out + conversation.left_out,
        }
        if pull is not None and (self.subject.is_read or self.asked is not None):
            slug = app.app().slug
            threads = read_threads(self.client, self.people, pull.number, slug, asked_at)
            is_wanted = self.subject.is_read
            read["threads"] = tuple(it for it in threads if is_wanted or not it.is_resolved)
        written = self.services.artifacts.write_request(agent_request.model_copy(update=read))
        for follow_up in written.follow_ups:
            if follow_up.session_id != session_id:
                store.update_session(follow_up.session_id, {"taken_by": session_id})
        if written.jira is not None:
            from pullwright.opening.jira import tell_begin  # noqa: PLC0415 - as in _subject

            tell_begin(self.services, written)
        return written

    def _asked_at(self, follow_ups: Iterable[FollowUp]) -> datetime:
        """Return the moment up to which the session reads what was said.

        Requests that waited and are taken along count as asked when they were written. A moment without a
        zone, which only a request written by hand can have, is in UTC.
        """
        asked_at = self.request.asked_at or self.event.started_at
        moments = [asked_at, *(follow_up.created_at for follow_up in follow_ups)]
        return max(it if it.tzinfo is not None else it.replace(tzinfo=UTC) for it in moments)

    def _open(self, bot_id: int) -> PullRequest:
        """Find or make branch and pull request."""
        pull = BranchMaker(
            client=self.client,
            store=self.services.store,
            session_id=self.event.session_id,
            repository=self.repository,
            branch=self.subject.branch,
            base=self.base,
            base_commit=self.base_commit,
            issue=self.subject.issue,
            bot_id=bot_id,
        ).prepare()
        return pull or open_draft(
            self.client,
            self.repository,
            self.subject,
            base=self.base,
            prompt=self.request.prompt,
            requested_by=self.request.requested_by,
        )

    def _earlier(self) -> Earlier:
        """Bring the conversation that a follow-up goes on with; other requests begin one of their own."""
        if self.asked is None:
            return Earlier()
        store, session_id = self.services.store, self.event.session_id
        record = store.read_branch(self.repository, self.subject.branch)
        return bring_conversation(record, session_id, store, self.services.artifacts)

    def _together(self) -> tuple[FollowUp, ...]:
        """Return what is asked for in comments and reviews: in this one, and in those that wait."""
        if self.asked is None:
            return ()
        store, branch = self.services.store, self.subject.branch
        waiting = store.waiting_sessions(self.repository, branch)
        if self.request.retry_of is not None:
            before = self.services.artifacts.read_request(self.request.retry_of)
            waiting += taken_before(before, store, repository=self.repository, branch=branch)
        return self.follow_ups.take_along(self.asked, waiting)

    def _record(self, made: Mapping[str, Any], in_a_row: int) -> BranchRecord:
        name = name_of(self.subject, self.worker)
        fields = {"repository": self.repository, "branch": name, "session_id": self.event.session_id, **made}
        fields["asked_by_apps"] = in_a_row
        if self.subject.is_read:
            pull = self.subject.pull_request
            commit = self.base_commit if pull is None else pull.head.sha
            fields |= {"head_commit": commit, "opened_at": datetime.now(UTC).isoformat()}
        return BranchRecord.model_validate(fields)

    def _agent_request(self, pull: PullRequest | None, author: GitIdentity, bot_id: int) -> AgentRequest:
        """Return the request as the task will read it, still without comments."""
        settings, limits, opened_by = self.services.settings, self.request.limits, self.subject.opened_by
        worker = self.worker
        head_commit = self.base_commit if pull is None else pull.head.sha
        return AgentRequest(
            session_id=self.event.session_id,
            execution_arn=self.event.execution_arn,
            repository=self.repository,
            git_url=self.client.urls.git(self.repository),
            base=self.base,
            branch=self.subject.branch,
            # What an issue is told is said there, for want of a pull request.
            pull_request=self.subject.number or 0 if pull is None else pull.number,
            pull_request_url=self.subject.url if pull is None else pull.html_url,
            comment_id=0,
            issue=self.subject.issue,
            jira=self.subject.jira,
            title=self.subject.title,
            body=self.subject.body,
            opened_by=opened_by,
            opened_by_role=self._opened_by_role(),
            prompt=self.request.prompt,
            requested_by=self.request.requested_by,
            requested_by_id=self._requester(),
            author=author,
            provider=settings.model_provider,
            model=self.request.model or settings.model_id,
            price=self.price,
            limits=ResolvedLimits(
                usd=limits.usd or settings.limit_usd,
                turns=limits.turns or settings.limit_turns,
                minutes=limits.minutes or settings.limit_minutes,
            ),
            worker=worker.id,
            worker_type=worker.type,
            mode=worker.mode,
            instructions=worker.text,
            tools=worker.tools,
            labels=worker.labels,
            plan=self.request.plan or False,
            stub=self.request.stub or settings.stub_sessions,
            head_commit=head_commit if self.subject.is_read else None,
            is_fork=self.subject.is_fork,
            branch_is_ours=self.subject.pull_request is None
            or (pull is not None and pull.user is not None and pull.user.id == bot_id),
            repository_is_private=self.info.private,
            created_at=self.event.started_at,
        )

    def _opened_by_role(self) -> AuthorRole:
        known, login = self.subject.opened_by_role, self.subject.opened_by
        return known or (AuthorRole.UNKNOWN if login is None else self.people.role(login))

    def _requester(self) -> int | None:
        """Return the account id of the person who asked; None if there is none."""
        login = self.request.requested_by
        user = None if login is None else self.client.find_user(login)
        return None if user is None else user.id

    def _comments(self) -> list[Comment]:
        number = self.subject.number
        return [] if number is None else self.client.comments(self.repository, number)

    def _acknowledge(self) -> None:
        if self.subject.number is None:
            return
        try:
            self.client.react(self.repository, self.subject.number, "eyes")
        except PullwrightError as error:
            # A courtesy: on a locked issue GitHub refuses it, and the work goes on.
            logger.warning("the issue could not be acknowledged", error=error.sentence)


def _subject(
    event: OpenPullRequestEvent,
    services: OpeningServices,
    request: SessionRequest,
    client: GitHubClient,
    repository: RepositoryInfo,
    *,
    only_comments: bool,
) -> Subject:
    if request.jira is None:
        return find_subject(client, repository, request, event.session_id, only_comments=only_comments)
    # Sessions without Jira load nothing of it.
    from pullwright.opening.jira import jira_subject  # noqa: PLC0415

    return jira_subject(
        services,
        request,
        repository.full_name,
        event.session_id,
        asked_at=request.asked_at or event.started_at,
        only_comments=only_comments,
    )


def _base(subject: Subject, request: SessionRequest, repository: RepositoryInfo) -> str:
    if subject.pull_request is not None:
        return subject.pull_request.base.ref
    return request.base or repository.default_branch


def _give_back(store: Store, key: str, owner: str) -> None:
    try:
        store.release_lock(key, owner=owner)
    except AwsUnavailable as error:
        # ReportOutcome looks at the lock again.
        logger.warning("the lock could not be freed", error=error.sentence)

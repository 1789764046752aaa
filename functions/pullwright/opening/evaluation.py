"""A session of an evaluation: it begins at an earlier commit, and nothing on GitHub is made for it."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from pullwright.errors import InvalidRequest
from pullwright.evaluation import JUDGING_MINUTES, HiddenTests
from pullwright.github.payloads import Commit
from pullwright.github.permissions import SYNC
from pullwright.models import AgentRequest, OpenedPullRequest, ResolvedLimits, WorkerMode
from pullwright.opening.model import check_model
from pullwright.opening.money import reserve
from pullwright.opening.owner import check_name, check_owner
from pullwright.opening.shown import shown
from pullwright.opening.waiting import check_intake
from pullwright.opening.worker import fill_in, find_worker

if TYPE_CHECKING:
    from pullwright.evaluation import EvaluationTask
    from pullwright.github import GitHubClient
    from pullwright.models import SessionRequest
    from pullwright.opening.event import OpeningServices, OpenPullRequestEvent


def open_evaluation(
    event: OpenPullRequestEvent, request: SessionRequest, services: OpeningServices, *, grace_seconds: int
) -> OpenedPullRequest:
    """Prepare a session of an evaluation; safe to repeat.

    Its token reads and does nothing else: no branch, pull request or comment could be made with it.

    Args:
        request: names the evaluation.
        grace_seconds: that the state machine waits longer than the runner.

    Raises:
        PullwrightError: the session cannot begin; the class says why.
    """
    store, settings, session_id = services.store, services.settings, event.session_id
    check_intake(store, settings)
    task = _task(event, request, services)
    worker = find_worker(request, request.repository, store.workers)
    if worker.mode is not WorkerMode.WRITE:
        raise InvalidRequest(
            f"worker: {worker.id} only comments, so that there is nothing to test of its work."
        )
    request = fill_in(request.model_copy(update={"prompt": task.title}), worker)
    if worker.model is not None:
        store.update_session(session_id, {"model": request.model})
    price = check_model(request, settings)
    reserve(store, settings, request, request.repository, session_id=session_id)
    allowed = check_owner(services.app, request.repository, settings.allowed_owners)
    client = services.app.client(request.repository, SYNC, request.installation_id)
    repository = client.get_repository(request.repository)
    check_name(repository.full_name, allowed)
    for commit in (task.base_commit, task.solution_commit):
        _check_commit(client, repository.full_name, commit)
    limits = ResolvedLimits(
        usd=request.limits.usd or settings.limit_usd,
        turns=request.limits.turns or settings.limit_turns,
        minutes=request.limits.minutes or settings.limit_minutes,
    )
    body = shown(client, repository.full_name, task.body, None)
    made = AgentRequest(
        session_id=session_id,
        execution_arn=event.execution_arn,
        repository=repository.full_name,
        git_url=client.urls.git(repository.full_name),
        base=repository.default_branch,
        # As a session of the label would have it; it is nowhere but in the agent's checkout.
        branch=f"claude/{task.id}",
        pull_request=0,
        pull_request_url="",
        comment_id=0,
        issue=task.issue,
        title=task.title,
        body=body,
        prompt=None if task.issue is not None else f"{task.title}\n\n{body}".strip(),
        requested_by=None,
        author=services.app.author(client),
        provider=settings.model_provider,
        model=request.model or settings.model_id,
        price=price,
        limits=limits,
        worker=worker.id,
        worker_type=worker.type,
        instructions=worker.text,
        tools=worker.tools,
        plan=bool(request.plan),
        stub=request.stub or settings.stub_sessions,
        head_commit=task.base_commit,
        repository_is_private=repository.private,
        evaluation=HiddenTests(
            evaluation=request.evaluation.id if request.evaluation is not None else "",
            task=task.id,
            solution_commit=task.solution_commit,
            paths=task.tests,
            commands=task.commands,
        ),
        created_at=event.started_at,
    )
    written = services.artifacts.write_request(made)
    return OpenedPullRequest.of(
        written,
        lock_key="",
        timeout_seconds=ceil((limits.minutes + JUDGING_MINUTES) * 60) + grace_seconds,
        max_sessions=settings.max_sessions,
        max_sessions_of_repository=settings.max_sessions_per_repository or settings.max_sessions,
    )


def _task(event: OpenPullRequestEvent, request: SessionRequest, services: OpeningServices) -> EvaluationTask:
    task = services.artifacts.read_task(event.session_id)
    if task is None:
        raise InvalidRequest(
            f"evaluation: there is no task in sessions/{event.session_id}/.",
            remedy="Start it with `pullwright evaluate`, which puts it there first.",
        )
    if task.repository.lower() != request.repository.lower():
        raise InvalidRequest(f"repository: {request.repository}, but the task is of {task.repository}.")
    return task


def _check_commit(client: GitHubClient, repository: str, commit: str) -> None:
    if client.find(f"/repos/{repository}/git/commits/{commit}", "read a commit", Commit) is None:
        raise InvalidRequest(
            f"evaluation: the repository {repository} has no commit {commit}.",
            remedy="Correct the commits of the task; those of a deleted branch may be gone.",
        )

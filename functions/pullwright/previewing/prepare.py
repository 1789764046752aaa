"""PreparePreview: everything between a request and the moment when the branch can be built."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pullwright.errors import (
    LabelRemoved,
    NoCapacity,
    NotAllowed,
    PreviewFromFork,
    PreviewReplaced,
    PullRequestClosed,
    RepositoryEmpty,
    SessionClosed,
)
from pullwright.github.commit_files import CommitFiles
from pullwright.github.permissions import OPENING_REVIEW
from pullwright.opening.owner import check_name, check_owner
from pullwright.opening.people import People
from pullwright.opening.request import check_session_id, read_input
from pullwright.previewing.comment import show
from pullwright.previewing.configured import read_preview, server_of
from pullwright.previewing.hosts import host_label
from pullwright.previewing.models import PreparedPreview, PreviewPlan, PreviewRequest
from pullwright.previewing.texts import building

if TYPE_CHECKING:
    from pullwright.github.client import GitHubClient
    from pullwright.github.payloads import PullRequest, RepositoryInfo
    from pullwright.previewing.services import PreviewServices
    from pullwright.previewing.store import PreviewStore
    from pullwright.repository.preview import Preview
    from pullwright.settings import PreparePreviewSettings

_HOUR = 3_600
_OPEN = "open"
_REOPEN = "Reopen the pull request, then add the label again."


class PreparePreviewEvent(BaseModel):
    """What the state machine passes to PreparePreview."""

    model_config = ConfigDict(frozen=True)

    preview_id: str
    execution_arn: str
    started_at: datetime
    input: Any = None


def prepare_preview(
    event: PreparePreviewEvent, services: PreviewServices[PreparePreviewSettings]
) -> PreparedPreview:
    """Check a request, take slot and host, and tell the pull request that its branch is being built.

    Safe to repeat. What it took before it failed, RemovePreview gives back.

    Raises:
        PullwrightError: the preview cannot begin; the class says why.
    """
    store, settings, preview_id = services.store, services.settings, event.preview_id
    check_session_id(preview_id)
    request = read_input(PreviewRequest, event.input)
    _note(store, preview_id, _asked(request, settings))
    allowed = check_owner(services.app, request.repository, settings.allowed_owners)
    client = services.app.client(request.repository, OPENING_REVIEW, request.installation_id)
    repository = client.get_repository(request.repository)
    check_name(repository.full_name, allowed)
    _check_sender(client, repository.full_name, request, settings.allowed_apps)
    pull = _check_pull_request(client, repository.full_name, request.pull_request)
    token = services.app.token(request.repository, OPENING_REVIEW, request.installation_id)
    known = {"preview_repository": repository.full_name, "installation_id": token.installation_id}
    _note(store, preview_id, {**known, "commit": pull.head.sha})
    if not store.take_slot(preview_id, settings.max_previews):
        raise NoCapacity(
            f"All {settings.max_previews} previews of this deployment are in use.",
            remedy="Remove the label where none is needed, or ask the operator to raise MaxPreviews.",
        )
    # From here on its slot shows it to those who close or unlabel; what they did before is seen now.
    _check_wanted(client, repository.full_name, request, settings)
    preview, plan = _plan(client, repository, pull, preview_id)
    host = _take_host(event, services, request, repository.full_name, pull.head.ref)
    plan = plan.model_copy(update={"host": host})
    noted = {"branch": pull.head.ref, "plan": plan.model_dump_json()}
    _note(store, preview_id, noted)
    record = store.read(preview_id)
    bot_id = services.app.bot_id(client)
    comment_id = show(client, store, record, building(record), bot_id=bot_id)
    _note(store, preview_id, {"comment_id": comment_id})
    staging = settings.preview_staging_task_definition
    return PreparedPreview(
        repository=repository.full_name,
        pull_request=pull.number,
        branch=pull.head.ref,
        commit=pull.head.sha,
        host=host,
        port=preview.port,
        health=preview.health,
        seconds=_HOUR * _hours(request, preview, settings.preview_hours),
        start_seconds=preview.start_timeout,
        task_definition=staging if request.staging else settings.preview_task_definition,
        comment_id=comment_id,
        installation_id=token.installation_id,
        base=pull.base.ref,
        screenshots=len(preview.screenshots),
    )


def _note(store: PreviewStore, preview_id: str, fields: dict[str, Any]) -> None:
    """Write into the record what was done.

    This goes on when its execution is stopped, and may have done it after all was removed: then the sweep is
    to look again.

    Raises:
        SessionClosed: the preview has ended.
    """
    if not store.update_open(preview_id, fields):
        store.update(preview_id, fields)
        store.note_untold(preview_id, is_untold=True)
        raise SessionClosed("The preview has ended.")


def _asked(request: PreviewRequest, settings: PreparePreviewSettings) -> dict[str, Any]:
    """Return what a preview's record holds of its request."""
    label = settings.preview_staging_label if request.staging else settings.preview_label
    return {
        "preview_repository": request.repository,
        "pull_request": request.pull_request,
        "session": request.session,
        "label": label if _is_by_label(request) else None,
    }


def _is_by_label(request: PreviewRequest) -> bool:
    return request.delivery_id is not None and request.session is None


def _check_sender(client: GitHubClient, repository: str, request: PreviewRequest, allowed_apps: str) -> None:
    """Refuse a person without write permission; IAM is the authority where no webhook asks."""
    if request.delivery_id is None:
        return
    login = request.requested_by
    if login is None or not People(client, repository, allowed_apps).may_write(login):
        raise NotAllowed(
            f"{login or 'Whoever asked'} has no write permission to {repository}.",
            remedy="Ask somebody with write permission to add the label.",
        )


def _check_pull_request(client: GitHubClient, repository: str, number: int) -> PullRequest:
    pull = client.get_pull_request(repository, number)
    if pull.state != _OPEN:
        how = "merged" if pull.merged_at else "closed"
        raise PullRequestClosed(f"The pull request #{number} is {how}.", remedy=_REOPEN)
    if not pull.comes_from(repository):
        raise PreviewFromFork(f"The branch of pull request #{number} is in a fork, whose code is not run.")
    return pull


def _check_wanted(
    client: GitHubClient, repository: str, request: PreviewRequest, settings: PreparePreviewSettings
) -> None:
    """Refuse if the pull request was closed meanwhile, or the label that asked was taken off again."""
    issue = client.get_issue(repository, request.pull_request)
    if issue.state != _OPEN:
        raise PullRequestClosed(f"The pull request #{request.pull_request} was closed.", remedy=_REOPEN)
    label = settings.preview_staging_label if request.staging else settings.preview_label
    if _is_by_label(request) and not issue.has_label(label):
        raise LabelRemoved(f"The label {label} was removed.")


def _plan(
    client: GitHubClient, repository: RepositoryInfo, pull: PullRequest, preview_id: str
) -> tuple[Preview, PreviewPlan]:
    name = repository.full_name
    default = client.find_branch(name, repository.default_branch)
    if default is None:
        raise RepositoryEmpty(f"The repository {name} has no branch {repository.default_branch}.")
    preview = read_preview(CommitFiles(client, name, default))
    server = server_of(preview, CommitFiles(client, name, pull.head.sha))
    return preview, PreviewPlan(
        preview_id=preview_id,
        repository=name,
        commit=pull.head.sha,
        build=server.build,
        start=server.start,
        port=preview.port,
        env=preview.env,
        start_seconds=preview.start_timeout,
        health=preview.health,
        screenshots=preview.screenshots,
    )


def _hours(request: PreviewRequest, preview: Preview, most: int) -> int:
    return min(request.hours or preview.hours or most, most)


def _take_host(
    event: PreparePreviewEvent,
    services: PreviewServices[PreparePreviewSettings],
    request: PreviewRequest,
    repository: str,
    branch: str,
) -> str:
    """Take the host of a pull request or a session, and withdraw older previews of it that only start.

    Raises:
        PreviewReplaced: a newer preview has it.
    """
    store, settings = services.store, services.settings
    subject = request.session or f"{repository}#{request.pull_request}"
    prefix = settings.preview_prefix
    text = request.session or (f"{prefix}-{branch}" if prefix else branch)
    labels = [host_label(text, is_taken=is_taken, subject=subject) for is_taken in (False, True)]
    hosts = [f"{label}.{settings.preview_domain_suffix}" for label in labels]
    # A preview that is renewed stays where it is: another host would leave the older one running.
    for host in sorted(hosts, key=lambda host: store.host_subject(host) != subject):
        # Noted first: what is taken and then refused is given back by what the record says.
        _note(store, event.preview_id, {"host": host})
        if store.take_host(host, subject=subject, preview_id=event.preview_id):
            break
    else:
        raise NoCapacity(f"Other previews have the hosts that this one could have, such as {host}.")
    for other in store.host_holders(host) - {event.preview_id}:
        record = store.read(other)
        if record.is_open and record.is_newer(event.preview_id, event.started_at):
            raise PreviewReplaced(f"A newer preview, {other}, was started for the same branch.")
        store.withdraw(
            other,
            error=PreviewReplaced.__name__,
            cause=f"A newer preview, {event.preview_id}, was started for the same branch.",
            while_starting=True,
        )
    return host

"""Starts the preview that a session leaves, where the repository's configuration asks for it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pullwright.errors import FailureClass, PreviewConfigurationInvalid, PullwrightError
from pullwright.github.commit_files import CommitFiles
from pullwright.github.permissions import SYNC
from pullwright.previewing.comment import tell
from pullwright.previewing.configured import asks_after_session, read_preview
from pullwright.previewing.models import PreviewRequest
from pullwright.previewing.store import PreviewRecord
from pullwright.previewing.texts import failed

if TYPE_CHECKING:
    from pullwright.events.messages import QueuedPreview
    from pullwright.events.services import EventServices, Previews

_REMEDY = (
    "Correct .pullwright/config.yaml on the default branch; the next session leaves a preview, and "
    "`pullwright preview` starts one now."
)


def start_preview(message: QueuedPreview, services: EventServices, previews: Previews) -> str:
    """Start a session's preview; return for the log what was done.

    The execution's name is made of the session's id, so that a message that comes twice starts it once.

    Raises:
        PullwrightError: GitHub did not answer; to be asked again.
        ClientError: Step Functions did not take it.
    """
    try:
        is_wanted = _is_wanted(message, services, previews)
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Such as an App that was taken off, or a configuration that cannot be read.
            return f"No preview starts: {error.sentence}"
        raise
    if not is_wanted:
        return "No preview starts: the repository's configuration asks for none after a session."
    request = PreviewRequest(
        repository=message.repository,
        pull_request=message.pull_request,
        session=message.session,
        installation_id=message.installation_id,
    )
    digest = hashlib.sha256(message.session.encode()).hexdigest()[:32]
    name = f"preview-{message.pull_request}-{digest}"
    is_new = services.start(name, request.model_dump_json(exclude_defaults=True), previews.state_machine_arn)
    return f"The session's preview {'is started' if is_new else 'was started before'}."


def _is_wanted(message: QueuedPreview, services: EventServices, previews: Previews) -> bool:
    """Return whether the configuration of the default branch says `after_session`.

    One that speaks of it and cannot be read is told on the pull request, where else nobody would know.
    """
    client = services.app.client(message.repository, SYNC, message.installation_id)
    repository = client.get_repository(message.repository)
    commit = client.find_branch(repository.full_name, repository.default_branch)
    if commit is None:
        return False
    files = CommitFiles(client, repository.full_name, commit)
    try:
        return read_preview(files).after_session
    except PreviewConfigurationInvalid as error:
        if asks_after_session(files):
            _tell(message, services, previews, error)
        raise


def _tell(
    message: QueuedPreview, services: EventServices, previews: Previews, error: PreviewConfigurationInvalid
) -> None:
    record = PreviewRecord(
        preview_id="",
        preview_repository=message.repository,
        pull_request=message.pull_request,
        installation_id=message.installation_id,
        session=message.session,
    )
    text = failed(why=error.sentence, remedy=_REMEDY)
    tell(services.app, previews.store, record, text)

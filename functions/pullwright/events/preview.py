"""Starts the preview that a session leaves, where the repository's configuration asks for it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pullwright.errors import FailureClass, PullwrightError
from pullwright.github.commit_files import CommitFiles
from pullwright.github.permissions import SYNC
from pullwright.previewing.configured import read_preview
from pullwright.previewing.models import PreviewRequest

if TYPE_CHECKING:
    from pullwright.events.messages import QueuedPreview
    from pullwright.events.services import EventServices, Previews


def start_preview(message: QueuedPreview, services: EventServices, previews: Previews) -> str:
    """Start a session's preview; return for the log what was done.

    The execution's name is made of the session's id, so that a message that comes twice starts it once.

    Raises:
        PullwrightError: GitHub did not answer; to be asked again.
        ClientError: Step Functions did not take it.
    """
    try:
        is_wanted = _is_wanted(message, services)
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            # Such as an App that was taken off, or a configuration of which the session itself said so.
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


def _is_wanted(message: QueuedPreview, services: EventServices) -> bool:
    """Return whether the configuration of the default branch says `after_session`."""
    client = services.app.client(message.repository, SYNC, message.installation_id)
    repository = client.get_repository(message.repository)
    commit = client.find_branch(repository.full_name, repository.default_branch)
    if commit is None:
        return False
    return read_preview(CommitFiles(client, repository.full_name, commit)).after_session

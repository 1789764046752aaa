"""Starts a session for a review that asks for one, which its comments in the code alone may tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import CommentDeleted, CommentEdited, FailureClass, NotAddressed, PullwrightError
from pullwright.github.permissions import OPENING
from pullwright.opening.follow_up import FollowUps
from pullwright.opening.ours import is_ours
from pullwright.opening.people import People

if TYPE_CHECKING:
    from pullwright.events.messages import QueuedReview
    from pullwright.events.services import EventServices


def start_for_review(asked: QueuedReview, services: EventServices) -> str:
    """Start a session if a review of our pull request asks for it. Safe to repeat.

    Returns:
        What came of it, for the log.

    Raises:
        PullwrightError: GitHub or AWS did not answer; to be asked again.
        ClientError: Step Functions did not take the execution; to be asked again.
    """
    request = asked.request
    try:
        client = services.app.client(request.repository, OPENING, request.installation_id)
        pull = client.get_pull_request(request.repository, request.pull_request or 0)
        if not is_ours(pull, request.repository, services.app, services.store, client):
            return "The review is of a pull request that is not ours."
        people = People(client, request.repository, allowed_apps="")
        if request.requested_by is None or not people.may_write(request.requested_by):
            return "The reviewer may not write to the repository."
        FollowUps(client, people, services.mention_name, is_ours=True).read(asked.name, request)
    except (CommentDeleted, CommentEdited, NotAddressed) as error:
        return f"The review asks for nothing: {error.sentence}"
    except PullwrightError as error:
        if error.failure_class is FailureClass.USER:
            return f"No session is started: {error.sentence}"
        raise
    if services.start(asked.name, request.model_dump_json(exclude_defaults=True)):
        return "A session is started for the review."
    return "A session was started for the review before."

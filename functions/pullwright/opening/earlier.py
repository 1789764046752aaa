"""The conversation that a follow-up goes on with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pullwright.fields import CONVERSATION_PATTERN

if TYPE_CHECKING:
    from datetime import datetime

    from pullwright.artifacts import Artifacts
    from pullwright.store import BranchRecord, Store


class Earlier(NamedTuple):
    """An earlier conversation about the same branch.

    Attributes:
        conversation: its id; None if it does not go on.
        began_at: when its last session began. Comments from before are in the conversation already.
        begins_afresh: why it does not go on, if there was one.
    """

    conversation: str | None = None
    began_at: datetime | None = None
    begins_afresh: str | None = None


def bring_conversation(
    record: BranchRecord | None, session_id: str, store: Store, artifacts: Artifacts
) -> Earlier:
    """Copy the last conversation about a branch to where this session's task can read it.

    Args:
        record: the branch's, as the session before left it.

    Raises:
        AwsUnavailable: AWS did not answer.
    """
    if record is None:
        return Earlier()
    # A record of an earlier release names the session alone.
    source = record.conversation_session or record.session_id
    if source == session_id:
        return Earlier()
    session = store.read_session(source)
    conversation = record.conversation_id or session.conversation_id
    if conversation is None:
        return Earlier()
    # A task can write anything there.
    if re.fullmatch(CONVERSATION_PATTERN, conversation) is None:
        return Earlier(begins_afresh="the earlier conversation has no valid id")
    problem = artifacts.copy_conversation(source, session_id)
    return Earlier(begins_afresh=problem) if problem else Earlier(conversation, session.created_at)

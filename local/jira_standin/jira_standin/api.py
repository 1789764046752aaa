"""From one REST request to one answer, without any network."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from jira_standin.answers import FAILED, JiraError
from jira_standin.permissions import authenticate
from jira_standin.rest import ROUTER
from standin.answers import Refusal

if TYPE_CHECKING:
    from jira_standin.calls import Call
    from standin.answers import Reply

_LOG = logging.getLogger(__name__)


def respond(call: Call) -> Reply:
    """Answer a REST request; the caller holds the lock.

    Args:
        call: the request, with nobody as its actor yet.
    """
    call.actor, good = authenticate(call.jira, call.headers.get("authorization"))
    headers = {} if good else dict(FAILED)
    try:
        headers |= call.jira.meter.count(call.actor)
        reply = ROUTER.find(call)(call)
    except Refusal as refusal:
        reply = refusal.reply()
    except Exception:  # noqa: BLE001 - the outermost one
        # Jira's own failures look like this; the log tells whose fault it is.
        _LOG.exception("%s %s failed", call.method, call.path)
        reply = JiraError(500, "Internal server error").reply()
    reply.headers = {**headers, **reply.headers}
    return reply

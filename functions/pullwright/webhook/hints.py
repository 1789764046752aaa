"""Labels that workers know, but that start none of them: people may be told why."""

import json
from collections.abc import Mapping
from typing import Any

from pullwright.webhook.message import Message
from pullwright.webhook.payload import field


def hint_for(event: str, payload: Mapping[str, Any], reasons: Mapping[str, str]) -> Message:
    """Return the message about a label that started no worker.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    subject = "issue" if event == "issues" else "pull_request"
    message = {
        "kind": "hint",
        "repository": field(payload, "repository.full_name", str),
        "number": field(payload, f"{subject}.number", int),
        "installation_id": field(payload, "installation.id", int),
        "login": field(payload, "sender.login", str),
        "label": field(payload, "label.name", str),
        "reasons": reasons,
    }
    reason = "No worker starts with this label; people are told why."
    return Message(json.dumps(message, separators=(",", ":")), reason, unmatched=reasons)

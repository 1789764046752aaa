"""Labels that workers know, but that start none of them: people may be told why."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pullwright.webhook.payload import field

HINT = "hint"
"""The value of the parameter `OnNoMatch` with which people are told."""


class Hint(NamedTuple):
    """The message that has people told why their label started nothing.

    Attributes:
        message: of the queue, JSON.
        reasons: by worker.
    """

    message: str
    reasons: Mapping[str, str]


def hint_for(event: str, payload: Mapping[str, Any], reasons: Mapping[str, str]) -> Hint:
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
    return Hint(json.dumps(message, separators=(",", ":")), reasons)

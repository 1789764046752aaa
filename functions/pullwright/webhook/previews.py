"""Pull requests whose branch is to run as a preview: labelled with one of two labels, or pushed to meanwhile.

Imported where previews are set up and a pull request's event comes: all others load nothing of it.
"""

import json
from collections.abc import Mapping
from typing import Any

from pullwright.json_object import as_object
from pullwright.webhook.payload import field
from pullwright.webhook.settings import PreviewLabels
from pullwright.webhook.start import Start
from pullwright.workers.events import LABELED, UNLABELED
from pullwright.workers.routing import Match, Trigger, Worker

PREVIEW = "preview"
_PUSHED = "synchronize"


def preview_for(payload: Mapping[str, Any], delivery_id: str, labels: PreviewLabels) -> Start | None:
    """Return the preview that an event of a pull request starts or renews; None if it is about none.

    Where both labels are on, the one for the promoted image counts: then the other one starts nothing until
    that one is taken off.

    Whether the branch may run is found out by the first function of the preview's machine, which asks GitHub:
    what it refuses, it says on the pull request.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    action = payload.get("action")
    wanted = _labels_on(payload) & labels.folded()
    latest = labels.latest.casefold()
    if action in {LABELED, UNLABELED}:
        named = field(payload, "label.name", str).casefold()
        wanted = wanted | {named} if action == LABELED else wanted - {named}
        counted = latest if latest in wanted | {named} else labels.staging.casefold()
        if named != counted:
            return None
    elif action != _PUSHED:
        return None
    if not wanted:
        return None
    request = {
        "repository": field(payload, "repository.full_name", str),
        "pull_request": field(payload, "pull_request.number", int),
        "commit": field(payload, "pull_request.head.sha", str),
        "staging": latest not in wanted,
        "requested_by": field(payload, "sender.login", str),
        "delivery_id": delivery_id,
        "installation_id": field(payload, "installation.id", int),
    }
    return Start(
        name=f"{PREVIEW}-{request['pull_request']}-{delivery_id}",
        input=json.dumps(request, separators=(",", ":")),
        repository=str(request["repository"]),
        kind="pull request",
        number=int(str(request["pull_request"])),
        match=Match(Worker(PREVIEW, ()), Trigger("pull_request"), frozenset()),
        is_preview=True,
    )


def _labels_on(payload: Mapping[str, Any]) -> frozenset[str]:
    """Return a pull request's labels as an event says they are then, in small letters."""
    listed = as_object(payload.get("pull_request")).get("labels")
    names = [as_object(label).get("name") for label in listed] if isinstance(listed, list) else []
    return frozenset(name.casefold() for name in names if isinstance(name, str))

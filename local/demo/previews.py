"""The preview that a session leaves: waited for, and asked for a page through the load balancer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import urllib3

from pullwright.table import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.sessions import Session

MACHINE = "PreviewStateMachineArn"
_SERVING, _FAILED = "SERVING", "FAILED"
_OK, _NOT_YET = 200, 503
_LONGEST = 120.0
_INTERVAL = 0.2


class Preview(NamedTuple):
    """What came of a session's preview.

    Attributes:
        url: where it is; empty if it is nowhere.
        says: its page, or why there is none.
        is_right: whether the page says what it has to after the change.
    """

    url: str
    says: str
    is_right: bool


def left_by(session: Session, page: tuple[str, str]) -> Preview:
    """Wait for the preview that a session leaves, and ask it for a page.

    Args:
        page: a path, and what its page says after the change.
    """
    record = _served(session)
    if record.get("preview_status") != _SERVING:
        why = record.get("sentence")
        return Preview("", why or f"It was not healthy after {_LONGEST:g} s.", is_right=False)
    path, words = page
    status, text = _asked(record["url"], path)
    is_right = status == _OK and words in text
    says = words if is_right else f"{status} {text.strip()[:200]}"
    return Preview(record["url"].rstrip("/") + path, says, is_right)


def _asked(url: str, path: str) -> tuple[int, str]:
    """Return status and page, once there is one.

    A preview's record says that it is served a moment before its rule has its whole weight, so that a
    withdrawal meanwhile is seen; until then its host answers 503.
    """
    # Browsers and curl find names below localhost by themselves, not every resolver does.
    address = urlsplit(url)
    place = f"{address.scheme}://127.0.0.1:{address.port}{path}"
    deadline = time.monotonic() + _LONGEST
    while True:
        answer = urllib3.request("GET", place, headers={"Host": address.netloc}, retries=False, timeout=10)
        if answer.status != _NOT_YET or time.monotonic() > deadline:
            return answer.status, answer.data.decode(errors="replace")
        time.sleep(_INTERVAL)


def _served(session: Session) -> Mapping[str, str]:
    """Return the record of a session's preview once it is served or has failed, or after a while as it is."""
    deadline = time.monotonic() + _LONGEST
    found: Mapping[str, str] = {}
    while time.monotonic() < deadline:
        found = _find(session)
        if found.get("preview_status") in {_SERVING, _FAILED}:
            break
        time.sleep(_INTERVAL)
    return found


def _find(session: Session) -> Mapping[str, str]:
    """Return the record of a session's preview (docs/contracts.md); empty if there is none yet."""
    stack = session.stack
    machine = ":".join(stack.output(MACHINE).split(":")[:7])
    newest = stack.client("stepfunctions").list_executions(stateMachineArn=machine, maxResults=20)[
        "executions"
    ]
    keys = [f"PREVIEW#{execution['name']}" for execution in newest]
    items = (
        stack.client("dynamodb").get_item(TableName=stack.output("SessionsTable"), Key={"pk": {"S": key}})
        for key in keys
    )
    records = (decoded(item.get("Item", {})) for item in items)
    return next((record for record in records if record.get("session") == session.id), {})

"""Deliveries of the App's webhooks."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from github_standin.answers import ApiError, not_found, unprocessable
from github_standin.routing import Router
from github_standin.webhooks import KEPT_SECONDS
from standin.answers import Reply
from standin.times import fine_stamp

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Delivery

ROUTER = Router()
_RANGES = {"success": range(200, 400), "failure": range(400, 600)}


def shape(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as lists have it."""
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": fine_stamp(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }


def shape_in_full(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery with what was sent and answered."""
    return {
        **shape(delivery),
        "url": delivery.url,
        "request": {"headers": delivery.request_headers, "payload": delivery.payload},
        "response": {"headers": delivery.response_headers, "payload": delivery.response_body},
    }


def _kept(call: Call) -> list[Delivery]:
    """Return the attempts that were made in the last three days, newest first."""
    call.as_app()
    oldest = call.github.now() - KEPT_SECONDS
    attempts = [
        attempt
        for attempt in call.github.store.deliveries
        if not attempt.pending and attempt.delivered_at >= oldest
    ]
    return sorted(attempts, key=lambda attempt: attempt.id, reverse=True)


@ROUTER.on("GET", "/app/hook/deliveries")
def list_deliveries(call: Call) -> Reply:
    """List attempts, newest first, by cursor."""
    attempts = _kept(call)
    if (status := call.query.get("status")) is not None:
        if status not in _RANGES:
            raise unprocessable("Invalid request.\n\nstatus must be one of success, failure.")
        attempts = [attempt for attempt in attempts if attempt.status_code in _RANGES[status]]
    size = call.query.get("per_page", "")
    wanted = min(int(size), 100) if size.isascii() and size.isdigit() and int(size) else 30
    start = _start(call.query.get("cursor"))
    if start is not None:
        attempts = [attempt for attempt in attempts if attempt.id <= start]
    headers = {}
    if len(attempts) > wanted:
        rest = f"v1_{attempts[wanted].id}"
        cursor = base64.urlsafe_b64encode(rest.encode()).decode()
        others = {name: value for name, value in call.query.items() if name != "cursor"}
        query = "&".join([f"{name}={value}" for name, value in others.items()] + [f"cursor={cursor}"])
        headers["Link"] = f'<{call.github.links.api}{call.path}?{query}>; rel="next"'
    return Reply(200, [shape(attempt) for attempt in attempts[:wanted]], headers)


def _start(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("v1_"))
    except ValueError:
        raise ApiError(400, "Invalid cursor") from None


def _delivery(call: Call) -> Delivery:
    wanted = call.number("id")
    for attempt in _kept(call):
        if attempt.id == wanted:
            return attempt
    raise not_found()


@ROUTER.on("POST", "/app/hook/deliveries/{id}/attempts")
def redeliver(call: Call) -> Reply:
    """Ask for another attempt."""
    call.github.outbox.send_again(_delivery(call))
    return Reply(202, {})

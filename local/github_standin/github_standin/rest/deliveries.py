"""Deliveries of the App's webhooks."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from github_standin.answers import ApiError, Reply, not_found, unprocessable
from github_standin.routing import Router
from github_standin.times import fine_stamp
from github_standin.webhooks import KEPT_SECONDS

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import Delivery

ROUTER = Router()
_RANGES = {"success": range(200, 400), "failure": range(400, 600)}


def shape(it: Delivery) -> dict[str, Any]:
    """Return a delivery as lists have it."""
    return {
        "id": it.id,
        "guid": it.guid,
        "delivered_at": fine_stamp(it.delivered_at),
        "redelivery": it.redelivery,
        "duration": it.duration,
        "status": it.status,
        "status_code": it.status_code,
        "event": it.event,
        "action": it.action,
        "installation_id": it.installation_id,
        "repository_id": it.repository_id,
        "throttled_at": None,
    }


def shape_in_full(it: Delivery) -> dict[str, Any]:
    """Return a delivery with what was sent and answered."""
    return {
        **shape(it),
        "url": it.url,
        "request": {"headers": it.request_headers, "payload": it.payload},
        "response": {"headers": it.response_headers, "payload": it.response_body},
    }


def _kept(call: Call) -> list[Delivery]:
    """Return the attempts that were made in the last three days, newest first."""
    call.as_app()
    oldest = call.github.now() - KEPT_SECONDS
    found = [it for it in call.github.store.deliveries if not it.pending and it.delivered_at >= oldest]
    return sorted(found, key=lambda it: it.id, reverse=True)


@ROUTER.on("GET", "/app/hook/deliveries")
def list_deliveries(call: Call) -> Reply:
    """List attempts, newest first, by cursor."""
    found = _kept(call)
    if (status := call.query.get("status")) is not None:
        if status not in _RANGES:
            raise unprocessable("Invalid request.\n\nstatus must be one of success, failure.")
        found = [it for it in found if it.status_code in _RANGES[status]]
    size = call.query.get("per_page", "")
    wanted = min(int(size), 100) if size.isascii() and size.isdigit() and int(size) else 30
    start = _start(call.query.get("cursor"))
    if start is not None:
        found = [it for it in found if it.id <= start]
    headers = {}
    if len(found) > wanted:
        rest = f"v1_{found[wanted].id}"
        cursor = base64.urlsafe_b64encode(rest.encode()).decode()
        others = {name: value for name, value in call.query.items() if name != "cursor"}
        query = "&".join([f"{name}={value}" for name, value in others.items()] + [f"cursor={cursor}"])
        headers["Link"] = f'<{call.github.links.api}{call.path}?{query}>; rel="next"'
    return Reply(200, [shape(it) for it in found[:wanted]], headers)


def _start(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("v1_"))
    except ValueError:
        raise ApiError(400, "Invalid cursor") from None


def _delivery(call: Call) -> Delivery:
    wanted = call.number("id")
    for it in _kept(call):
        if it.id == wanted:
            return it
    raise not_found()


@ROUTER.on("POST", "/app/hook/deliveries/{id}/attempts")
def redeliver(call: Call) -> Reply:
    """Ask for another attempt."""
    call.github.outbox.send_again(_delivery(call))
    return Reply(202, {})

"""Webhooks: signed, delivered in order, each attempt kept.

Headers and rules are those of https://docs.github.com/webhooks/webhook-events-and-payloads and
https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries: ten seconds, and never
again by itself.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from github_standin.records import Delivery
from standin.sending import Parcel, encode, send, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from github_standin.records import App, Installation, Repository
    from github_standin.store import Store
    from standin.faults import Fault

TIMEOUT = 10.0
KEPT_SECONDS = 3 * 86_400.0
# One made-up address for all identifiers: the machine's own has no business in them.
_NODE = int.from_bytes(b"\x03stand")


class Outbox:
    """The queue of deliveries, and the thread that sends them.

    Args:
        lock: held while the store is read or changed.
        clock: returns Unix seconds.
    """

    def __init__(self, store: Store, lock: threading.RLock, clock: Callable[[], float]) -> None:
        self._store = store
        self._lock = lock
        self._now = clock
        self._queue: queue.Queue[int | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self.fault: Callable[[str, str], Fault | None] = lambda _method, _path: None
        self.delivered: Callable[[dict[str, str], dict[str, Any]], None] = lambda _headers, _payload: None

    def start(self) -> None:
        """Begin delivering; what was queued when the stand-in was stopped goes first."""
        for delivery in self._store.deliveries:
            if delivery.delivered_at < self._now() - KEPT_SECONDS:
                self._store.deliveries.delete(delivery.id)
            elif delivery.pending:
                self._queue.put(delivery.id)
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current delivery."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(TIMEOUT + 1)
            self._thread = None

    def send(
        self,
        event: str,
        payload: dict[str, Any],
        *,
        installation: Installation | None = None,
        repository: Repository | None = None,
    ) -> Delivery | None:
        """Queue one event for the App; without a registered webhook nothing is sent."""
        app = self._store.settings.app
        if app is None or not app.webhook_url:
            return None
        return self._queued(
            Delivery(
                id=self._store.next_id("delivery"),
                guid=str(uuid.uuid1(node=_NODE)),
                event=event,
                action=payload.get("action"),
                installation_id=installation.id if installation else None,
                repository_id=repository.id if repository else None,
                delivered_at=self._now(),
                payload=payload,
            )
        )

    def send_again(self, delivery: Delivery) -> Delivery:
        """Queue another attempt of a delivery: the same GUID and payload, a number of its own."""
        return self._queued(
            Delivery(
                id=self._store.next_id("delivery"),
                redelivery=True,
                delivered_at=self._now(),
                **delivery.model_dump(
                    include={"guid", "event", "action", "installation_id", "repository_id", "payload"}
                ),
            )
        )

    def wait_for(self, number: int) -> None:
        """Return when an attempt has been made, or after the time that one may take."""
        deadline = time.monotonic() + 2 * TIMEOUT
        while time.monotonic() < deadline:
            with self._lock:
                delivery = self._store.deliveries.get(number)
                if delivery is None or not delivery.pending:
                    return
            time.sleep(0.05)

    def _queued(self, delivery: Delivery) -> Delivery:
        self._store.deliveries.put(delivery)
        if self._thread is not None:
            self._queue.put(delivery.id)
        return delivery

    def _work(self) -> None:
        while (number := self._queue.get()) is not None:
            with self._lock:
                delivery, app = self._store.deliveries.get(number), self._store.settings.app
            if delivery is not None and app is not None:
                self.attempt(delivery, app)

    def attempt(self, delivery: Delivery, app: App) -> None:
        """Deliver once and keep what came of it."""
        body = encode(delivery.payload)
        headers = request_headers(app, delivery, body)
        name = f"{delivery.event}.{delivery.action}" if delivery.action else delivery.event
        self.delivered(headers, delivery.payload)
        fault = self.fault("WEBHOOK", name)
        begun = time.monotonic()
        answer = send(Parcel(app.webhook_url, app.webhook_host, headers, body, TIMEOUT), fault)
        with self._lock:
            if fault is not None and fault.drop == "vanish":
                self._store.deliveries.delete(delivery.id)
                return
            delivery.delivered_at = self._now()
            delivery.duration = round(time.monotonic() - begun, 2)
            delivery.pending = False
            delivery.url = app.webhook_url
            delivery.request_headers = headers
            delivery.status, delivery.status_code = answer.status, answer.status_code
            delivery.response_headers, delivery.response_body = answer.headers, answer.body
            self._store.deliveries.put(delivery)


def request_headers(app: App, delivery: Delivery, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt."""
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/5f1d2e7",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Hook-ID": str(app.hook_id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    if app.webhook_secret:
        headers["X-Hub-Signature"] = signature(app.webhook_secret, body, "sha1")
        headers["X-Hub-Signature-256"] = signature(app.webhook_secret, body)
    return headers

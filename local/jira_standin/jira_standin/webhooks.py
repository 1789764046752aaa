"""Webhooks: signed, sent again as Jira does, each attempt kept.

https://developer.atlassian.com/cloud/jira/platform/webhooks/: five more attempts, each 5 to 15 minutes after
the one before, when the answer is 408, 409, 425, 429 or 5xx, or when there is none. The identifier stays the
same. An address that has answered so for half an hour gets each new event once, until it takes one.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from jira_standin.records import Attempt, Delivery
from standin.sending import Parcel, encode, send, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from jira_standin.records import Hook
    from jira_standin.store import Store
    from standin.faults import Fault

MOST_RETRIES = 5
BACK_OFF = (300.0, 900.0)
DEGRADED_AFTER = 1_800.0
TIMEOUT = 20.0
_REPEATED = (0, 408, 409, 425, 429, *range(500, 600))
# The clock can be moved while the thread waits.
_LONGEST_WAIT = 1.0


class Outbox:
    """The deliveries that are due, and the thread that makes them.

    Args:
        lock: held while the store is read or changed.
        clock: returns Unix seconds.
    """

    def __init__(self, store: Store, lock: threading.RLock, clock: Callable[[], float]) -> None:
        self._store = store
        self._lock = lock
        self._now = clock
        self._woken = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self.fault: Callable[[str, str], Fault | None] = lambda _method, _path: None
        self.delivered: Callable[[dict[str, str], dict[str, Any]], None] = lambda _headers, _payload: None

    def start(self) -> None:
        """Begin delivering; what was due when the stand-in was stopped goes first."""
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current delivery."""
        if self._thread is not None:
            self._stopped = True
            self.wake()
            self._thread.join(TIMEOUT + 1)
            self._thread = None

    def wake(self) -> None:
        """Look again at what is due."""
        with self._woken:
            self._woken.notify_all()

    def add(self, hook: Hook, event: str, issue_key: str, payload: dict[str, Any]) -> Delivery:
        """Queue one event for one webhook."""
        number = self._store.next_id("delivery")
        made = Delivery(
            id=number,
            identifier=str(uuid.uuid4()),
            hook_id=hook.id,
            event=event,
            issue_key=issue_key,
            payload=payload,
            due_at=self._now(),
            once=hook.failing_since is not None and self._now() >= hook.failing_since + DEGRADED_AFTER,
        )
        self._store.deliveries.put(made)
        self.wake()
        return made

    def repeat(self, delivery: Delivery) -> None:
        """Make another attempt at once, as when Jira did not see that one before arrived."""
        delivery.due_at = self._now()
        self._store.deliveries.put(delivery)
        self.wake()

    def wait_until_quiet(self, seconds: float) -> bool:
        """Wait until nothing is due now, and tell whether that came."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._lock:
                if self._due() is None:
                    return True
            time.sleep(0.02)
        return False

    def _due(self) -> Delivery | None:
        now = self._now()
        waiting = [it for it in self._store.deliveries if it.due_at is not None and it.due_at <= now]
        return min(waiting, key=lambda it: it.id, default=None)

    def _work(self) -> None:
        while not self._stopped:
            with self._lock:
                delivery = self._due()
                hook = None if delivery is None else self._store.hooks.get(delivery.hook_id)
            if delivery is None:
                with self._woken:
                    self._woken.wait(_LONGEST_WAIT)
            else:
                self.attempt(delivery, hook)

    def attempt(self, delivery: Delivery, hook: Hook | None) -> None:
        """Deliver once and keep what came of it; a webhook that is gone gets nothing more."""
        if hook is None or not hook.enabled:
            with self._lock:
                delivery.due_at = None
                self._store.deliveries.put(delivery)
            return
        body = b"" if hook.exclude_body else encode(delivery.payload)
        headers = request_headers(hook, delivery, body)
        with contextlib.suppress(OSError):
            self.delivered(headers, delivery.payload)
        host = self._store.settings.hosts.get(hook.url, "")
        fault = self.fault("WEBHOOK", f"{delivery.event} {delivery.issue_key}")
        answer = send(Parcel(hook.url, host, headers, body, TIMEOUT), fault)
        with self._lock:
            if fault is not None and fault.drop == "vanish":
                self._store.deliveries.delete(delivery.id)
                return
            delivery.attempts.append(
                Attempt(
                    at=self._now(),
                    status=answer.status,
                    status_code=answer.status_code,
                    response_body=answer.body,
                )
            )
            has_failed = answer.status_code in _REPEATED
            self._note(hook, has_failed=has_failed)
            again = has_failed and not delivery.once and len(delivery.attempts) <= MOST_RETRIES
            delivery.due_at = self._now() + random.uniform(*BACK_OFF) if again else None  # noqa: S311 - jitter
            self._store.deliveries.put(delivery)

    def _note(self, hook: Hook, *, has_failed: bool) -> None:
        """Keep since when a webhook fails without a success between."""
        current = self._store.hooks.get(hook.id)
        if current is not None and has_failed != (current.failing_since is not None):
            current.failing_since = self._now() if has_failed else None
            self._store.hooks.put(current)


def request_headers(hook: Hook, delivery: Delivery, body: bytes) -> dict[str, str]:
    """Return the headers of the next attempt."""
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "User-Agent": "Atlassian Webhook HTTP Client",
        "X-Atlassian-Webhook-Identifier": delivery.identifier,
        "X-Atlassian-Webhook-Flow": "Primary",
    }
    if delivery.attempts:
        headers["X-Atlassian-Webhook-Retry"] = str(len(delivery.attempts))
    if hook.secret:
        headers["X-Hub-Signature"] = signature(hook.secret, body)
    return headers

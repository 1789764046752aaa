"""Sends deliveries to the webhook, several at once, and takes the time of every answer."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import urllib3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.sessions import Stack
    from tests.benchmarks.loading.plan import Delivery

_GITHUB_WAITS = 10.0
_TRIES = 5
_PAUSE = 5.0


@dataclass
class Sent:
    """What came of sending.

    Attributes:
        seconds: from the first byte sent to the last answer.
        waits: seconds of each answer.
        accepted: GUIDs that were answered with 2xx.
        refused: answers that were none, by status; 0 for no answer at all.
    """

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    refused: list[int] = field(default_factory=list)


def send(stack: Stack, deliveries: Sequence[Delivery], *, senders: int) -> Sent:
    """Send everything; what was refused is sent again a few times, as a sweep over failed deliveries does.

    Args:
        senders: how many are under way at once.
    """
    url, host = str(stack.described["webhook_url"]), str(stack.described["webhook_host"])
    secret = str(stack.described["webhook_secret"])
    pool = urllib3.PoolManager(maxsize=senders, retries=False, timeout=_GITHUB_WAITS)
    sent, guard = Sent(), threading.Lock()

    def one(delivery: Delivery) -> None:
        for attempt in itertools.count(1):
            began = time.perf_counter()
            try:
                headers = delivery.headers(secret, host)
                status = pool.request("POST", url, body=delivery.body, headers=headers).status
            except urllib3.exceptions.HTTPError:
                status = 0
            with guard:
                sent.waits.append(time.perf_counter() - began)
                if status // 100 == 2:
                    sent.accepted.add(delivery.guid)
                    return
                sent.refused.append(status)
            if attempt == _TRIES:
                return
            time.sleep(_PAUSE)

    began = time.perf_counter()
    with ThreadPoolExecutor(senders) as threads:
        list(threads.map(one, deliveries))
    sent.seconds = time.perf_counter() - began
    return sent

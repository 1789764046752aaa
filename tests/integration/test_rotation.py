"""The webhook's secret is replaced while GitHub delivers."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import urllib3

from pullwright.webhook.secret import LOOK_AGAIN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.sessions import Stack

DELIVERIES = 200
HTTP = urllib3.PoolManager(maxsize=8, retries=False)


def deliver(stack: Stack, secret: str) -> int:
    """Send a signed event that starts nothing, and return the answer's status."""
    body = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 1}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Host": stack.described["webhook_host"],
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return HTTP.request("POST", stack.described["webhook_url"], body=body, headers=headers).status


@pytest.fixture
def secrets(stack: Stack) -> Iterator[tuple[str, str]]:
    """Provide the secret before and after it was replaced in Secrets Manager; put back afterwards."""
    manager = stack.client("secretsmanager")
    place = stack.outputs["WebhookSecretArn"]
    old, new = manager.get_secret_value(SecretId=place)["SecretString"], uuid.uuid4().hex
    manager.put_secret_value(SecretId=place, SecretString=new)
    yield old, new
    manager.put_secret_value(SecretId=place, SecretString=old)


def test_no_delivery_is_refused_while_the_secret_is_replaced(stack: Stack, secrets: tuple[str, str]) -> None:
    """GitHub signs with the old secret and then with the new one: both pass throughout, forgeries never."""
    old, new = secrets
    for secrets_in_use in ([old], [old, new]):
        signed = [secrets_in_use[number % len(secrets_in_use)] for number in range(DELIVERIES // 2)]
        with ThreadPoolExecutor(8) as pool:
            forged = pool.map(lambda number: deliver(stack, f"forged-{number}"), range(20))
            assert set(pool.map(lambda secret: deliver(stack, secret), signed)) == {200}
            assert set(forged) == {401}
        # Nobody tells GitHub sooner; a function that has just met a forgery looks again by then.
        time.sleep(LOOK_AGAIN_SECONDS)

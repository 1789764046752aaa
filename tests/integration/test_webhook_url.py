"""The webhook's Function URL over HTTP: what it takes, what it refuses, and what it answers."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

if TYPE_CHECKING:
    from local.sessions import Stack


def post(stack: Stack, body: bytes, guid: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Send bytes to the Function URL with GitHub's headers, signed unless a signature is given."""
    signature = hmac.new(stack.described["webhook_secret"].encode(), body, hashlib.sha256).hexdigest()
    sent = {
        "Host": stack.described["webhook_host"],
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    response = urllib3.request(
        "POST",
        stack.described["webhook_url"],
        body=body,
        headers={name: value for name, value in sent.items() if value},
        retries=False,
        timeout=10,  # GitHub waits no longer
    )
    return response.status, json.loads(response.data)


def started(stack: Stack, guid: str) -> list[str]:
    """Return the sessions that a delivery has started: its GUID is in their names."""
    pages = (
        stack.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=stack.outputs["StateMachineArn"])
    )
    names = [execution["name"] for page in pages for execution in page["executions"]]
    return [name for name in names if guid in name]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"X_Hub_Signature_256": ""}, 401),
        (b"{}", {"X_Hub_Signature_256": "sha256=" + "0" * 64}, 401),
        (b"{}", {"X_Hub_Signature_256": "", "X_Hub_Signature": "sha1=" + "0" * 40}, 401),
        (b"", {}, 400),
        (b"no json", {}, 400),
        (b"payload=%7B%7D", {"Content_Type": "application/x-www-form-urlencoded"}, 400),
        (b"[" * 100_000, {}, 400),
        (b"[]", {}, 400),
        (b'{"action": "labeled"}', {}, 400),
        (b'{"action": 1, "issue": "x"}', {}, 400),
        (b"{}", {"X_GitHub_Event": "star"}, 200),
        (b"{}", {"X_GitHub_Event": "ping"}, 200),
        (b'{"padding": "' + b"x" * 5_000_000 + b'"}', {"X_GitHub_Event": "star"}, 200),
    ],
)
def test_what_is_no_request_gets_its_answer(
    stack: Stack, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Each kind of bad input gets the documented status and a reason, and starts nothing."""
    guid = str(uuid.uuid4())
    answered, answer = post(stack, body, guid, **headers)
    assert answered == status, answer
    assert answer["reason"]
    assert started(stack, guid) == []

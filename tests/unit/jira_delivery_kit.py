"""What the tests of Jira's webhook share: payloads as Atlassian documents them, and its signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

SECRET = b"kept between Jira and us"
LABEL = "claude-dev"
ACCOUNT = "5b10ac8d82e05b22cc7d4ef5"
KEY, ID, PROJECT = "SHOP-7", "10007", "SHOP"
REPOSITORY = "octo/widgets"
IDENTIFIER = "0d1c8a86-6a1d-4d7e-a0a5-1b4bd9e7f3a2"


def issue(*labels: str, key: str = KEY) -> dict[str, Any]:
    """Return an issue as webhooks carry it: the texts in them are not read."""
    fields = {
        "summary": "x" * 10,
        "description": "h1. Old markup",
        "labels": list(labels),
        "project": {"key": PROJECT},
    }
    return {"id": ID, "self": f"https://acme.atlassian.net/rest/api/2/{ID}", "key": key, "fields": fields}


def labelled(
    before: str = "", after: str = LABEL, *, key: str = KEY, change: object = "10124"
) -> dict[str, Any]:
    """Return the payload of a change of labels.

    https://developer.atlassian.com/cloud/jira/platform/webhooks/#example-callback-for-an-issue-related-event
    """
    item = {
        "field": "labels",
        "fieldtype": "jira",
        "fieldId": "labels",
        "from": "",
        "fromString": before,
        "to": "",
        "toString": after,
    }
    return {
        "timestamp": 1_730_419_200_123,
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_updated",
        "user": {"accountId": ACCOUNT, "accountType": "atlassian", "active": True, "displayName": "Mia"},
        "issue": issue(*after.split(), key=key),
        "changelog": {"id": change, "items": [item]},
    }


def created(*labels: str) -> dict[str, Any]:
    """Return the payload of a new issue."""
    payload = {**labelled(), "webhookEvent": "jira:issue_created", "issue": issue(*labels)}
    del payload["changelog"]
    return payload


def deleted(*labels: str) -> dict[str, Any]:
    """Return the payload of a deleted issue."""
    return {**created(*labels), "webhookEvent": "jira:issue_deleted"}


def encoded(payload: object) -> bytes:
    """Return a payload as it is sent."""
    return json.dumps(payload).encode()


def headers(body: bytes, *, secret: bytes = SECRET, identifier: str = IDENTIFIER) -> dict[str, str]:
    """Make the headers that Jira sends with a body, by lower-case name.

    https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
    """
    return {
        "content-type": "application/json; charset=UTF-8",
        "user-agent": "Atlassian Webhook HTTP Client",
        "x-atlassian-webhook-identifier": identifier,
        "x-hub-signature": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
    }

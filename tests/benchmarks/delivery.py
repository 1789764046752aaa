"""The deliveries that are measured: signed labels of `tests/events`."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from tests.benchmarks.stub import SECRET

ROOT = Path(__file__).parents[2]
PREVIEW_LABEL = "uat"


def labelled_issue() -> dict[str, Any]:
    """Make the Function URL's event for a label on an issue, which starts a session."""
    return _signed("issues", _payload("issues_labeled"))


def labelled_pull_request() -> dict[str, Any]:
    """Make the Function URL's event for a label on a pull request, which starts a preview."""
    payload = json.loads(_payload("pull_request_labeled"))
    payload["label"]["name"] = PREVIEW_LABEL
    return _signed("pull_request", json.dumps(payload))


def _payload(name: str) -> str:
    return (ROOT / "tests" / "events" / f"{name}.json").read_text()


def _signed(event: str, body: str) -> dict[str, Any]:
    """Return a delivery in payload format 2.0."""
    return {
        "version": "2.0",
        "headers": {
            "content-type": "application/json",
            "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "x-github-event": event,
            "x-hub-signature-256": "sha256="
            + hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest(),
        },
        "requestContext": {"http": {"method": "POST", "path": "/"}},
        "body": body,
        "isBase64Encoded": False,
    }


def environment(endpoint_url: str) -> dict[str, str]:
    """Make the function's environment: what the template and Lambda set where there are previews."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made up",
        "AWS_SESSION_TOKEN": "made up too",
        "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:AgentSession",
        "WEBHOOK_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:webhook",
        "EVENTS_QUEUE_URL": f"{endpoint_url}/123456789012/events",
        "TRIGGER_LABEL": "claude-dev",
        "MENTION_NAME": "pullwright",
        "ALLOWED_APPS": "",
        "ALLOWED_OWNERS": "",
        "SESSIONS_TABLE": "sessions",
        "ON_NO_MATCH": "hint",
        "PREVIEW_STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:Preview",
        "PREVIEW_LABEL": PREVIEW_LABEL,
        "PREVIEW_STAGING_LABEL": "uat-staging",
        "POWERTOOLS_SERVICE_NAME": "pullwright",
        "POWERTOOLS_METRICS_NAMESPACE": "Pullwright",
    }


def written(folder: Path) -> Path:
    """Write the event to a file, for other processes."""
    path = folder / "delivery.json"
    path.write_text(json.dumps(labelled_issue()))
    return path

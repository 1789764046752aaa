"""The local engine enforces no policy, so the calls that it recorded are held against the template's.

Here after a few sessions; those of a whole run at its end, by `rights.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.sessions import Session
from pullwright.brokering.caller import Caller
from pullwright.brokering.credentials import session_policy
from tests.integration.policies import ACCOUNT, refusal
from tests.integration.rights import Rights, judged, policies_of, recorded, rights_of, role_name
from tests.integration.test_reconcile import until
from tests.integration.test_workers import stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.sessions import Stack
    from tests.integration.conftest import Repository

ROLES = ("AgentSession", "Webhook", "Events", "OpenPullRequest", "ReportOutcome", "Broker", "Session")


@pytest.fixture
def calls(stack: Stack, repository: Repository) -> list[dict[str, Any]]:
    """Provide all calls under this deployment's roles, after a good session, a failed one and new workers."""
    worker: dict[str, str | None] = {".pullwright/workers/a.yaml": "on: {event: push}\ninstructions: Look.\n"}
    repository.person.commit(repository.name, "main", worker)
    until(lambda: len(stored(repository)) > 1, "the workers")
    repository.label(repository.issue())
    repository.label(repository.issue(body=""))
    return recorded(stack, policies_of(stack))


def test_every_recorded_call_is_allowed(stack: Stack, calls: list[dict[str, Any]]) -> None:
    """No function, state or task makes a call that its role would be refused on AWS."""
    assert rights_of(policies_of(stack), calls).refused == set()


def test_a_task_stays_within_its_own_session(stack: Stack, calls: list[dict[str, Any]]) -> None:
    """What real runners asked of DynamoDB and S3 is within the policy that the broker narrows them by."""
    table, bucket = stack.outputs["SessionsTable"], stack.outputs["ArtifactsBucket"]
    caller = Caller(partition="aws", account=ACCOUNT.partition(":")[2], task_id="0" * 32, role="task")
    ours = [call for call in calls if role_name(call["role"]) == "Session"]
    assert {call["service"] for call in ours} == {"dynamodb", "s3"}
    session_of = {
        call["session"]: key.removeprefix("SESSION#")
        for call in ours
        if call["service"] == "dynamodb"
        for key in call["context"]["dynamodb:LeadingKeys"]
        if key.startswith("SESSION#")
    }
    owner_of = {
        session_id: (Session(stack, f"execution:{session_id}").record().repository or "").partition("/")[0]
        for session_id in set(session_of.values())
    }
    for call in ours:
        session_id = session_of[call["session"]]
        text = session_policy(
            caller,
            region=ACCOUNT.partition(":")[0],
            bucket=bucket,
            table=table,
            session_id=session_id,
            account=owner_of[session_id],
        )
        assert refusal([json.loads(text)], call) == ""


def test_every_role_was_seen(calls: list[dict[str, Any]]) -> None:
    """The check above saw calls of every role that a session uses."""
    seen = {role_name(call["role"]) for call in calls}
    assert set(ROLES) <= seen


@pytest.mark.parametrize(
    ("service", "operation", "resources"),
    [
        ("dynamodb", "Scan", {"TableName": "t"}),
        ("dynamodb", "PutItem", {"TableName": "other"}),
        ("s3", "GetObject", {"Bucket": "b", "Key": "elsewhere/x"}),
    ],
)
def test_the_judge_refuses(service: str, operation: str, resources: dict[str, str]) -> None:
    """A call that no statement covers is refused by the judge itself."""
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:*:*:table/t"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/sessions/*"},
        ]
    }
    assert refusal([policy], {"service": service, "operation": operation, "resources": resources})


def test_the_end_of_a_run_judges_rights() -> None:
    """A call that AWS would refuse is named in any run, a right that no test uses in a whole one."""
    policies: dict[str, list[Mapping[str, Any]]] = {
        "stack-WebhookRole-X": [
            {
                "Statement": [
                    {"Sid": "Read", "Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": "*"},
                    {"Sid": "Write", "Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": "*"},
                ]
            }
        ]
    }

    def call(operation: str) -> dict[str, Any]:
        return {
            "role": "stack-WebhookRole-X",
            "service": "dynamodb",
            "operation": operation,
            "resources": {"TableName": "t"},
        }

    found = rights_of(policies, [call("GetItem"), call("Scan")])
    assert found.used == {("Webhook", "Read", "dynamodb:GetItem")}
    refused = f"AWS would refuse Webhook: dynamodb:Scan on arn:aws:dynamodb:{ACCOUNT}:table/t"
    assert judged(found, is_whole=False) == [refused]
    assert {refused, "no test uses a right of Webhook: dynamodb:PutItem (Write)"} <= set(
        judged(found, is_whole=True)
    )
    assert judged(Rights(), is_whole=False) == []

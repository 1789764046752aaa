"""The local engine enforces no policy, so the calls that it recorded are held against the template's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.sessions import Session
from pullwright.brokering.caller import Caller
from pullwright.brokering.credentials import session_policy
from tests.integration.policies import ACCOUNT, NOT_OURS, refusal
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
    lines = (Path(stack.described["log_dir"]) / "aws-calls.jsonl").read_text().splitlines()
    ours = {role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]}
    recorded = [json.loads(line) for line in lines]
    return [
        call
        for call in recorded
        if call["role"] in ours and (call["service"], call["operation"]) not in NOT_OURS
    ]


def _policies(stack: Stack) -> dict[str, list[Mapping[str, Any]]]:
    iam = stack.client("iam")
    return {
        role["RoleName"]: [
            iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        ]
        for role in iam.list_roles()["Roles"]
    }


def test_every_recorded_call_is_allowed(stack: Stack, calls: list[dict[str, Any]]) -> None:
    """No function, state or task makes a call that its role would be refused on AWS."""
    policies = _policies(stack)
    refused = {
        (call["role"].split("-")[-2], why) for call in calls if (why := refusal(policies[call["role"]], call))
    }
    assert refused == set()


def test_a_task_stays_within_its_own_session(stack: Stack, calls: list[dict[str, Any]]) -> None:
    """What real runners asked of DynamoDB and S3 is within the policy that the broker narrows them by."""
    table, bucket = stack.outputs["SessionsTable"], stack.outputs["ArtifactsBucket"]
    caller = Caller(partition="aws", account=ACCOUNT.partition(":")[2], task_id="0" * 32, role="task")
    ours = [call for call in calls if call["role"].split("-")[-2].removesuffix("Role") == "Session"]
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
    seen = {call["role"].split("-")[-2].removesuffix("Role") for call in calls}
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

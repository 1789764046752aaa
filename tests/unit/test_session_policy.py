"""What a session's credentials can do to its record and folder.

The local engine enforces no policy, so the broker's is read here as IAM reads it: the context of a DynamoDB
request after AWS's table of condition keys (`pullwright_engine.iam_context`), conditions after IAM's table of
operators (`tests.integration.policies`). The two were compared with NCC Group's Principal Mapper, another
implementation of IAM's conditions, on the calls below.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from pullwright.brokering.caller import Caller
from pullwright.brokering.credentials import session_policy
from pullwright.github.allowance import TableAllowance
from pullwright.github.budget import Room
from pullwright.record import OVER, TASK_ATTRIBUTES
from pullwright_engine.iam_context import item_context
from runner.metadata import TaskIdentity
from runner.record import SessionClaim
from tests.integration.policies import refusal
from tests.template.kit import template
from tests.unit.aws_kit import client

if TYPE_CHECKING:
    from collections.abc import Mapping

TASK = "0123456789abcdef0123456789abcdef"
CALLER = Caller(partition="aws", account="000000000000", task_id=TASK, role="task")
OWN = {"pk": {"S": "SESSION#s-1"}}
# STS takes no longer one: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
LONGEST = 2_048


def policy(session_id: str = "s-1", table: str = "table", bucket: str = "bucket") -> dict[str, Any]:
    """Return the broker's policy."""
    text = session_policy(
        CALLER, region="us-east-1", bucket=bucket, table=table, session_id=session_id, account="octo"
    )
    document: dict[str, Any] = json.loads(text)
    return document


def refused(operation: str, request: Mapping[str, Any]) -> str:
    """Why a call to DynamoDB would be refused."""
    call = {
        "service": "dynamodb",
        "operation": operation,
        "resources": {"TableName": "table"},
        "context": item_context(request),
    }
    return refusal([policy()], call)


def _runner_calls() -> list[dict[str, Any]]:
    """Return what a real runner asks of DynamoDB in a session."""
    stub: Any = Stubber(client("dynamodb"))
    seen: list[dict[str, Any]] = []
    stub.client.meta.events.register(
        "provide-client-params.dynamodb.UpdateItem", lambda params, **_: seen.append(dict(params))
    )
    record = SessionClaim(
        stub.client, table="table", session_id="s-1", task=TaskIdentity("arn:aws:ecs:task", "sha256:0")
    )
    for _ in range(3):
        stub.add_response("update_item", {}, dict.fromkeys(_PARAMETERS, ANY))
    with stub:
        record.claim(record._now())
        record.take_over(record._now())
        record.beat()
    return seen


_PARAMETERS = ("TableName", "Key", "UpdateExpression", "ConditionExpression", "ExpressionAttributeValues")


def test_what_a_runner_does_is_allowed() -> None:
    """A real runner's claims and heartbeat pass, and between them write each attribute that is a task's."""
    calls = _runner_calls()
    assert [refused("UpdateItem", call) for call in calls] == ["", "", ""]
    touched = {name for call in calls for name in item_context(call)["dynamodb:Attributes"]}
    assert touched == {"pk", *TASK_ATTRIBUTES, OVER}


@pytest.mark.parametrize(
    "name",
    [
        *("status", "repository", "comment_id", "pull_request", "pull_request_url", "execution_arn", "input"),
        *("lock_key", "installation_id", "ttl", "closed_at", "created_at", "report", "report_due", "outcome"),
        *(
            "session_id",
            "branch",
            "base",
            "artifacts",
            "holders",
            "owner",
            "admitted_at",
            "reconciling_until",
        ),
    ],
)
@pytest.mark.parametrize(
    "request_",
    [
        {"UpdateExpression": "SET {} = :v"},
        {"UpdateExpression": "SET #n = :v", "ExpressionAttributeNames": {"#n": "{}"}},
        {"UpdateExpression": "REMOVE {}"},
        {"UpdateExpression": "SET task_arn = {}"},
        {"UpdateExpression": "SET heartbeat_at = :v, {}.inner = :v"},
        {"UpdateExpression": "SET heartbeat_at = :v", "ConditionExpression": "begins_with({}, :v)"},
        {"AttributeUpdates": {"{}": {"Action": "DELETE"}}},
    ],
)
def test_what_others_write_is_out_of_reach(name: str, request_: dict[str, Any]) -> None:
    """No other attribute of its own record can be written, removed, compared or copied into view."""
    spelled = json.loads(json.dumps(request_).replace("{}", name))
    assert refused("UpdateItem", {"Key": OWN, **spelled})


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("UpdateItem", {"Key": {"pk": {"S": "SESSION#s-2"}}, "UpdateExpression": "SET task_arn = :v"}),
        ("UpdateItem", {"Key": {"pk": {"S": "SESSION#s-10"}}, "UpdateExpression": "SET task_arn = :v"}),
        ("UpdateItem", {"Key": {"pk": {"S": "SLOTS"}}, "UpdateExpression": "SET task_arn = :v"}),
        ("UpdateItem", {"Key": {"pk": {"S": "LOCK#a/b#c"}}, "UpdateExpression": "REMOVE task_arn"}),
        (
            "UpdateItem",
            {"Key": OWN, "UpdateExpression": "SET task_arn = :v", "ReturnValues": "ALL_OLD"},
        ),
        (
            "UpdateItem",
            {"Key": OWN, "UpdateExpression": "SET task_arn = :v", "ReturnValues": "ALL_NEW"},
        ),
        ("PutItem", {"Item": {**OWN, "task_arn": {"S": "x"}}}),
        ("DeleteItem", {"Key": OWN}),
        ("GetItem", {"Key": OWN}),
        ("Query", {}),
        ("Scan", {}),
        ("UpdateItem", {}),
    ],
)
def test_other_items_and_operations_are_out_of_reach(operation: str, request_: dict[str, Any]) -> None:
    """Another record, a lock, the slots, a whole record's content, and every call but UpdateItem."""
    call = {"service": "dynamodb", "operation": operation, "resources": {"TableName": "table"}}
    # A request that names no item still has DynamoDB's keys, so that a set of none is told from one not seen.
    context = item_context(request_) or {"dynamodb:ReturnValues": "NONE"}
    assert refusal([policy()], call | {"context": context})


@pytest.mark.parametrize(
    ("operation", "key", "is_allowed"),
    [
        ("PutObject", "sessions/s-1/result.json", True),
        ("GetObject", "sessions/s-1/request.json", True),
        ("PutObject", "sessions/s-1/request.json", False),
        ("DeleteObject", "sessions/s-1/request.json", False),
        ("PutObject", "sessions/s-10/result.json", False),
        ("GetObject", "sessions/s-2/request.json", False),
    ],
)
def test_the_request_cannot_be_replaced(operation: str, key: str, *, is_allowed: bool) -> None:
    """A task reads and fills its own folder, but leaves its request as it is."""
    call = {"service": "s3", "operation": operation, "resources": {"Bucket": "bucket", "Key": key}}
    assert (refusal([policy()], call) == "") is is_allowed


def test_the_role_itself_is_no_wider() -> None:
    """The template's session role names the same attributes: whatever the broker gave out, it ends there."""
    [given] = template()["Resources"]["SessionRole"]["Properties"]["Policies"]
    own = {one["Sid"]: one for one in given["PolicyDocument"]["Statement"]}
    narrowed = [one for one in policy()["Statement"] if "table/" in one["Resource"]]
    for wide, narrow in zip((own["Record"], own["Allowance"]), narrowed, strict=True):
        assert wide["Action"] == narrow["Action"]
        for operator in ("Null", "StringEqualsIfExists"):
            assert wide["Condition"].get(operator) == narrow["Condition"].get(operator)
        for_all = "ForAllValues:StringEquals"
        assert (
            wide["Condition"][for_all]["dynamodb:Attributes"]
            == narrow["Condition"][for_all]["dynamodb:Attributes"]
        )


def test_a_task_writes_the_usage_of_its_own_account() -> None:
    """All that the runner asks of the allowance passes, and nothing of another account's or beside it."""
    stub: Any = client("dynamodb")
    calls: list[tuple[str, dict[str, Any]]] = []

    def answer(params: dict[str, Any], model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        calls.append((model.name, json.loads(params["body"])))
        return SimpleNamespace(status_code=200), {}

    stub.meta.events.register("before-call.dynamodb.*", answer)
    allowance = TableAllowance(stub, "table", "Octo")
    allowance.look()
    allowance.spend(1.0, 1, Room.PROGRESS)
    allowance.limit(1.0, None)
    allowance.limit(1.0, 7.0)
    assert {name for name, _ in calls} == {"GetItem", "UpdateItem"}
    assert [refused(name, request) for name, request in calls] == [""] * len(calls)
    for name, request in calls:
        assert refused(name, request | {"Key": {"pk": {"S": "GITHUB#other"}}})
        assert refused(name, request | {"Key": OWN})
    update = {"Key": {"pk": {"S": "GITHUB#octo"}}, "UpdateExpression": "SET anything = :v"}
    assert refused("UpdateItem", update)
    assert refused("PutItem", {"Item": update["Key"]})


@given(
    session_id=st.from_regex(r"[0-9A-Za-z_-]{80}", fullmatch=True),
    partition=st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-iso-e"]),
)
def test_the_policy_fits_into_sts(session_id: str, partition: str) -> None:
    """With the longest names that AWS allows, the policy stays within STS's limit."""
    caller = Caller(partition=partition, account="0" * 12, task_id=TASK, role="task")
    text = session_policy(
        caller,
        region="ap-southeast-99",
        bucket="b" * 63,
        table="t" * 255,
        session_id=session_id,
        account="o" * 39,
    )
    assert len(text) <= LONGEST

"""Slots: never more holders than allowed, and none left behind, in whatever order sessions come and go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pullwright.reconciling.ledger import Ledger
from tests.unit.aws_kit import client
from tests.unit.moto_kit import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

STATES = json.loads((Path(__file__).parents[2] / "statemachine" / "agent_session.asl.json").read_text())[
    "States"
]
TABLE, MOST, SHARE = "sessions", 3, 2
REPOSITORIES = ("acme/shop", "acme/site")
SESSIONS = 7
VERDICT = ("status", "outcome", "error", "failure_class", "sentence", "remedy")


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDBClient]:
    """Provide a table on moto's DynamoDB, which knows transactions and conditions."""
    with mock_aws():
        dynamodb: DynamoDBClient = client("dynamodb")
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield dynamodb


class Deployment:
    """The state machine's transactions, with its expressions filled in."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client
        self._ledger = Ledger(client, TABLE)
        for item in client.scan(TableName=TABLE)["Items"]:
            client.delete_item(TableName=TABLE, Key={"pk": item["pk"]})

    def admit(self, number: int) -> None:
        """AdmitSession; that it is refused is nobody's concern here."""
        self._transact("AdmitSession", number)

    def close(self, number: int) -> None:
        """CloseSession."""
        self._transact("CloseSession", number)

    def sweep(self, number: int) -> None:
        """Give back the slots of a session whose execution is gone."""
        self._ledger.free_slot(f"s-{number}", _repository(number))

    def holders(self, repository: str | None = None) -> frozenset[str]:
        """Who holds a slot."""
        return self._ledger.holders(repository)

    def _transact(self, state: str, number: int) -> None:
        items = [_filled(one, number) for one in STATES[state]["Arguments"]["TransactItems"]]
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "TransactionCanceledException"  # noqa: PT017 - no other


def _repository(number: int) -> str:
    return REPOSITORIES[number % 2]


def _filled(part: Any, number: int) -> Any:
    """Return a part of a transaction with the values of one session instead of expressions."""
    name = f"s-{number}"
    if isinstance(part, dict):
        return {key.replace("${SessionsTable}", TABLE): _filled(value, number) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, number) for value in part]
    if not isinstance(part, str):
        return part
    if part.startswith("{% $type($opened) = 'object' ?"):
        # Of a session that was opened: its slot of the repository.
        update = {
            "TableName": TABLE,
            "Key": {"pk": {"S": f"SLOTS#{_repository(number)}"}},
            "UpdateExpression": "DELETE holders :me",
            "ExpressionAttributeValues": {":me": {"SS": [name]}},
        }
        assert "'UpdateExpression': 'DELETE holders :me'" in part
        return {"Update": update}
    known = {
        "{% $states.context.Execution.Name %}": name,
        "{% $states.context.Execution.Id %}": f"arn:{name}",
        "{% 'SESSION#' & $states.context.Execution.Name %}": f"SESSION#{name}",
        "{% 'SLOTS#' & $opened.repository %}": f"SLOTS#{_repository(number)}",
        "{% $string($opened.max_sessions) %}": str(MOST),
        "{% $string($opened.max_sessions_of_repository) %}": str(SHARE),
        "{% $now() %}": "2026-01-01T00:00:00Z",
        "{% $verdict.report_due %}": False,
        "{% $verdict.report_due ? 'due' : 'made' %}": "made",
        "{% $string($verdict.ttl) %}": "1",
        **{f"{{% $verdict.{field} %}}": "x" for field in VERDICT},
    }
    if part.startswith("{% $verdict.lock_key"):
        return f"LOCK#{name}"
    return known[part] if part.startswith("{%") else part.replace("${SessionsTable}", TABLE)


STEPS = st.lists(
    st.tuples(st.sampled_from(("admit", "admit", "close", "sweep")), st.integers(0, SESSIONS - 1)),
    max_size=16,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_slots_are_never_overbooked_nor_left_behind(
    dynamodb: DynamoDBClient, steps: list[tuple[str, int]]
) -> None:
    """Attempts that are refused, repeated or swept never exceed a limit, and in the end none holds a slot."""
    deployment = Deployment(dynamodb)
    for step, number in steps:
        getattr(deployment, step)(number)
        of_repositories = [deployment.holders(name) for name in REPOSITORIES]
        holders = deployment.holders()
        assert len(holders) <= MOST
        assert all(len(one) <= SHARE for one in of_repositories)
        assert holders == frozenset().union(*of_repositories)
    for number in range(SESSIONS):
        (deployment.close if number % 2 else deployment.sweep)(number)
    assert not any(deployment.holders(name) for name in (None, *REPOSITORIES))


def test_every_slot_can_be_had(dynamodb: DynamoDBClient) -> None:
    """Limits are reached, by stack and by repository, and a slot that is given back is had by the next."""
    deployment = Deployment(dynamodb)
    for number in (0, 2, 4, 1, 3):
        deployment.admit(number)
    assert deployment.holders() == {"s-0", "s-2", "s-1"}
    deployment.admit(0)
    assert deployment.holders() == {"s-0", "s-2", "s-1"}
    deployment.close(0)
    deployment.admit(4)
    assert deployment.holders() == {"s-2", "s-1", "s-4"}

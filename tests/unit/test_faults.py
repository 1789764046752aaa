"""The fault matrix of all requests besides the label: each comes to a defined end.

The deployment is the one of `delivery_kit.py`. Deliveries are lost as GitHub loses them: an attempt
fails, GitHub keeps it in its list, and makes another one only when it is asked to
(https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries). SQS may bring a
message twice (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fault_matrix import Matrix, Row
from tests.unit.delivery_kit import Delivered
from tests.unit.faults import answers, checks, commands, follow_ups, reviews, workers
from tests.unit.faults.cells import CELLS, Cell
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What adds cells.
__all__ = ["answers", "checks", "commands", "follow_ups", "reviews", "workers"]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Provide DynamoDB with the template's table."""
    with table() as made:
        yield made


@pytest.fixture
def delivered(tmp_path: Path, client: Any) -> Delivered:
    """Provide a deployment that hears what happens in a repository."""
    for item in client.scan(TableName=TABLE)["Items"]:
        client.delete_item(TableName=TABLE, Key={"pk": item["pk"]})
    return Delivered(tmp_path, client)


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """Provide the table that this module writes, when all of its cells have passed."""
    made = Matrix("talk", {cell.name for cell in CELLS})
    yield made
    made.write()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_every_request_has_an_ending(cell: Cell, delivered: Delivered, matrix: Matrix) -> None:
    """Sessions are closed and told, nothing is held or left in the queue, and nothing is done twice."""
    name = cell.run(delivered)
    assert delivered.held() == []
    assert delivered.queued == []
    records = [delivered.record_of(it) for it in delivered.names]
    assert all(record.closed_at is not None and record.report == "made" for record in records)
    ending = Row(cell.what, cell.fault, name, "")
    if name in delivered.names:
        record = delivered.record_of(name)
        ending = Row(cell.what, cell.fault, record.error or str(record.outcome), record.failure_class or "")
    matrix.passed(cell.name, ending)

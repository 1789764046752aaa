"""Records, slots and hosts of previews, on moto's DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pullwright.errors import InvalidRequest
from pullwright.opening.request import read_input
from pullwright.previewing.models import PreviewRequest
from pullwright.previewing.store import FAILED, SERVING, STARTING, PreviewStore, host_key
from pullwright.table import read_item
from tests.unit.aws_kit import client
from tests.unit.moto_kit import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "uat-main.preview.localhost"


@pytest.fixture
def store() -> Iterator[PreviewStore]:
    """Provide the items of previews in an empty table."""
    with mock_aws():
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield PreviewStore(dynamodb, "t")


def test_slots_are_never_more_than_allowed(store: PreviewStore) -> None:
    """One that holds a slot keeps it, and one that is given back is free, however often that is said."""
    assert store.take_slot("a", 2)
    assert store.take_slot("a", 1)
    assert store.take_slot("b", 2)
    assert not store.take_slot("c", 2)
    store.free_slot("a")
    store.free_slot("a", is_untold=True)
    assert store.take_slot("c", 2)
    assert store.holders() == {"b", "c"}
    assert store.untold() == {"a"}


def test_a_host_belongs_to_one_subject(store: PreviewStore) -> None:
    """Previews of one pull request share it; another subject gets it when the last of them has gone."""
    assert store.take_host(HOST, subject="o/r#7", preview_id="a")
    assert store.take_host(HOST, subject="o/r#7", preview_id="b")
    assert not store.take_host(HOST, subject="o/r#8", preview_id="c")
    store.free_host(HOST, "a")
    assert not store.take_host(HOST, subject="o/r#8", preview_id="c")
    assert store.host_holders(HOST) == {"b"}
    store.free_host(HOST, "b")
    store.free_host(HOST, "b")
    assert read_item(store._client, "t", host_key(HOST)) == {}
    assert store.take_host(HOST, subject="o/r#8", preview_id="c")


def test_the_first_reason_to_withdraw_stays(store: PreviewStore) -> None:
    """What runs can be withdrawn once, and is not shown as served afterwards."""
    store.update("a", {"preview_status": STARTING})
    assert store.withdraw("a", error="LabelRemoved", cause="The label went.")
    assert not store.withdraw("a", error="SessionStopped", cause="It was closed.")
    assert not store.update_open("a", {"preview_status": SERVING}, unless_withdrawn=True)
    record = store.read("a")
    assert (record.preview_status, record.withdrawn, record.is_open) == (STARTING, "LabelRemoved", True)


def test_what_is_served_is_not_withdrawn_for_a_newer_one_that_only_starts(store: PreviewStore) -> None:
    """The older preview goes on until the newer one is healthy."""
    store.update("a", {"preview_status": STARTING})
    assert store.update_open("a", {"preview_status": SERVING}, unless_withdrawn=True)
    assert not store.withdraw("a", error="PreviewReplaced", cause="Newer.", while_starting=True)
    assert store.withdraw("a", error="PreviewReplaced", cause="Newer.")


def test_what_has_ended_or_never_was_is_not_withdrawn(store: PreviewStore) -> None:
    """A label that goes late makes no record of a preview that is over."""
    assert not store.withdraw("none", error="LabelRemoved", cause="Gone.")
    closed = store.close("a", {"preview_status": FAILED}, now=datetime(2026, 1, 1, tzinfo=UTC), kept_days=1)
    assert closed == store.read("a")
    assert not store.update_open("a", {"preview_status": SERVING})
    assert not store.withdraw("a", error="LabelRemoved", cause="Gone.")
    assert read_item(store._client, "t", "PREVIEW#a")["ttl"] == 1_767_312_000


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"repository": "o/r"}, "pull_request: this field is missing."),
        ({"repository": "o/r", "pull_request": 0}, "pull_request: should"),
        ({"repository": "o/r", "pull_request": 7, "hour": 3}, "Did you mean hours?"),
        ({"repository": "o/r", "pull_request": 7, "hours": 400}, "hours: should"),
        ([], "must be a JSON object"),
    ],
)
def test_a_wrong_input_is_named(document: object, said: str) -> None:
    """The sentence says which field is wrong."""
    with pytest.raises(InvalidRequest) as caught:
        read_input(PreviewRequest, document)
    assert said in caught.value.sentence

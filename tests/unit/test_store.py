"""The table and the bucket, call by call."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from pullwright.artifacts import Artifacts, UnreadableResultError
from pullwright.errors import AwsUnavailable, InternalError
from pullwright.record import SessionRecord
from pullwright.store import BranchRecord, Store
from pullwright.table import lock_key
from tests.unit import reconcile_kit
from tests.unit.aws_kit import client
from tests.unit.test_comments import REQUEST, result

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = lock_key("o/r", "claude/1")


@pytest.fixture
def table() -> Iterator[Any]:
    """DynamoDB, which answers what a test says."""
    with Stubber(client("dynamodb")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def bucket() -> Iterator[Any]:
    """S3, which answers what a test says."""
    with Stubber(client("s3")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def body(content: bytes) -> dict[str, Any]:
    """Return an object of S3."""
    return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def test_a_lock_is_taken_when_it_is_free_or_ours(table: Any) -> None:
    """The put is conditional on nobody else holding the lock, and a refusal is an answer, not an error."""
    expected = {
        "TableName": "t",
        "Item": {
            "pk": {"S": KEY},
            "owner": {"S": "me"},
            "session_id": {"S": "s"},
            "status": {"S": "LOCKED"},
            "heartbeat_at": ANY,
        },
        "ConditionExpression": "attribute_not_exists(pk) OR #owner = :me",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":me": {"S": "me"}},
    }
    table.add_response("put_item", {}, expected)
    table.add_client_error("put_item", "ConditionalCheckFailedException", expected_params=expected)
    table.add_client_error("put_item", "ProvisionedThroughputExceededException", expected_params=expected)
    store = Store(table.client, "t")
    assert store.take_lock(KEY, owner="me", session_id="s") is True
    assert store.take_lock(KEY, owner="me", session_id="s") is False
    with pytest.raises(AwsUnavailable, match="ProvisionedThroughputExceededException"):
        store.take_lock(KEY, owner="me", session_id="s")


def test_a_lock_is_freed_by_its_owner_only(table: Any) -> None:
    """The delete is conditional on the owner; somebody else's lock stays without a word."""
    table.add_client_error(
        "delete_item",
        "ConditionalCheckFailedException",
        expected_params={
            "TableName": "t",
            "Key": {"pk": {"S": KEY}},
            "ConditionExpression": "#owner = :me",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":me": {"S": "me"}},
        },
    )
    Store(table.client, "t").release_lock(KEY, owner="me")


def test_a_record_keeps_what_is_not_said(table: Any) -> None:
    """Fields without a value are left alone, and money keeps its cents."""
    table.add_response(
        "update_item",
        {},
        {
            "TableName": "t",
            "Key": {"pk": {"S": "SESSION#s"}},
            "UpdateExpression": "SET #f0 = :v0, #f1 = :v1, #f2 = :v2",
            "ExpressionAttributeNames": {"#f0": "status", "#f1": "cost_usd", "#f2": "stub"},
            "ExpressionAttributeValues": {":v0": {"S": "x"}, ":v1": {"N": "0.1"}, ":v2": {"BOOL": False}},
        },
    )
    store = Store(table.client, "t")
    store.update_session("s", {"status": "x", "commit": None, "cost_usd": 0.1, "stub": False})
    store.update_session("s", {"commit": None})


def test_records_are_read_consistently(table: Any) -> None:
    """What was just written is what is read; numbers come as they were."""
    item = {"pk": {"S": "SESSION#s"}, "turns": {"N": "3"}}
    asked = {"TableName": "t", "Key": {"pk": {"S": "SESSION#s"}}, "ConsistentRead": True}
    table.add_response("get_item", {"Item": item}, asked)
    assert Store(table.client, "t").read_session("s") == SessionRecord(session_id="s", turns=3)


def test_a_branch_begun_anew_forgets_the_old_one(table: Any) -> None:
    """A new branch replaces the record, so that an old pull request is not taken for its own."""
    record = BranchRecord(repository="o/r", branch="claude/1", session_id="s", first_commit="c0ffee")
    item = {
        "pk": {"S": "BRANCH#o/r#claude/1"},
        "repository": {"S": "o/r"},
        "branch": {"S": "claude/1"},
        "session_id": {"S": "s"},
        "first_commit": {"S": "c0ffee"},
        "asked_by_apps": {"N": "0"},
    }
    table.add_response("put_item", {}, {"TableName": "t", "Item": item})
    table.add_response("get_item", {"Item": item}, None)
    store = Store(table.client, "t")
    store.begin_branch(record)
    assert store.read_branch("o/r", "claude/1") == record


def test_a_request_is_written_once(bucket: Any) -> None:
    """The second attempt finds the first one's request and goes by it."""
    key = "sessions/implement-1-abc/request.json"
    expected = {"Bucket": "b", "Key": key, "Body": ANY, "ContentType": "application/json", "IfNoneMatch": "*"}
    bucket.add_response("put_object", {}, expected)
    bucket.add_client_error("put_object", "PreconditionFailed", expected_params=expected)
    bucket.add_response("get_object", body(REQUEST.model_dump_json().encode()), {"Bucket": "b", "Key": key})
    artifacts = Artifacts(bucket.client, "b")
    assert artifacts.write_request(REQUEST) == REQUEST
    assert artifacts.write_request(REQUEST.model_copy(update={"title": "later"})) == REQUEST


def test_results_are_read_missing_or_unreadable(bucket: Any) -> None:
    """A result that is missing, one that is rubbish and one of another session are told apart."""
    artifacts = Artifacts(bucket.client, "b")
    good = result().model_dump_json().encode()
    bucket.add_response("get_object", body(good))
    assert artifacts.read_result("implement-1-abc") == result()
    bucket.add_client_error("get_object", "NoSuchKey")
    assert artifacts.read_result("implement-1-abc") is None
    for content in (b"{", b'{"session_id": "x"}'):
        bucket.add_response("get_object", body(content))
        with pytest.raises(UnreadableResultError):
            artifacts.read_result("implement-1-abc")
    bucket.add_response("get_object", body(good))
    with pytest.raises(UnreadableResultError):
        artifacts.read_result("another")
    bucket.add_client_error("get_object", "AccessDenied")
    with pytest.raises(AwsUnavailable):
        artifacts.read_result("implement-1-abc")


def test_a_request_that_cannot_be_read_is_a_defect(bucket: Any) -> None:
    """request.json is ours alone: rubbish in it is no user's fault."""
    bucket.add_response("get_object", body(b"{}"))
    with pytest.raises(InternalError):
        Artifacts(bucket.client, "b").read_request("s")


def test_failures_are_counted_until_a_session_goes_well() -> None:
    """Each class by itself; what a user did wrong counts neither way. The table is moto's."""
    with reconcile_kit.table() as dynamodb:
        store = Store(dynamodb, reconcile_kit.TABLE)
        assert store.count_in_a_row("service") == {"service": 1}
        assert store.count_in_a_row("service") == {"service": 2}
        assert store.count_in_a_row("transient") == {"transient": 1}
        assert store.count_in_a_row("user") == store.count_in_a_row("limit") == {}
        assert store.count_in_a_row("service") == {"service": 3}
        assert store.count_in_a_row("") == {"service": 0, "transient": 0}
        assert store.count_in_a_row("service") == {"service": 1}


def test_a_conversation_is_copied_for_the_session_that_goes_on(bucket: Any) -> None:
    """Into the other session's folder; one that is gone or too long is left, with a reason."""
    artifacts = Artifacts(bucket.client, "b")
    source = {"Bucket": "b", "Key": "sessions/s-1/conversation.jsonl"}
    bucket.add_response("head_object", {"ContentLength": 7}, source)
    copied = {"Bucket": "b", "Key": "sessions/s-2/resumed.jsonl", "CopySource": source}
    bucket.add_response("copy_object", {}, copied)
    assert artifacts.copy_conversation("s-1", "s-2") is None
    bucket.add_client_error("head_object", "404", http_status_code=404, expected_params=source)
    assert artifacts.copy_conversation("s-1", "s-2") == "the earlier conversation is not kept any more"
    bucket.add_response("head_object", {"ContentLength": 33 << 20}, source)
    assert artifacts.copy_conversation("s-1", "s-2") == "the earlier conversation is too long (33 MiB)"
    bucket.add_client_error("head_object", "403", http_status_code=403, expected_params=source)
    with pytest.raises(AwsUnavailable):
        artifacts.copy_conversation("s-1", "s-2")

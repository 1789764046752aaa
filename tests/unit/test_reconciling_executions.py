"""What Step Functions says of executions, as the sweep understands it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from pullwright.errors import AwsUnavailable
from pullwright.json_object import decode_object
from pullwright.reconciling.executions import ExecutionEnd, Executions, is_at_or_before
from tests.unit.aws_kit import client
from tests.unit.pipeline_kit import execution

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:agent-session"
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
ENDED = datetime(2025, 1, 1, 1, tzinfo=UTC)


@pytest.fixture
def states() -> Iterator[Any]:
    """Step Functions, which answers what a test says."""
    with Stubber(client("stepfunctions")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def described(**fields: Any) -> dict[str, Any]:
    """Return an execution as AWS describes it."""
    named = {"executionArn": execution("s-1"), "stateMachineArn": MACHINE, "startDate": BEGAN}
    return {**named, "status": "RUNNING", **fields}


def test_an_execution_bears_its_session_s_name(states: Any) -> None:
    """The ARN follows from machine and session, whatever either is called."""
    assert Executions(states.client, MACHINE).arn_of("s-1") == execution("s-1")
    odd = Executions(states.client, MACHINE.replace("agent-session", "my:stateMachine:"))
    assert odd.arn_of("s").startswith("arn:aws:states:eu-central-1:123456789012:execution:my")


def test_every_page_of_running_executions_is_read(states: Any) -> None:
    """No running execution is taken for a dead one because it stands on the second page."""
    for name, token in (("s-1", {"nextToken": "more"}), ("s-2", {})):
        listed = {**described(), "executionArn": execution(name), "name": name}
        states.add_response("list_executions", {"executions": [listed], **token})
    assert Executions(states.client, MACHINE).running() == {execution("s-1"), execution("s-2")}


def test_bad_ends_are_read_as_far_back_as_asked(states: Any) -> None:
    """Each list begins with the newest: the first that is too old ends it, whatever pages follow.

    Those that timed out began long ago, and their end counts.
    """
    old = BEGAN - timedelta(days=3)
    ends = {
        "FAILED": (("a", BEGAN, ENDED), ("b", old, ENDED)),
        "ABORTED": (("c", BEGAN, ENDED), ("d", old, ENDED)),
        "TIMED_OUT": (("e", old, BEGAN), ("f", old, old)),
    }
    for status, listed in ends.items():
        found = [
            {
                **described(status=status),
                "executionArn": execution(n),
                "name": n,
                "startDate": b,
                "stopDate": e,
            }
            for n, b, e in listed
        ]
        wanted = {"stateMachineArn": MACHINE, "statusFilter": status}
        states.add_response("list_executions", {"executions": found, "nextToken": "more"}, wanted)
    assert Executions(states.client, MACHINE).ended_badly_since(BEGAN) == [execution(n) for n in "ace"]


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (described(), None),
        (
            described(status="SUCCEEDED", stopDate=ENDED),
            ExecutionEnd("SUCCEEDED", stopped_at=ENDED, started_at=BEGAN),
        ),
        (
            described(
                status="ABORTED", stopDate=ENDED, error="LabelRemoved", cause="It was.", input='{"a": 1}'
            ),
            ExecutionEnd("ABORTED", "LabelRemoved", "It was.", ENDED, BEGAN, '{"a": 1}'),
        ),
        (described(status="FAILED", input="[]"), ExecutionEnd("FAILED", started_at=BEGAN, input="[]")),
    ],
)
def test_an_end_is_told_as_it_was(states: Any, answer: dict[str, Any], end: ExecutionEnd | None) -> None:
    """One that runs has no end; of the others status, error, cause, time and input are kept."""
    states.add_response("describe_execution", answer, {"executionArn": execution("s-1")})
    assert Executions(states.client, MACHINE).end_of(execution("s-1")) == end


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_what_aws_does_not_know_has_ended(states: Any, code: str) -> None:
    """A forgotten execution is over, and stopping it is no error."""
    states.add_client_error("describe_execution", code)
    states.add_client_error("stop_execution", code)
    executions = Executions(states.client, MACHINE)
    assert executions.end_of(execution("s-1")) == ExecutionEnd()
    executions.stop(execution("s-1"), error="SessionStopped", cause="It was.")


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_where_aws_does_not_answer_nothing_has_ended(states: Any, code: str) -> None:
    """A refused question is an error, and never taken for an end."""
    for operation in ("list_executions", "describe_execution", "stop_execution"):
        states.add_client_error(operation, code)
    executions = Executions(states.client, MACHINE)
    with pytest.raises(AwsUnavailable, match=code):
        executions.running()
    with pytest.raises(AwsUnavailable, match=code):
        executions.end_of(execution("s-1"))
    with pytest.raises(AwsUnavailable, match=code):
        executions.stop(execution("s-1"), error="SessionStopped", cause="It was.")


@pytest.mark.parametrize(
    ("text", "found"), [('{"a": 1}', {"a": 1}), ("[1]", {}), ("{", {}), (None, {}), (7, {})]
)
def test_an_input_may_be_anything(text: Any, found: dict[str, Any]) -> None:
    """Executions can be started with any JSON: what is no object counts as empty."""
    assert decode_object(text) == found


@pytest.mark.parametrize(
    ("moment", "other", "is_it"),
    [
        ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00+00:00", True),
        ("2025-01-01T00:00:00Z", "2025-01-01T01:00:00+02:00", False),
        ("2025-01-01T00:00:01.5+00:00", "2025-01-01T00:00:01Z", False),
        ("yesterday", "2025-01-01T00:00:00Z", True),
        ("2025-01-01T00:00:00", "2025-01-01T00:00:00Z", True),
    ],
)
def test_times_are_compared_as_times(moment: str, other: str, *, is_it: bool) -> None:
    """Spelling and zone do not matter; what cannot be compared is taken as before."""
    assert is_at_or_before(moment, other) is is_it

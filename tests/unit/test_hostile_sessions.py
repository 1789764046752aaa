"""A task that lies: whatever it writes into record and result, report and sweep stay with its session.

What a task can write is what its credentials allow (`test_session_policy.py`): four attributes of the record,
and every object of its folder but `request.json`. Here all of that is arbitrary, and for good measure the
attributes that it cannot write too.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pullwright.errors import AwsUnavailable
from pullwright.models import Outcome
from pullwright.record import TASK_ATTRIBUTES
from pullwright.reporting.event import TaskEnd
from pullwright.results import AgentResult
from pullwright.store import Store
from tests.unit.reconcile_kit import TABLE, SweptDeployment, table
from tests.unit.test_reporting import NOW, TASK, Idle, Reporting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

    from pullwright.models import OpenedPullRequest

OTHER = "hexa/gadgets"
_LONGEST_KEY = 1_000
_FULL = 409_600
_serialize = TypeSerializer().serialize
FOREIGN = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/of-another-session"
LEVERS = {
    "repository": OTHER,
    "pull_request": 1,
    "comment_id": 1,
    "installation_id": 999,
    "lock_key": f"LOCK#{OTHER}#main",
    "branch": "main",
    "pull_request_url": "https://example.com/phish",
    "session_id": "somebody-else",
    "execution_arn": "arn:aws:states:eu-central-1:123456789012:execution:agent-session:somebody-else",
    "task_arn": FOREIGN,
}
VALUES = st.one_of(
    st.text(max_size=50),
    st.sampled_from(
        ["x" * 400_000, FOREIGN, "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+23:59", "٢٠٢٦"]
    ),
    st.integers(-(10**37), 10**37),
    st.booleans(),
    st.none(),
    st.binary(max_size=20),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text("abc", min_size=4, max_size=5), st.text(max_size=5), max_size=3),
    st.sets(st.text(min_size=1, max_size=5), min_size=1, max_size=3),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
)
QUICK = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


def result(**fields: Any) -> str:
    """Give a result of session s-1 as a task may write it; what is no JSON for Python's strict reader too."""
    made = AgentResult(
        session_id="s-1", task_arn=TASK, outcome=Outcome.CHANGED, started_at=NOW, ended_at=NOW, exit_code=0
    )
    return json.dumps(json.loads(made.model_dump_json()) | fields)


@pytest.fixture
def deployment(tmp_path: Path) -> Reporting:
    """Provide a session's repository beside somebody else's, in which the App is installed too."""
    made = Reporting(tmp_path)
    made.github.repository()
    made.github.issue()
    made.github.repository(full_name=OTHER)
    return made


@pytest.fixture
def sweeping(tmp_path: Path) -> Iterator[SweptDeployment]:
    """Provide a deployment without sessions."""
    with table() as client:
        made = SweptDeployment(tmp_path, client)
        made.github.repository(full_name=OTHER)
        yield made


def _stays_at_home(seen: list[tuple[str, str]]) -> bool:
    """Return whether GitHub was asked about the session's own repository only."""
    return not any(OTHER in path or "/installations/999/" in path for _, path in seen)


@pytest.fixture
def stored(deployment: Reporting) -> Iterator[tuple[Reporting, OpenedPullRequest, dict[str, Any]]]:
    """Provide a session that can be reported repeatedly, in a table that refuses as DynamoDB."""
    with table() as client:
        deployment.store = Store(client, TABLE)  # type: ignore[assignment] # what the table takes, the real one says
        opened = deployment.opened(issue=1)
        yield deployment, opened, _item(client)


def _item(client: DynamoDBClient) -> dict[str, Any]:
    return dict(client.get_item(TableName=TABLE, Key={"pk": {"S": "SESSION#s-1"}})["Item"])


@pytest.mark.parametrize("outcome", ["changed", "failed", None])
def test_a_poisoned_record_leads_a_report_nowhere(deployment: Reporting, outcome: str | None) -> None:
    """Repository, pull request, comment, installation and lock are those of the execution."""
    opened = deployment.opened(issue=1)
    deployment.store.items["SESSION#s-1"].update(LEVERS)
    if outcome is not None:
        deployment.result(Outcome(outcome))
    deployment.github.seen.clear()
    verdict = deployment.report(opened=opened)
    assert verdict.report_due is False
    assert verdict.lock_key == opened.lock_key
    assert _stays_at_home(deployment.github.seen)
    [comment] = deployment.github.comments(opened.pull_request)
    assert "Working on it" not in comment["body"]


def test_a_poisoned_record_leads_a_report_without_an_answer_nowhere(deployment: Reporting) -> None:
    """Even when OpenPullRequest's answer is lost, the place is what it had kept for the task."""
    opened = deployment.opened(issue=1)
    deployment.store.items["SESSION#s-1"].update(LEVERS)
    deployment.github.seen.clear()
    deployment.report(error={"Error": "States.Timeout", "Cause": ""})
    assert _stays_at_home(deployment.github.seen)
    assert "too long" in deployment.github.comments(opened.pull_request)[0]["body"]


def test_a_record_without_a_request_is_told_on_the_issue(deployment: Reporting) -> None:
    """A record that a task wrote to, though none can have run: only the execution's input is believed."""
    deployment.record("s-1", issue=1)
    deployment.store.items["SESSION#s-1"].update(LEVERS)
    deployment.github.seen.clear()
    assert deployment.report(error={"Error": "States.Timeout", "Cause": ""}).report_due is False
    assert _stays_at_home(deployment.github.seen)
    assert "Not started" in deployment.github.comments(1)[0]["body"]


@QUICK
@given(claim=st.fixed_dictionaries({}, optional=dict.fromkeys(TASK_ATTRIBUTES, VALUES)))
def test_whatever_a_task_claims_is_reported(
    stored: tuple[Reporting, OpenedPullRequest, dict[str, Any]], claim: dict[str, Any]
) -> None:
    """Each attribute that a task writes, of any type and length: the report is made, the record tells it."""
    deployment, opened, record = stored
    deployment.tasks = Idle(TaskEnd(TaskArn=TASK, StopCode="UserInitiated", ExitCode=143))
    _poison(deployment.store._client, record, claim)
    verdict = deployment.report(opened=opened, error={"Error": "States.Timeout", "Cause": ""})
    assert (verdict.error, verdict.report_due) == ("TimeLimit", False)
    # What makes no sense went, so that the rest fits into the table.
    left = deployment.store.read_session("s-1")
    assert all(len(str(getattr(left, name))) < 1_000 for name in TASK_ATTRIBUTES)


@QUICK
@given(
    poison=st.fixed_dictionaries(
        {}, optional=dict.fromkeys([*TASK_ATTRIBUTES, "repository", "comment_id", "pull_request"], VALUES)
    )
)
def test_whatever_a_task_claims_is_swept(sweeping: SweptDeployment, poison: dict[str, Any]) -> None:
    """The sweep ends a session whose record is arbitrary: told at home, closed, slot and lock free."""
    if "s-1" not in sweeping.artifacts.requests:
        sweeping.begin()
        sweeping.stop()
        sweeping.cluster.running.clear()
        sweeping.before = sweeping.items()
    for item in sweeping.before.values():
        sweeping.client.put_item(TableName=TABLE, Item=item)
    place = int(sweeping.before["SESSION#s-1"]["pull_request"]["N"])
    _poison(sweeping.client, sweeping.before["SESSION#s-1"], poison)
    sweeping.github.seen.clear()
    assert sweeping.sweep(minutes=1).settled == ["s-1"]
    assert _stays_at_home(sweeping.github.seen)
    [comment] = sweeping.github.comments(place)
    assert "Somebody stopped" in comment["body"]
    assert sweeping.held() == []
    assert sweeping.sessions.read_session("s-1").status == "FAILED"


def _poison(client: DynamoDBClient, record: dict[str, Any], fields: dict[str, Any]) -> None:
    """Write a record as a task may: an index's keys are text, and the whole has DynamoDB's limit."""
    item = {name: value for name, value in record.items() if name not in fields}
    for name, value in fields.items():
        is_key = name in {"repository", "heartbeat_at"}
        if not is_key or (isinstance(value, str) and 0 < len(value) < _LONGEST_KEY):
            item[name] = _serialize(value)
    if len(str(item)) < _FULL:
        client.put_item(TableName=TABLE, Item=item)


def test_a_record_that_hides_from_the_index_is_found(sweeping: SweptDeployment) -> None:
    """Without its sign of life a record is in no index; its slot gives it away, and its task is silent."""
    sweeping.begin()
    record = sweeping.items()["SESSION#s-1"]
    _poison(sweeping.client, record, {"heartbeat_at": None})
    assert sweeping.sweep(minutes=1).silenced == ["s-1"]
    sweeping.stop()
    sweeping.cluster.running.clear()
    assert sweeping.sweep(minutes=2).settled == ["s-1"]


@pytest.mark.parametrize("beat", ["9999-12-31T23:59:59+00:00", "never", "2020", "٢٠٢٦-01-01T00:00:00"])
def test_a_sign_of_life_of_no_time_is_none(sweeping: SweptDeployment, beat: str) -> None:
    """A task that claims to be alive for ever is silent."""
    sweeping.begin()
    sweeping.sessions.update_session("s-1", {"heartbeat_at": beat})
    assert sweeping.sweep(minutes=1).silenced == ["s-1"]


def test_a_full_record_is_emptied_first(sweeping: SweptDeployment) -> None:
    """A task that fills its record up to DynamoDB's limit of 400 KB keeps it neither open nor unreported.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    sweeping.begin()
    sweeping.sessions.update_session("s-1", {"image_digest": "x" * 400_000})
    for size in range(400_000, _FULL, 20):
        try:
            sweeping.sessions.update_session("s-1", {"image_digest": "x" * size})
        except AwsUnavailable:
            break
    else:
        raise AssertionError("the table has no limit")
    sweeping.stop()
    sweeping.cluster.running.clear()
    assert sweeping.sweep(minutes=1).settled == ["s-1"]
    assert sweeping.sessions.read_session("s-1").image_digest is None


NUMBERS = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, 1e308, 5e-324, -0.0, -1, 10**400, 2**63, 0.1 + 0.2]),
    st.floats(),
    st.integers(),
)
TEXTS = st.one_of(st.text(max_size=50), st.sampled_from(["x" * 500_000, "\x00", "\u202e", "SessionStopped"]))
TIMES = st.sampled_from(
    ["0001-01-01T00:00:00", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00", "2020-01-01T00:00:00+00:00"]
)
RESULTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["cost_usd", "turns", "exit_code", "files_changed", "additions"], NUMBERS),
        **dict.fromkeys(["summary", "commit", "conversation_id", "task_arn"], TEXTS),
        **dict.fromkeys(["started_at", "ended_at"], TIMES),
        "outcome": st.sampled_from(["changed", "no_change", "failed"]),
        "tokens": st.dictionaries(st.sampled_from(["input", "output"]), NUMBERS),
        "phases": st.dictionaries(TEXTS, NUMBERS, max_size=3),
        "notices": st.lists(TEXTS, max_size=300),
        "failure": st.fixed_dictionaries(
            {
                "error": TEXTS,
                "failure_class": st.sampled_from(["user", "service"]),
                "sentence": TEXTS,
                "remedy": TEXTS,
            }
        ),
        "checks": st.lists(
            st.fixed_dictionaries(
                {"name": TEXTS, "command": TEXTS, "status": st.just("passed"), "seconds": NUMBERS}
            ),
            max_size=300,
        ),
    },
)


@QUICK
@given(fields=RESULTS)
def test_whatever_a_task_leaves_is_reported(
    stored: tuple[Reporting, OpenedPullRequest, dict[str, Any]], fields: dict[str, Any]
) -> None:
    """Any result: it is reported, what the record keeps fits into DynamoDB, and the Fail state takes it."""
    deployment, opened, _ = stored
    deployment.artifacts.results["s-1"] = result(**fields)
    verdict = deployment.report(opened=opened)
    assert verdict.report_due is False
    assert "Working on it" not in deployment.github.comments(opened.pull_request)[0]["body"]
    # Of Step Functions' Fail state: https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html
    assert len(verdict.error) <= 256
    assert len(verdict.sentence) <= 32_768


def test_a_check_run_is_put_on_the_branch_s_head_only(deployment: Reporting) -> None:
    """A task that names another commit does not make our check succeed there."""
    opened = deployment.opened(issue=1)
    main = deployment.github.head("main")
    check = {"name": "tests", "command": "true", "status": "passed"}
    deployment.artifacts.results["s-1"] = result(commit=main, checks=[check])
    deployment.report(opened=opened)
    assert deployment.github.person("GET", f"/commits/{main}/check-runs")["total_count"] == 0


def test_a_task_names_no_error_that_is_none_of_ours(deployment: Reporting) -> None:
    """Class and name of a failure are ours: alarms and the state machine go by them."""
    opened = deployment.opened(issue=1)
    told = {"error": "States.ALL", "failure_class": "user", "sentence": "It broke.", "remedy": ""}
    deployment.artifacts.results["s-1"] = result(outcome="failed", failure=told)
    verdict = deployment.report(opened=opened)
    assert (verdict.error, verdict.failure_class, verdict.sentence) == (
        "InternalError",
        "service",
        "It broke.",
    )
    deployment.artifacts.results["s-1"] = result(outcome="failed", failure=told | {"error": "AgentFailed"})
    assert deployment.report(opened=opened).failure_class == "agent"


def test_times_of_a_task_are_shown_only_where_they_can_be(deployment: Reporting) -> None:
    """A start before the execution's is no start."""
    opened = deployment.opened(issue=1)
    early = (datetime.now(UTC) - timedelta(days=9_000)).isoformat()
    deployment.store.update_session("s-1", {"task_started_at": early})
    deployment.report(opened=opened)
    assert "not known" in deployment.github.comments(opened.pull_request)[0]["body"]

"""The queue's part in previews: which machine starts, and which previews an event ends."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.stub import Stubber

from pullwright.errors import GitHubUnavailable
from pullwright.events.process import process
from pullwright.events.services import EventServices, Previews
from pullwright.github.transport import Response
from pullwright.previewing.store import SERVING
from pullwright.workers.store import WorkerStore
from tests.unit.aws_kit import client
from tests.unit.moto_kit import mock_aws
from tests.unit.pipeline_kit import REPOSITORY
from tests.unit.preview_kit import START, execution
from tests.unit.preview_kit import Previews as Surroundings
from tests.unit.webhook_kit import GUID, MACHINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREVIEWS = MACHINE.replace("AgentSession", "Preview")
AT = START.isoformat()
STOP = {"kind": "stop", "error": "LabelRemoved", "cause": "The label uat was removed by kim.", "at": AT}
MINE = {"repository": "octo/widgets", "pull_request": 7, "label": "uat"}


class _Workers(WorkerStore):
    """The stored workers, of which no installation has any."""

    def repositories_of(self, installation_id: int) -> list[str]:
        """See `WorkerStore`."""
        assert installation_id
        return []


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[Surroundings]:
    """Provide the table with one preview that is served: of pull request 7, by the label `uat`."""
    with mock_aws():
        made = Surroundings(tmp_path)
        made.store.update(
            "p-1",
            {
                "preview_status": SERVING,
                "preview_repository": "octo/widgets",
                "pull_request": 7,
                "installation_id": 5,
                "label": "uat",
                "started_at": AT,
                "execution_arn": execution("p-1"),
            },
        )
        made.store.take_slot("p-1", 1)
        yield made


def _processed(
    surroundings: Surroundings | None, message: dict[str, Any], states: Any = None, app: Any = None
) -> list[str]:
    previews = None if surroundings is None else Previews(PREVIEWS, surroundings.store, surroundings.tasks)
    services = EventServices(
        *(
            app,
            cast("Any", SimpleNamespace(workers=_Workers(client("dynamodb"), "t"))),
        ),
        cast("Any", SimpleNamespace(open_sessions=list)),
        states,
        MACHINE,
        queue=cast("Any", SimpleNamespace(send=lambda _: None)),
        allowed_owners="",
        previews=previews,
    )
    return process([{"messageId": "m", "body": json.dumps(message)}], services)


def test_a_queued_preview_is_started_by_its_machine(surroundings: Surroundings) -> None:
    """What the webhook could not start starts as it would have."""
    states = client("stepfunctions")
    message = {"kind": "start", "machine": "preview", "name": f"preview-7-{GUID}", "input": '{"a":1}'}
    expected = {"stateMachineArn": PREVIEWS, "name": message["name"], "input": message["input"]}
    with Stubber(states) as stub:
        stub.add_response("start_execution", {"executionArn": "arn", "startDate": 1}, expected)
        assert _processed(surroundings, message, states) == []
        stub.assert_no_pending_responses()
        # Where previews are not set up any more, it is dropped, and no session starts in its place.
        assert _processed(None, message, states) == []


LEFT = {"kind": "preview", "session": "implement-42_A", "repository": REPOSITORY, "pull_request": 7}


@pytest.mark.parametrize(
    ("configuration", "is_started"),
    [
        ("preview: {start: npm start, after_session: true}", True),
        ("preview: {start: npm start}", False),
        ("preview: {after_session: 1}", False),
        ("", False),
    ],
)
def test_a_session_leaves_a_preview_where_the_configuration_says_so(
    surroundings: Surroundings, configuration: str, *, is_started: bool
) -> None:
    """That of the default branch; a message that comes twice asks for the same execution again."""
    if configuration:
        surroundings.github.write("main", {".pullwright/config.yaml": configuration})
    calls: list[dict[str, Any]] = []
    states = SimpleNamespace(
        start_execution=lambda **call: calls.append(call),
        exceptions=SimpleNamespace(ExecutionAlreadyExists=KeyError),
    )
    number = surroundings.pull()
    message = LEFT | {"pull_request": number}
    for _ in range(2):
        assert _processed(surroundings, message, states, surroundings.github.app()) == []
    if not is_started:
        assert calls == []
        return
    assert calls[0] == calls[1]
    assert calls[0]["stateMachineArn"] == PREVIEWS
    assert calls[0]["name"].startswith(f"preview-{number}-")
    wanted = {"repository": REPOSITORY, "pull_request": number, "session": "implement-42_A"}
    assert json.loads(calls[0]["input"]) == wanted
    assert _processed(None, LEFT) == []


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ("preview: {after_session: true, port: 80}", "port"),
        ("preview: {after_session: 1}", "after_session"),
        ("preview: {after_session: true", "cannot be used"),
        ("preview: {port: 80}", ""),
        ("checks: [", ""),
    ],
)
def test_a_configuration_that_cannot_be_read_after_a_session_is_told(
    surroundings: Surroundings, configuration: str, said: str
) -> None:
    """On the pull request, once, with the field; where nobody speaks of previews, nothing is said of them."""
    surroundings.github.write("main", {".pullwright/config.yaml": configuration})
    number = surroundings.pull()
    for _ in range(2):
        left = LEFT | {"pull_request": number}
        assert _processed(surroundings, left, app=surroundings.github.app()) == []
    comments = surroundings.github.comments(number)
    if not said:
        assert comments == []
        return
    [comment] = comments
    assert comment["body"].startswith("<!-- pullwright:preview:session -->")
    assert "Preview: failed" in comment["body"]
    assert said in comment["body"].replace("\\", "")


def test_a_configuration_that_cannot_be_read_is_told_when_github_is_back(surroundings: Surroundings) -> None:
    """SQS delivers the message again, and a preview that is served keeps its address in the comment."""
    number = surroundings.pull()
    surroundings.serve("p-2", number, session="implement-41")
    surroundings.github.write("main", {".pullwright/config.yaml": "preview: {after_session: 1}"})
    path = f"/comments/{surroundings.store.read('p-2').comment_id}"
    surroundings.github.before.extend([("PATCH", path, Response(502, {}, None))] * 20)
    left = LEFT | {"pull_request": number}
    assert _processed(surroundings, left, app=surroundings.github.app()) == ["m"]
    surroundings.github.before.clear()
    assert _processed(surroundings, left, app=surroundings.github.app()) == []
    comment = surroundings.comment(number)
    assert "Preview: <http://implement-41.preview.localhost:8000>" in comment
    assert "A newer preview: failed" in comment


def test_a_preview_waits_for_github(surroundings: Surroundings) -> None:
    """A message fails while GitHub does not answer, so that SQS delivers it again."""
    app = SimpleNamespace(client=_unavailable)
    assert _processed(surroundings, LEFT, app=app) == ["m"]


def _unavailable(*_: Any) -> Any:
    raise GitHubUnavailable("GitHub does not answer.")


@pytest.mark.parametrize(
    "about",
    [
        MINE,
        {**MINE, "label": "UAT"},
        {**MINE, "label": None, "error": "SessionStopped", "cause": "The pull request was merged by kim."},
        {"installation_id": 5, "error": "SessionStopped", "cause": "The App was taken off."},
        {"installation_id": 5, "repositories": ["octo/widgets"], "cause": "The App was taken off."},
    ],
)
def test_what_is_gone_ends_its_preview(surroundings: Surroundings, about: dict[str, Any]) -> None:
    """The reason stands in the record, and the task is stopped, so that the machine ends by its own way."""
    assert _processed(surroundings, STOP | about) == []
    record = surroundings.store.read("p-1")
    assert (record.withdrawn, record.withdrawn_cause) == (
        (STOP | about)["error"],
        (STOP | about)["cause"],
    )
    assert surroundings.tasks.silenced == [execution("p-1")]
    # A message comes twice.
    assert _processed(surroundings, STOP | about) == []


@pytest.mark.parametrize(
    "about",
    [
        {**MINE, "label": "uat-staging"},
        {**MINE, "pull_request": 8},
        {**MINE, "repository": "octo/other"},
        {**MINE, "at": "2026-03-01T11:59:59Z"},
        {"repository": "octo/widgets", "issue": 7, "label": "uat"},
        {"installation_id": 6},
        {"installation_id": 5, "repositories": ["octo/other"]},
        {"jira": "17"},
    ],
)
def test_what_is_about_others_ends_none(surroundings: Surroundings, about: dict[str, Any]) -> None:
    """Another label, pull request, repository or App, or a label that was added again afterwards."""
    assert _processed(surroundings, STOP | about) == []
    assert surroundings.store.read("p-1").withdrawn == ""
    assert surroundings.tasks.silenced == []


@pytest.mark.parametrize("is_renamed", [True, False])
def test_a_name_that_no_repository_has_any_more_has_no_previews(
    surroundings: Surroundings, *, is_renamed: bool
) -> None:
    """No later event would find them: a label's removal comes with the repository's new name, or never."""
    github = surroundings.github
    if is_renamed:
        github.control("PUT", f"/repositories/{REPOSITORY}/permissions", {"maintainer": "admin"})
        github.person("PATCH", "", {"name": "gadgets"})
    else:
        github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    app = github.app()
    sync = {"kind": "sync", "installation_id": 1, "is_gone": not is_renamed}
    for name in ("octo/other", REPOSITORY):
        _processed(surroundings, {**sync, "repositories": [name]}, app=app)
        record = surroundings.store.read("p-1")
        assert record.withdrawn == ("SessionStopped" if name == REPOSITORY else "")
    assert REPOSITORY in record.withdrawn_cause
    assert surroundings.tasks.silenced == [execution("p-1")]

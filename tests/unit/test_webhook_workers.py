"""A repository's own workers at the webhook: read once, routed, each started once."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.events.asking import _why_not
from pullwright.events.messages import MESSAGE, QueuedHint, QueuedStart, QueuedStop
from pullwright.github.payloads import ChangedFile
from pullwright.models import SessionRequest
from pullwright.record import SessionRecord
from pullwright.webhook.decision import Starts, decide
from pullwright.webhook.message import Message
from pullwright.webhook.workers import SECONDS
from pullwright.workers.builtin import builtin_workers, with_builtin
from pullwright.workers.manifest import pack_routes
from pullwright.workers.routing import Trigger, Worker
from tests.unit.test_webhook import BUSY, DENIED, Deployed
from tests.unit.webhook_kit import GUID, LABEL, SECRET, FakeAws, headers, payload, url_event

TRIAGE = Worker("triage", (Trigger(event="issues", actions=("labeled",), labels=("bug", LABEL)),))
DOCS = Worker(
    "docs", (Trigger(event="pull_request", actions=("labeled",), paths=("docs/**",), teams=("writers",)),)
)
OFF = Worker("implement", (), enabled=False)


def stored(*workers: Worker, **changed: Any) -> dict[str, Any]:
    """Return the table's answer for a repository with these workers."""
    packed = pack_routes(workers)
    item = {
        "routes": {"B": base64.b64encode(packed.chunks[0]).decode()},
        "routes_sha256": {"S": packed.sha256},
        "schema_version": {"N": "1"},
        **changed,
    }
    return {"Item": {name: value for name, value in item.items() if value is not None}}


def deployed(*workers: Worker, **more: list[Any]) -> Deployed:
    """Return a webhook whose table holds the workers."""
    return Deployed(FakeAws(**{"GetItem": [(200, stored(*workers))], **more}))


def send(webhook: Deployed, content: dict[str, Any], event: str = "issues") -> tuple[int, dict[str, Any]]:
    """Deliver a payload."""
    body = json.dumps(content)
    return webhook.send(url_event(body, headers(body.encode(), event)))


def line(webhook: Deployed) -> dict[str, Any]:
    """Return the last line of the log."""
    decoded: dict[str, Any] = json.loads(webhook.lines[-1])
    return decoded


def test_each_worker_that_matches_gets_its_own_session() -> None:
    """One delivery, two executions, and the log line says who started and why others did not."""
    webhook = deployed(TRIAGE, DOCS)
    status, body = send(webhook, payload("issues_labeled"))
    names = [call["name"] for name, call in webhook.aws.calls if name == "StartExecution"]
    assert names == [f"implement-42-{GUID}", f"triage-42-{GUID}"]
    assert (status, body["status"]) == (202, "started")
    assert line(webhook)["matched"] == ["implement", "triage"]
    assert line(webhook)["unmatched"] == {
        "review": "is switched off",
        "fix-ci": "does not start on issues",
        "docs": "does not start on issues",
    }


def test_one_that_fails_has_the_delivery_fail() -> None:
    """GitHub is asked to deliver it again, which starts only what is missing."""
    webhook = deployed(TRIAGE, StartExecution=[(200, {"executionArn": "arn"}), DENIED])
    status, body = send(webhook, payload("issues_labeled"))
    assert (status, body["status"]) == (503, "failed")
    assert "implement: started, triage: failed" in body["reason"]


def test_a_throttled_start_waits_in_the_queue() -> None:
    """The one goes to the queue, the other has started."""
    webhook = deployed(TRIAGE, StartExecution=[(200, {"executionArn": "arn"}), BUSY])
    assert send(webhook, payload("issues_labeled"))[1]["status"] == "started"
    assert webhook.aws.count("SendMessage") == 1


def test_workers_are_read_once_for_a_while() -> None:
    """A burst of deliveries costs one read, and a change of the workers takes effect soon after."""
    webhook = deployed(TRIAGE)
    for _ in range(3):
        send(webhook, payload("issues_labeled"))
    assert webhook.aws.count("GetItem") == 1
    webhook.aws.clock += SECONDS
    webhook.aws.answers["GetItem"] = [(200, stored(OFF))]
    assert send(webhook, payload("issues_labeled"))[1]["status"] != "started"
    assert webhook.aws.count("GetItem") == 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"routes": None}, "a part is missing"),
        ({"routes_sha256": {"S": "0" * 64}}, "its checksum differs"),
        ({"schema_version": {"N": "2"}}, "schema version 2"),
        ({"routes": {"B": "!"}}, "not what the table gives"),
        ({"routes": {"B": ""}}, "ends too early"),
    ],
)
def test_what_cannot_be_trusted_is_never_used_in_silence(changed: dict[str, Any], told: str) -> None:
    """The built-in workers stand in, and the log line says so in a field that has an alarm."""
    webhook = deployed(GetItem=[(200, stored(TRIAGE, **changed))])
    assert send(webhook, payload("issues_labeled"))[1]["status"] == "started"
    assert line(webhook)["matched"] == ["implement"]
    assert told in line(webhook)["broken_workers"]


@given(st.data())
def test_no_flipped_byte_goes_unseen(data: st.DataObject) -> None:
    """Whatever byte of the stored routes is changed, the set is not used."""
    packed = base64.b64decode(stored(TRIAGE)["Item"]["routes"]["B"])
    at = data.draw(st.integers(0, len(packed) - 1))
    changed = bytearray(packed)
    changed[at] ^= data.draw(st.integers(1, 255))
    webhook = deployed(
        GetItem=[(200, stored(TRIAGE, routes={"B": base64.b64encode(bytes(changed)).decode()}))]
    )
    send(webhook, payload("issues_labeled"))
    # Bytes of gzip's head say when and by what it was packed, and nothing of the content.
    assert line(webhook).get("broken_workers") or line(webhook)["matched"] == ["implement", "triage"]


def test_a_table_that_does_not_answer_has_the_delivery_fail() -> None:
    """Nothing is started by workers that may not be the repository's: GitHub delivers it again."""
    webhook = deployed(GetItem=[BUSY])
    assert send(webhook, payload("issues_labeled"))[0] == 503
    assert webhook.aws.count("StartExecution") == 0


def labelled_pull_request(label: str) -> dict[str, Any]:
    """Return the delivery of a label on a pull request."""
    content = payload("pull_request_labeled")
    content["label"]["name"] = label
    content["pull_request"]["head"]["repo"] = content["repository"]
    return content


def test_what_only_github_can_say_is_asked_by_the_queue() -> None:
    """Files and teams are no matter of the payload: the start waits in the queue until GitHub was asked."""
    webhook = deployed(DOCS)
    status, body = send(webhook, labelled_pull_request("any"), "pull_request")
    assert (status, body["status"]) == (202, "queued")
    message = MESSAGE.validate_json(webhook.aws.calls[-1][1]["MessageBody"])
    assert isinstance(message, QueuedStart)
    assert (message.paths, message.teams) == (("docs/**",), ("writers",))
    request = SessionRequest.model_validate_json(message.input)
    assert request.pull_request == labelled_pull_request("any")["pull_request"]["number"]
    assert request.title_sha256 is not None


class Files:
    """A repository on GitHub with one changed file and one team."""

    def pages(self, *_: Any, **__: Any) -> list[ChangedFile]:
        """List the file, which was renamed."""
        return [ChangedFile(filename="src/a.md", previous_filename="docs/a.md")]

    def call(self, _method: str, path: str, *_: Any, **__: Any) -> Any:
        """Answer about memberships."""
        state = "active" if path == "/orgs/o/teams/writers/memberships/mia" else "pending"
        return type("Response", (), {"decoded": {"state": state}})


@pytest.mark.parametrize(
    ("login", "paths", "teams", "reason"),
    [
        ("mia", ("docs/**",), ("writers",), ""),
        ("mia", ("docs/**",), ("admins", "writers"), ""),
        ("eve", (), ("writers",), "eve is in none of the teams writers."),
        ("mia", ("*.py",), (), "Nothing is changed that fits *.py."),
    ],
)
def test_the_queue_asks_github(
    login: str, paths: tuple[str, ...], teams: tuple[str, ...], reason: str
) -> None:
    """A file counts under both names when it was renamed; an invitation to a team does not count."""
    message = QueuedStart(kind="start", name="docs-1-x", input="{}", paths=paths, teams=teams)
    request = SessionRequest(repository="o/r", pull_request=1, worker="docs", requested_by=login)
    github: Any = Files()
    assert _why_not(message, request, github) == reason


def decided(content: dict[str, Any], event: str, *workers: Worker, on_no_match: str = "hint") -> Any:
    """Sign a payload and decide with these workers beside the built-in ones."""
    body = json.dumps(content).encode()
    return decide(
        headers(body, event),
        body,
        SECRET,
        trigger_label=LABEL,
        on_no_match=on_no_match,
        workers_of=lambda _: with_builtin(workers, LABEL),
    )


def test_a_label_in_the_wrong_place_is_explained() -> None:
    """Who puts a label that workers know where none starts is told why, if the deployment wants that."""
    hint = decided(labelled_pull_request(LABEL), "pull_request")
    assert isinstance(hint, Message)
    message = MESSAGE.validate_json(hint.message)
    assert isinstance(message, QueuedHint)
    assert message.reasons == {
        "implement": "does not start on pull_request",
        "review": "is switched off",
        "fix-ci": "does not start on pull_request",
    }
    assert decided(labelled_pull_request(LABEL), "pull_request", on_no_match="ignore").status == "ignored"
    assert decided(labelled_pull_request("other"), "pull_request").status == "ignored"


def test_a_label_taken_off_stops_what_it_started() -> None:
    """Only the sessions that this label started, whichever worker's it is."""
    withdrawal = decided(payload("issues_labeled") | {"action": "unlabeled"}, "issues", TRIAGE)
    assert isinstance(withdrawal, Message)
    message = MESSAGE.validate_json(withdrawal.message)
    assert isinstance(message, QueuedStop)
    request = {"issue": 42, "asked_at": "2025-05-20T06:40:01Z", "label": LABEL.upper()}
    record = SessionRecord.model_validate(
        {
            "session_id": "s",
            "status": "RUNNING",
            "repository": "octo-org/widgets",
            "input": json.dumps(request),
        }
    )
    assert message.is_about(record)
    other = record.model_copy(update={"input": json.dumps({**request, "label": "bug"})})
    assert not message.is_about(other)
    pull = decided(labelled_pull_request("x") | {"action": "unlabeled"}, "pull_request", TRIAGE)
    assert pull.reason == "The label starts no worker."


def test_a_push_names_no_issue() -> None:
    """A worker on pushes gets the branch; tags and deleted branches start nothing."""
    nightly = Worker("changelog", (Trigger(event="push", head=("main",), paths=("src/**",)),))
    content = {
        "ref": "refs/heads/main",
        "deleted": False,
        "forced": False,
        "commits": [{"added": [], "modified": ["src/a.py"], "removed": []}],
        "repository": {"id": 1, "full_name": "o/r"},
        "installation": {"id": 5},
        "sender": {"login": "mia", "type": "User"},
    }
    starts = decided(content, "push", nightly)
    assert isinstance(starts, Starts)
    assert starts.starts[0].name == f"changelog-0-{GUID}"
    request = SessionRequest.model_validate_json(starts.starts[0].input)
    assert (request.base, request.worker, request.issue) == ("main", "changelog", None)
    assert decided(content | {"ref": "refs/tags/v1"}, "push", nightly).status == "ignored"
    assert decided(content | {"deleted": True}, "push", nightly).status == "ignored"
    elsewhere = [{"added": ["docs/a.md"], "modified": [], "removed": []}]
    assert decided(content | {"commits": elsewhere}, "push", nightly).status == "ignored"
    queued = decided(content | {"forced": True}, "push", nightly)
    assert queued.starts[0].match.asks == {"paths"}


def test_a_repository_changes_what_is_built_in() -> None:
    """A worker of the same id takes the built-in one's place, and its triggers where it has none itself."""
    on = Worker("review", (), enabled=True, mode="comment")
    implement, review, _ = with_builtin([on], LABEL)
    assert (implement.id, implement.enabled) == ("implement", True)
    assert (review.enabled, review.triggers) == (True, builtin_workers(LABEL)[1].triggers)


PUSH = {
    "ref": "refs/heads/main",
    "before": "a" * 40,
    "after": "b" * 40,
    "commits": [{"added": [".pullwright/workers/a.yaml"], "removed": [], "modified": []}],
    "repository": {"full_name": "octo-org/widgets", "default_branch": "main"},
    "sender": {"login": "octocat", "type": "User"},
    "installation": {"id": 7},
}


@pytest.mark.parametrize(
    ("changes", "workers", "calls"),
    [
        ({}, (Worker("nightly", (Trigger(event="push"),)),), ["SendMessage", "StartExecution"]),
        ({}, (), ["SendMessage"]),
        ({"sender": {"login": "some[bot]", "type": "Bot"}}, (), ["SendMessage"]),
        ({"ref": "refs/heads/x"}, (Worker("nightly", (Trigger(event="push"),)),), ["StartExecution"]),
    ],
)
def test_a_push_may_start_workers_and_change_them(
    changes: dict[str, Any], workers: tuple[Worker, ...], calls: list[str]
) -> None:
    """One delivery does both; where nothing starts, whoever pushed, the workers are read all the same."""
    webhook = deployed(*workers)
    status, _ = send(webhook, PUSH | changes, "push")
    assert status == 202
    assert [name for name, _ in webhook.aws.calls if name in {"SendMessage", "StartExecution"}] == calls


def test_a_push_that_the_queue_does_not_take_starts_nothing_yet() -> None:
    """GitHub delivers it again, and then both happen."""
    webhook = deployed(Worker("nightly", (Trigger(event="push"),)), SendMessage=[BUSY])
    assert send(webhook, PUSH, "push")[0] == 503
    assert webhook.aws.count("StartExecution") == 0


def test_a_head_without_a_set_is_no_damage() -> None:
    """While no good set has been seen, the built-in workers hold without an alarm."""
    nothing = {"Item": {"routes_sha256": {"S": ""}, "schema_version": {"N": "1"}}}
    webhook = Deployed(FakeAws(GetItem=[(200, nothing)]))
    assert send(webhook, payload("issues_labeled"))[0] == 202
    assert "broken_workers" not in line(webhook)

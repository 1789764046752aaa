"""What a preview is at while it is not healthy: told by the runner, said once, never by the branch."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from pullwright import errors
from pullwright.previewing.routes import Routes
from pullwright.previewing.steps import Begun, Step, line_of, step_in
from runner.log import MAX_LINE_CHARACTERS, Tee
from runner.preview import serving
from tests.unit.aws_kit import client
from tests.unit.moto_kit import mock_aws
from tests.unit.preview_kit import START, Previews

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pullwright.github.transport import Request, Response
    from pullwright.previewing.models import PreparedPreview

BUILD = Begun(Step.BUILD, START + timedelta(seconds=36))
SERVER = Begun(Step.START, START + timedelta(seconds=50))
CODES = "Health checks failed with these codes: [404]"
_FORGED = line_of(SERVER)
_PADDED = _FORGED.replace(", ", "," + " " * MAX_LINE_CHARACTERS, 1)


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a repository, a listener and a cluster."""
    with mock_aws():
        yield Previews(tmp_path)


def _look(previews: Previews, prepared: PreparedPreview, *messages: str) -> str:
    """Ask RoutePreview once, when the task has written something; return the comment."""
    previews.log.messages["p-1"] = [message.rstrip("\n") for message in messages]
    with pytest.raises(errors.PreviewNotReady):
        previews.route("p-1", prepared, now=START + timedelta(seconds=60))
    return previews.comment(prepared.pull_request)


def test_each_step_is_said_once(previews: Previews, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comment is edited when the step changes, and not each time that is looked; none comes back."""
    send, edits = previews.github.send, list[str]()

    def count(request: Request) -> Response:
        edits.extend(
            [request.url] if (request.method, "/comments/" in request.url) == ("PATCH", True) else []
        )
        return send(request)

    monkeypatch.setattr(previews.github, "send", count)
    prepared = previews.prepare("p-1", previews.pull())
    previews.tasks.launch("p-1")
    assert "Step 1 of 4, clone:** its commit is being fetched since 12:00:34" in _look(previews, prepared)
    building = _look(previews, prepared, line_of(BUILD), *["compiling"] * 50)
    assert "Step 2 of 4, build:** its build command runs since 12:00:36 UTC, 36 s after" in building
    assert _look(previews, prepared, line_of(BUILD)) == building
    previews.log.error = "ThrottlingException"
    assert _look(previews, prepared) == building
    previews.log.error = ""
    assert "Step 3 of 4, start:**" in _look(previews, prepared, line_of(BUILD), line_of(SERVER), "up")
    previews.routes.answers["p-1"] = CODES
    shown = _look(previews, prepared, line_of(SERVER))
    assert "Step 4 of 4, health:**" in shown
    assert "[404]" in shown.replace("\\", "")
    previews.routes.answers.clear()
    assert _look(previews, prepared, line_of(SERVER)) == shown
    assert len(edits) == len(Step)


@pytest.mark.parametrize(
    ("messages", "answer", "error", "said"),
    [
        ([], "", errors.PreviewNeverHealthy, "still being cloned after 600 seconds"),
        ([line_of(BUILD)], "", errors.PreviewBuildTooLong, "build took longer than 600 seconds"),
        ([line_of(SERVER)], "", errors.PreviewNeverHealthy, "399 within 600 seconds."),
        ([line_of(SERVER)], CODES, errors.PreviewNeverHealthy, "these codes: [404]"),
    ],
)
def test_what_it_was_at_when_its_time_was_up_is_said(
    previews: Previews, messages: list[str], answer: str, error: type[errors.PullwrightError], said: str
) -> None:
    """A build without end is none of the server's, and a wrong path is told with the answer."""
    prepared = previews.prepare("p-1", previews.pull())
    previews.tasks.launch("p-1")
    previews.log.messages["p-1"] = [message.rstrip("\n") for message in messages]
    previews.routes.answers["p-1"] = answer
    with pytest.raises(error) as caught:
        previews.route("p-1", prepared, now=START + timedelta(seconds=635))
    assert said in caught.value.sentence


@given(
    before=st.sampled_from(["", " ", "\r", "\x0b", "x\r"]),
    line=st.one_of(st.sampled_from([_FORGED, _PADDED, _PADDED.replace("_", "\\u005f", 1)]), st.text()),
)
def test_no_branch_tells_a_step(before: str, line: str) -> None:
    """Whatever a program writes, padded or escaped, no line of the log is taken for the runner's."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "tee", Tee(out))
        serving._Output().show(f"{before}{line}".encode(errors="replace"))
    assert not [message for message in out.getvalue().split("\n") if step_in(message)]


def test_a_step_is_told_again_where_much_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last megabyte of the log, which is a page of it, has the step, with the time when it began."""
    out = io.StringIO()
    monkeypatch.setattr(serving, "tee", Tee(out))
    output = serving._Output()
    output.begin(Step.BUILD)
    for _ in range(100):
        output.show(b"x" * 20_000 + b"\n")
    told = [found for message in out.getvalue()[-(1 << 20) :].split("\n") if (found := step_in(message))]
    assert len(told) >= 3
    assert len({found.at for found in told}) == 1


@pytest.mark.parametrize(
    ("state", "reason", "description", "answer"),
    [
        ("unhealthy", "Target.ResponseCodeMismatch", CODES, CODES),
        ("unhealthy", "Target.Timeout", "Request timed out", "Request timed out"),
        ("unhealthy", "Target.FailedHealthChecks", "Health checks failed", ""),
        ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress", ""),
    ],
)
def test_an_answer_is_told_from_none(state: str, reason: str, description: str, answer: str) -> None:
    """By the reasons that Elastic Load Balancing documents for a target's health."""
    elb = client("elbv2")
    health = {"State": state, "Reason": reason, "Description": description}
    with Stubber(elb) as stub:
        described = {"TargetHealthDescriptions": [{"TargetHealth": health}]}
        stub.add_response("describe_target_health", described, {"TargetGroupArn": "group"})
        assert Routes(elb, "listener", "vpc", "stack").answer("group") == answer


def test_what_tells_a_step_is_json() -> None:
    """Whoever queries the log finds it as the runner's other lines."""
    told = json.loads(line_of(BUILD))
    assert (told["service"], told["preview_step"]) == ("runner", "build")
    assert step_in(line_of(BUILD)) == BUILD
    assert step_in('{"preview_step": "party", "at": "2026-03-01T12:00:00+00:00"}') is None

"""What the broker gives a preview's task and takes from it: a token that reads, variables; screenshots."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest
from botocore.stub import Stubber

from pullwright import aws
from pullwright.brokering.grant import grant
from pullwright.brokering.models import PreviewGrant
from pullwright.brokering.preview import variables_of
from pullwright.errors import NotAllowed, PreviewSecretInvalid, ScreenshotRefused, SessionClosed
from pullwright.log import scrub
from pullwright.previewing.screenshots import Screenshot, Screenshots
from pullwright.previewing.store import FAILED
from pullwright.services import Services
from pullwright.settings import BrokerSettings
from tests.unit.aws_kit import REGION, client
from tests.unit.memory_kit import MemoryArtifacts, MemoryStore
from tests.unit.moto_kit import mock_aws
from tests.unit.pipeline_kit import API, REPOSITORY
from tests.unit.preview_kit import Previews
from tests.unit.test_broker import TASK, described, event
from tests.unit.test_png import PNG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREVIEW_ROLE = f"arn:aws:sts::123456789012:assumed-role/preview-role/{TASK}"
SETTINGS = BrokerSettings(
    sessions_table="t",
    artifacts_bucket="bucket",
    github_app_secret_arn="arn",
    github_api_url=API,
    cluster_arn="cluster",
    task_role_name="task-role",
    session_role_arn="arn:aws:iam::123456789012:role/session",
    model_key_secret_arn="arn:key",
    preview_task_role_name="preview-role",
    preview_secret_arn="arn:variables",
)
CONFIGURATION = "preview: {start: python app.py, screenshots: [/, /login]}\n"
OVERRIDE = {
    "containerOverrides": [{"name": "preview", "environment": [{"name": "PREVIEW_ID", "value": "p-1"}]}]
}


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a preview that was prepared."""
    with mock_aws():
        made = Previews(tmp_path)
        made.github.write("main", {".pullwright/config.yaml": CONFIGURATION})
        made.prepare("p-1", made.pull())
        client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield made


def _granted(
    previews: Previews, task: dict[str, Any], stored: str = "{}", user_arn: str = PREVIEW_ROLE
) -> PreviewGrant:
    services = Services(previews.github.app(), MemoryStore(), MemoryArtifacts(), SETTINGS)
    with Stubber(client("ecs")) as ecs, Stubber(client("secretsmanager")) as secrets:
        ecs.add_response("describe_tasks", {"tasks": [task]})
        secrets.add_response("get_secret_value", {"SecretString": stored}, {"SecretId": "arn:variables"})
        given = grant(
            *(event(user_arn), services),
            ecs=cast("Any", ecs.client),
            sts=client("sts"),
            secrets=cast("Any", secrets.client),
            previews=previews.store,
            screenshots=Screenshots(client("s3"), "bucket"),
        )
    assert isinstance(given, PreviewGrant)
    return given


def _told(previews: Previews, message: dict[str, Any], *, is_base64: bool = False) -> None:
    """Say something to the broker as the preview's task."""
    services = Services(previews.github.app(), MemoryStore(), MemoryArtifacts(), SETTINGS)
    body = json.dumps(message)
    if is_base64:
        body = base64.b64encode(body.encode()).decode()
    with Stubber(client("ecs")) as ecs:
        ecs.add_response("describe_tasks", {"tasks": [described(overrides=OVERRIDE)]})
        answer = grant(
            *({**event(PREVIEW_ROLE), "body": body, "isBase64Encoded": is_base64}, services),
            ecs=cast("Any", ecs.client),
            sts=client("sts"),
            secrets=client("secretsmanager"),
            previews=previews.store,
            screenshots=Screenshots(client("s3"), "bucket"),
        )
    assert answer is None


def _picture(number: int, png: bytes = PNG) -> dict[str, Any]:
    return {"picture": {"number": number, "png": base64.b64encode(png).decode()}}


def test_a_previews_task_gets_its_plan(previews: Previews) -> None:
    """The token reads contents and nothing else, and what is secret is known to the log."""
    secret = json.dumps(
        {REPOSITORY.upper(): {"API_KEY": "a variable of secrecy"}, "other/repository": {"A": "b"}}
    )
    given = _granted(previews, described(overrides=OVERRIDE), secret)
    assert (given.plan.start, given.plan.repository) == ("python app.py", REPOSITORY)
    assert given.plan.commit == previews.github.head("topic")
    assert previews.github.permissions()[-1] == {"contents": "read", "metadata": "read"}
    assert given.variables == {"API_KEY": "a variable of secrecy"}
    assert "of secrecy" not in scrub("leaked a variable of secrecy")
    assert set(given.model_dump()) == {"plan", "github_token", "github_expires_at", "variables"}


def test_roles_tell_the_two_kinds_apart(previews: Previews) -> None:
    """A preview's role gets no session, and a session's role no preview, whatever the overrides are."""
    with pytest.raises(NotAllowed, match="no preview"):
        _granted(previews, described())
    with pytest.raises(NotAllowed, match="no session"):
        _granted(
            previews,
            described(overrides=OVERRIDE),
            user_arn=f"arn:aws:sts::123456789012:assumed-role/task-role/{TASK}",
        )


def test_a_preview_that_is_not_wanted_gets_nothing(previews: Previews) -> None:
    """Withdrawn, ended or unknown: its task has no business any more."""
    task = described(overrides=OVERRIDE)
    previews.store.withdraw("p-1", error="LabelRemoved", cause="The label went.")
    with pytest.raises(SessionClosed):
        _granted(previews, task)
    previews.store.update("p-2", {"preview_status": FAILED})
    for preview_id in ("p-2", "p-3"):
        other = json.loads(json.dumps(OVERRIDE).replace("p-1", preview_id))
        with pytest.raises(SessionClosed):
            _granted(previews, described(overrides=other))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a password", "not JSON"),
        ("[]", "no JSON object"),
        ('{"octo/widgets": "a password"}', "no table of variables"),
        ('{"octo/widgets": {"A B": "a password"}}', "A B"),
        ('{"octo/widgets": {"PORT": 1}}', "PORT"),
        (json.dumps({REPOSITORY: {"A": "a password\0B=c"}}), "A of"),
        (json.dumps({REPOSITORY: {"A": "a password\ud800"}}), "A of"),
        ("[" * 60_000, "not JSON"),
    ],
)
def test_a_secret_of_another_form_is_said_without_its_values(text: str, said: str) -> None:
    """The sentence names what is wrong, and quotes no value."""
    with pytest.raises(PreviewSecretInvalid) as caught:
        variables_of(text, REPOSITORY)
    assert said in caught.value.sentence
    assert "password" not in caught.value.sentence


def test_a_repository_that_the_secret_does_not_name_has_no_variables() -> None:
    """That is no mistake: most need none."""
    assert variables_of('{"other/repository": {"A": "b"}}', REPOSITORY) == {}


@pytest.mark.parametrize("is_base64", [False, True])
def test_screenshots_are_kept_for_the_preview_that_the_caller_runs(
    previews: Previews, *, is_base64: bool
) -> None:
    """Their keys come from ECS's word on the task; the list, which says what came of each page, is last."""
    s3, kept = client("s3"), Screenshots(client("s3"), "bucket")
    _told(
        previews, _picture(2) | {"preview_id": "p-2", "key": "sessions/s-1/request.json"}, is_base64=is_base64
    )
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]] == [
        "previews/p-1/screenshots/2.png"
    ]
    stored = s3.get_object(Bucket="bucket", Key="previews/p-1/screenshots/2.png")
    assert (stored["Body"].read(), stored["ContentType"]) == (PNG, "image/png")
    assert kept.read("p-1") is None
    pages = [{"path": "/", "problem": "it took longer than 30 seconds"}, {"path": "/login"}]
    _told(previews, {"screenshots": pages})
    assert kept.read("p-1") == (
        Screenshot(path="/", problem="it took longer than 30 seconds"),
        Screenshot(path="/login"),
    )


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (_picture(3), "names 2 pages"),
        (_picture(0), "picture.number"),
        (_picture(1, b"<html>"), "no PNG"),
        ({"picture": {"number": 1, "png": "no base64!"}}, "base64"),
        ({"picture": {"number": 1}}, "picture.png"),
        ({"screenshots": [{"path": "/"}]}, "not those"),
        ({"screenshots": [{"path": "/"}, {"path": "/admin"}]}, "not those"),
        ({"screenshots": [{"path": "/", "problem": "x" * 301}, {"path": "/login"}]}, "screenshots.0.problem"),
        ({"screenshots": "all"}, "screenshots"),
    ],
)
def test_what_is_no_screenshot_is_not_kept(previews: Previews, message: dict[str, Any], said: str) -> None:
    """The sentence says what is wrong, and nothing was written."""
    with pytest.raises(ScreenshotRefused) as caught:
        _told(previews, message)
    assert said in caught.value.sentence
    assert "Contents" not in client("s3").list_objects_v2(Bucket="bucket")


def test_a_preview_that_is_over_keeps_no_screenshot(previews: Previews) -> None:
    """Its task has no business any more."""
    previews.store.withdraw("p-1", error="LabelRemoved", cause="The label went.")
    with pytest.raises(SessionClosed):
        _told(previews, _picture(1))


def test_an_address_of_a_picture_is_signed_by_the_current_scheme(previews: Previews) -> None:
    """S3 takes no other where a bucket is encrypted with a key of KMS's, and in no region opened since 2014.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    _told(previews, _picture(1))
    address = Screenshots(aws.s3(), "bucket").address("p-1", 1, seconds=60)
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address
    assert "X-Amz-Expires=60" in address
    assert urlsplit(address).path.endswith("/previews/p-1/screenshots/1.png")

"""What the broker gives a preview's task: a token that reads, variables, and nothing of AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from pullwright.brokering.grant import grant
from pullwright.brokering.models import PreviewGrant
from pullwright.brokering.preview import variables_of
from pullwright.errors import NotAllowed, PreviewSecretInvalid, SessionClosed
from pullwright.log import scrub
from pullwright.previewing.store import FAILED
from pullwright.services import Services
from pullwright.settings import BrokerSettings
from tests.unit.aws_kit import client
from tests.unit.memory_kit import MemoryArtifacts, MemoryStore
from tests.unit.pipeline_kit import API, REPOSITORY
from tests.unit.preview_kit import Previews
from tests.unit.test_broker import TASK, described, event

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
OVERRIDE = {
    "containerOverrides": [{"name": "preview", "environment": [{"name": "PREVIEW_ID", "value": "p-1"}]}]
}


@pytest.fixture
def previews(tmp_path: Path) -> Iterator[Previews]:
    """Provide a preview that was prepared."""
    with mock_aws():
        made = Previews(tmp_path)
        made.prepare("p-1", made.pull())
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
        )
    assert isinstance(given, PreviewGrant)
    return given


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

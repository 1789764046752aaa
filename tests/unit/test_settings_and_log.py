"""Settings, secrets and what the log may show."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from botocore.stub import Stubber

from pullwright import log
from pullwright.errors import AwsUnavailable, InternalError
from pullwright.secret_values import read_app_secret, read_text
from pullwright.settings import BrokerSettings, OpenPullRequestSettings
from tests.unit.aws_kit import client
from tests.unit.pipeline_kit import key_pair

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOD: Mapping[str, str] = {
    "SESSIONS_TABLE": "t",
    "ARTIFACTS_BUCKET": "b",
    "GITHUB_APP_SECRET_ARN": "arn",
    "GITHUB_API_URL": "https://api.github.com",
    "MODEL_PROVIDER": "bedrock",
    "MODEL_ID": "m",
    "MODEL_PRICES": "",
    "LIMIT_USD": "2.5",
    "LIMIT_TURNS": "10",
    "LIMIT_MINUTES": "20",
    "MAX_SESSIONS": "3",
    "MAX_SESSIONS_PER_REPOSITORY": "0",
    "DAILY_USD": "0",
    "DAILY_USD_PER_REPOSITORY": "0",
    "STUB_SESSIONS": "false",
    "MENTION_NAME": "pullwright",
    "ALLOWED_APPS": "",
    "ALLOWED_OWNERS": "",
    "JIRA_BASE_URL": "",
    "JIRA_SECRET_ARN": "",
    "JIRA_GROUPS": "",
}


def test_settings_come_from_the_environment() -> None:
    """Text becomes what each setting is."""
    settings = OpenPullRequestSettings.read(GOOD)
    assert (settings.limit_usd, settings.limit_turns) == (2.5, 10)
    assert OpenPullRequestSettings.names() == GOOD.keys()


@pytest.mark.parametrize(
    ("name", "value"), [("MODEL_ID", None), ("SESSIONS_TABLE", ""), ("LIMIT_USD", "much")]
)
def test_a_wrong_setting_is_named_but_not_shown(name: str, value: str | None) -> None:
    """What is missing or wrong is said by name, without its value."""
    environment = {key: given for key, given in {**GOOD, name: value}.items() if given is not None}
    with pytest.raises(InternalError, match=name) as caught:
        OpenPullRequestSettings.read(environment)
    assert "much" not in caught.value.sentence


def test_bedrock_has_an_empty_model_key() -> None:
    """The one setting that may be empty, but not missing."""
    extra = {
        "CLUSTER_ARN": "c",
        "TASK_ROLE_NAME": "r",
        "SESSION_ROLE_ARN": "a",
        "MODEL_KEY_SECRET_ARN": "",
        "PREVIEW_TASK_ROLE_NAME": "",
        "PREVIEW_SECRET_ARN": "",
    }
    assert BrokerSettings.read({**GOOD, **extra}).model_key_secret_arn == ""


@pytest.mark.parametrize(
    "secret",
    [
        "ghs_" + "a1" * 18,
        "ghp_" + "b2" * 18,
        "ghs_1234567_eyJhbGciOiJSUzI1NiJ9." + "c3-_" * 60 + "." + "d4-_" * 80,
        "github_pat_" + "c3" * 20,
        "sk-ant-api03-abcdefgh",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI3In0.c2lnbmF0dXJl",
        key_pair()[0],
        "x-access-token:hunter22",
    ],
)
def test_what_looks_secret_is_not_logged(secret: str) -> None:
    """Whatever has the form of a token or a key is gone from the line, also inside JSON."""
    stream = io.StringIO()
    formatter = LambdaPowertoolsFormatter(json_serializer=log._serialize)
    logger = Logger(service=f"log-{id(stream)}", stream=stream, logger_formatter=formatter)
    text = f"https://{secret}@host" if ":" in secret and "KEY" not in secret else f"before {secret} after"
    logger.warning(text, nested={"deep": [text]})
    line = stream.getvalue()
    assert secret.strip().splitlines()[-1] not in line
    assert secret.strip() not in json.dumps(json.loads(line))
    assert log.HIDDEN in line


def test_a_known_secret_is_not_logged() -> None:
    """A secret without any form is hidden once it was read, line by line."""
    log.hide("correct horse battery staple", 'with "quotes"\nand lines')
    for text in ("correct horse battery staple", json.dumps('with "quotes"'), "and lines"):
        assert log.HIDDEN in log.scrub(f"it is {text} indeed")


@pytest.fixture
def secrets() -> Any:
    """Secrets Manager, which answers what a test says."""
    with Stubber(client("secretsmanager")) as stub:
        yield stub


def test_the_apps_secret_is_json(secrets: Any) -> None:
    """The App's id may be a number or text."""
    for app_id in (7, "7"):
        text = json.dumps({"app_id": app_id, "private_key": "PEM PEM PEM"})
        secrets.add_response("get_secret_value", {"SecretString": text})
        assert read_app_secret(secrets.client, "arn").app_id == "7"


@pytest.mark.parametrize(
    "text", ["hunter22 is no JSON", "{}", '{"app_id": "7"}', '{"app_id": "", "private_key": "k"}']
)
def test_another_secret_is_not_shown(secrets: Any, text: str) -> None:
    """A secret of another form is refused without any of its text."""
    secrets.add_response("get_secret_value", {"SecretString": text})
    with pytest.raises(InternalError, match="app_id and private_key") as caught:
        read_app_secret(secrets.client, "arn")
    assert "hunter22" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_empty_secret_is_not_an_outage(secrets: Any) -> None:
    """A secret without a value is the operator's to mend; a failing service is to be asked again."""
    secrets.add_response("get_secret_value", {"SecretString": " "})
    secrets.add_client_error("get_secret_value", "ResourceNotFoundException")
    for _ in range(2):
        with pytest.raises(InternalError, match="no value"):
            read_text(secrets.client, "arn")
    secrets.add_client_error("get_secret_value", "InternalServiceError")
    with pytest.raises(AwsUnavailable):
        read_text(secrets.client, "arn")

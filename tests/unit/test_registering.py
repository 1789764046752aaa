"""The parts that register an App: manifest, receiver of the code, what is stored and what is replaced."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_standin.manifests import Manifest
from pullwright.errors import KeyRefused, RotationUnfinished, SetupUnfinished
from pullwright.github.app import AppSecret, GitHubApp
from pullwright.github.transport import Response
from pullwright.github.urls import GitHubUrls
from pullwright_cli import env_commands, secret_commands
from pullwright_cli.errors import CliError
from pullwright_cli.registering import key, manifest, setup
from pullwright_cli.registering.credentials import Registered, exchange, store_app
from pullwright_cli.registering.receiver import Receiver
from pullwright_cli.registering.rotation import rotate_webhook_secret
from tests.unit import aws_kit
from tests.unit.cli_kit import matches
from tests.unit.moto_kit import mock_aws
from tests.unit.pipeline_kit import API, GitHub, key_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

DOTCOM = GitHubUrls.of("https://api.github.com")
SERVER = GitHubUrls.of("https://git.example.org/api/v3")
DECLARED = json.loads(Path("functions/pullwright/github/app_permissions.json").read_text(encoding="utf-8"))


def made(**changes: Any) -> dict[str, Any]:
    """Return a manifest."""
    values = {"name": "wright", "webhook_url": "https://hook.example.org/", "home_url": "https://github.com"}
    return manifest.make(
        **{**values, "redirect_url": "http://127.0.0.1:1/callback", "public": False, **changes}
    )


def test_a_manifest_asks_for_what_is_declared_and_no_more() -> None:
    """Permissions and events are those of the one list, and GitHub's rules for manifests hold."""
    asked = made()
    assert asked["default_permissions"] == {n: it["access"] for n, it in DECLARED["permissions"].items()}
    assert set(asked["default_events"]) == set(DECLARED["events"])
    assert asked["hook_attributes"] == {"url": "https://hook.example.org/", "active": True}
    assert Manifest.read(json.dumps(asked)).public is False


@pytest.mark.parametrize(
    ("urls", "organization", "expected"),
    [
        (DOTCOM, "", "https://github.com/settings/apps/new?state=s"),
        (DOTCOM, "acme", "https://github.com/organizations/acme/settings/apps/new?state=s"),
        (SERVER, "acme", "https://git.example.org/organizations/acme/settings/apps/new?state=s"),
    ],
)
def test_the_manifest_goes_where_the_owner_makes_apps(
    urls: GitHubUrls, organization: str, expected: str
) -> None:
    """A person's Apps, an organization's, and those of a server of one's own."""
    assert manifest.address(urls, organization, "s") == expected


@pytest.mark.parametrize("organization", ["a/b", "-x", "a" * 40, "x?y"])
def test_an_organization_that_cannot_be_is_refused(organization: str) -> None:
    """The option is named."""
    with pytest.raises(CliError, match="--org"):
        manifest.address(DOTCOM, organization, "s")


def test_a_name_that_is_too_long_is_refused() -> None:
    """GitHub takes 34 characters."""
    with pytest.raises(CliError, match="--name"):
        made(name="x" * 35)


def test_an_address_for_another_machine_holds_the_whole_page() -> None:
    """A quote in a name does not end the form's field."""
    address = manifest.portable_address("https://github.com/x?a=1&b=2", made(name='a"><script>'))
    assert "<script>" not in unquote(address)
    assert address.startswith("data:text/html")


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("http://127.0.0.1:9/callback?code=abcdef0123&state=right\n", "abcdef0123"),
        ("abcdef0123", "abcdef0123"),
        ("http://127.0.0.1:9/callback?code=abcdef0123&state=wrong", None),
        ("http://127.0.0.1:9/callback?code=abcdef0123", None),
        ("http://127.0.0.1:9/callback?state=right", None),
        ("", None),
        ("../../app", None),
    ],
)
def test_what_is_pasted_is_the_code_or_an_address_of_this_attempt(pasted: str, code: str | None) -> None:
    """Anything else is refused before GitHub is asked."""
    if code is None:
        with pytest.raises(CliError):
            manifest.read_code(pasted, "right")
    else:
        assert manifest.read_code(pasted, "right") == code


def listening() -> Receiver:
    """Return a receiver with its page and a port, on which nobody listens."""
    listen: Any = lambda _handler: SimpleNamespace(server_port=40_711)  # noqa: E731 - no server in unit tests
    receiver = Receiver("right", listen)
    receiver.page = "the page"
    return receiver


RECEIVER = listening()


@given(st.text(), st.text(st.characters(codec="ascii"), min_size=1))
def test_no_other_answer_is_taken(state: str, target: str) -> None:
    """Only the state counts, and the page, which holds it, is found by nobody who is not told."""
    receiver = RECEIVER
    host = urlsplit(receiver.redirect_url).netloc
    if state != "right":
        assert receiver.respond(f"/callback?code=c&state={state}", host)[0] == 403
    if f"/{target}" != urlsplit(receiver.start_url).path:
        assert receiver.respond(f"/{target}", host)[1] != "the page"
    assert receiver.respond(urlsplit(receiver.start_url).path, f"attacker.example:{host[-5:]}")[0] == 403
    assert receiver.respond("/callback?state=right", host)[0] == 403


def test_the_right_answer_is_taken_once() -> None:
    """A second one, right or wrong, changes nothing."""
    receiver = listening()
    host = urlsplit(receiver.redirect_url).netloc
    assert receiver.respond(urlsplit(receiver.start_url).path, host) == (200, "the page")
    assert receiver.respond("/callback?code=first&state=right", host)[0] == 200
    assert receiver.respond("/callback?code=second&state=right", host)[0] == 403
    assert receiver.wait(0.01) == "first"
    assert receiver.wait(0.01) is None


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    """Provide GitHub with the deployment's App."""
    return GitHub(tmp_path)


@pytest.fixture
def secrets() -> Iterator[Any]:
    """Provide Secrets Manager with both secrets of a deployment."""
    with mock_aws():
        client = aws_kit.client("secretsmanager")
        client.create_secret(Name="webhook", SecretString="the first")
        client.create_secret(Name="app")
        yield client


def app_of(github: GitHub) -> GitHubApp:
    """Return the App of the deployment."""
    secret = AppSecret(app_id="7", private_key=key_pair()[0])
    return GitHubApp(API, lambda: secret, transport=github, sleep=lambda _: None, clock=github.clock)


def value(secrets: Any, stage: str = "AWSCURRENT", name: str = "webhook") -> str:
    """Return the value that has a stage."""
    return str(secrets.get_secret_value(SecretId=name, VersionStage=stage)["SecretString"])


def test_an_unfinished_rotation_goes_on_with_the_secret_that_it_stored(github: GitHub, secrets: Any) -> None:
    """GitHub signs with the first secret all the while: it is never pushed out by a third one."""
    github.before.append(("PATCH", "/app/hook/config", Response(422, {}, {"message": "No."})))
    with pytest.raises(RotationUnfinished) as caught:
        rotate_webhook_secret(secrets, "webhook", app_of(github), sleep=lambda _: None)
    stored = value(secrets)
    assert stored not in str(caught.value)
    assert value(secrets, "AWSPREVIOUS") == "the first"
    assert rotate_webhook_secret(secrets, "webhook", app_of(github), sleep=lambda _: None) is True
    assert (value(secrets), value(secrets, "AWSPREVIOUS")) == (stored, "the first")
    assert rotate_webhook_secret(secrets, "webhook", app_of(github), sleep=lambda _: None) is False
    assert value(secrets, "AWSPREVIOUS") == stored


def test_github_is_told_after_the_secret_is_stored_and_found(github: GitHub, secrets: Any) -> None:
    """When GitHub changes over, functions have had time to look for the new secret."""
    seen: list[str] = []

    def sleep(seconds: float) -> None:
        seen.append(f"{seconds:g} s, {value(secrets) != 'the first'}, {len(github.seen)} calls")

    rotate_webhook_secret(secrets, "webhook", app_of(github), sleep=sleep)
    assert seen == ["5 s, True, 0 calls"]
    assert github.seen[-1] == ("PATCH", "/api/v3/app/hook/config")


def deployment(secrets: Any) -> Any:
    """Return what of a deployment the setup looks at."""
    return SimpleNamespace(
        secrets=secrets,
        urls=GitHubUrls.of(API),
        arn=lambda name: "app" if name == "GitHubAppSecretArn" else "webhook",
        stack=SimpleNamespace(name="pullwright-test"),
    )


def test_a_plan_of_the_set_up_has_a_schema(secrets: Any) -> None:
    """`github setup --dry-run` prints the manifest, where it goes, and the secrets that it would write."""
    found = deployment(secrets)
    found.parameters = {}
    found.stack.output = {"WebhookUrl": "https://webhook.example/"}.__getitem__
    choice = setup.Choice("Wright", "acme", public=False, browser=False, minutes=1)
    planned = json.loads(json.dumps(setup.plan(found, choice)))
    assert matches("AppPlan", planned)
    assert planned["manifest"]["hook_attributes"]["url"] == "https://webhook.example/"
    assert planned["secrets"] == ["app", "webhook"]


@pytest.mark.parametrize(
    ("content", "app_id", "problem"),
    [
        ("hello", "7", "no private key"),
        (None, "7", "cannot be read"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "7", "not an RSA key"),
        ("another", "7", "for a key of the App 7"),
        ("another", "", "not known whose key"),
        ("another", "a b", "--app-id"),
    ],
)
def test_a_key_that_is_not_the_apps_is_not_stored(
    github: GitHub,
    secrets: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
    app_id: str,
    problem: str,
) -> None:
    """The reason is said, the key is not, and the secret stays without a value."""
    monkeypatch.setattr(key, "GitHubApp", lambda url, read: GitHubApp(url, read, transport=github))
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_text(_other_key() if content == "another" else content)
    with pytest.raises(KeyRefused, match=problem):
        key.rotate_key(deployment(secrets), file, app_id)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        value(secrets, name="app")


def _other_key() -> str:
    from tests.unit.github_kit import PEM  # noqa: PLC0415 - makes a key of its own

    return PEM.decode()


def test_a_key_that_github_takes_is_stored(
    github: GitHub, secrets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id stays the one that is stored."""
    monkeypatch.setattr(
        key, "GitHubApp", lambda url, read: GitHubApp(url, read, transport=github, clock=github.clock)
    )
    store_app(secrets, "app", "7", "an old one")
    file = tmp_path / "key.pem"
    file.write_text(key_pair()[0])
    assert "/apps/pullwright-dev" in key.rotate_key(deployment(secrets), file, "")
    assert json.loads(value(secrets, name="app")) == {"app_id": "7", "private_key": key_pair()[0]}


@pytest.mark.parametrize("status", [404, 422, 500])
def test_a_code_that_github_refuses_says_what_is_left(github: GitHub, status: int) -> None:
    """The App may be there; the remedy is to delete it and begin again."""
    github.before.append(("POST", "/conversions", Response(status, {}, {"message": "No"})))
    with pytest.raises(SetupUnfinished) as caught:
        exchange(GitHubUrls.of(API), "c0de", github)
    assert "delete it there" in caught.value.remedy


def test_a_key_that_cannot_be_stored_is_not_lost_without_a_word(
    secrets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to do leads to another key of the same App; the key itself is nowhere in the message."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    registered = Registered.model_validate(
        {
            "id": 4,
            "slug": "w",
            "html_url": "https://github.com/apps/w",
            "pem": "the key",
            "webhook_secret": "the secret",
        }
    )
    secrets.delete_secret(SecretId="app", ForceDeleteWithoutRecovery=True)
    with pytest.raises(SetupUnfinished) as caught:
        setup._store(deployment(secrets), registered)
    assert "rotate-key --app-id 4" in caught.value.remedy
    assert "the key" not in f"{caught.value.sentence}{caught.value.remedy}{registered!r}"
    secrets.create_secret(Name="app")
    secrets.delete_secret(SecretId="webhook", ForceDeleteWithoutRecovery=True)
    with pytest.raises(SetupUnfinished, match="its webhook's secret is not"):
        setup._store(deployment(secrets), registered)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("model-key", "", "nothing came"),
        ("model-key", "sk-ant-x y" * 4, "spaces"),
        ("webhook", "short-secret", "16 characters"),
        ("github-app", "sk-ant-secret-secret", "not JSON"),
        ("github-app", '{"app_id": "7", "private_key": "secret-secret"}', "no key in PEM form"),
    ],
)
def test_a_value_that_functions_could_not_use_is_refused(name: str, text: str, problem: str) -> None:
    """The secret and the problem are named; the value is not repeated."""
    with pytest.raises(CliError, match=problem) as caught:
        secret_commands.check(secret_commands.Name(name), text)
    assert name in str(caught.value)
    assert not text or text not in str(caught.value)


def test_the_apps_secret_is_taken_as_the_functions_read_it() -> None:
    """Id and key as JSON."""
    text = json.dumps({"app_id": 7, "private_key": key_pair()[0]})
    assert secret_commands.check(secret_commands.Name.GITHUB_APP, text) == text


def test_a_command_that_is_not_there_is_said(tmp_path: Path) -> None:
    """127 as in a shell; 126 for what cannot be run."""
    with pytest.raises(CliError, match="no command pullwright-nothing") as caught:
        env_commands.replace_process(["pullwright-nothing"], {"PATH": "/usr/bin"})
    assert caught.value.exit_code == 127
    (tmp_path / "file").write_text("text")
    with pytest.raises(CliError, match="cannot be run") as caught:
        env_commands.replace_process([str(tmp_path / "file")], {})
    assert caught.value.exit_code == 126


def test_the_state_is_in_the_address_and_not_guessable() -> None:
    """GitHub sends back what the address holds."""
    address = manifest.address(DOTCOM, "", "a+b c")
    assert parse_qs(urlsplit(address).query) == {"state": ["a+b c"]}

"""`pullwright jira` and the doctor, against the Jira stand-in without a network."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from jira_standin import api
from jira_standin.calls import Call
from pullwright.errors import GitHubUnavailable
from pullwright.github.transport import Request, Response
from pullwright_cli import app, jira_commands, secret_commands
from pullwright_cli.checkup import collect
from pullwright_cli.checkup.findings import Status, Unknown
from pullwright_cli.jira import checks, facts, setup
from pullwright_cli.jira import site as sites
from tests.unit import aws_kit
from tests.unit.cli_kit import matches
from tests.unit.jira_kit import ADMIN, DEVELOPER, OUTSIDER, PROJECT, TOKENS, Site
from tests.unit.moto_kit import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "https://shop.example.net"
HOOK = "https://abc.lambda-url.eu-central-1.on.aws/"
PARAMETERS = {"JiraBaseUrl": URL, "JiraProjects": f"{PROJECT}=octo/shop", "JiraGroups": "developers"}


class ToStandIn:
    """Carries requests to the stand-in."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def send(self, request: Request) -> Response:
        """Answer one request."""
        address = urlsplit(request.url)
        assert f"{address.scheme}://{address.netloc}" == URL
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = dict(parse_qsl(address.query))
        call = Call(self._site.jira, request.method, address.path, query, headers, request.body or b"")
        reply = api.respond(call)
        self._site.exchanges.answered("jira", "user" if call.actor else "anonymous", call, reply)
        return Response(reply.status, {it.lower(): text for it, text in reply.headers.items()}, reply.body)


class Silent:
    """A network on which nobody answers."""

    def send(self, _request: Request) -> Response:
        """Fail."""
        raise GitHubUnavailable("GitHub did not answer.")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Provide a stand-in with people and a project."""
    return Site.make(tmp_path)


@pytest.fixture
def deployment(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Provide a deployment with Jira, whose network leads to the stand-in."""
    monkeypatch.setattr(sites, "Urllib3Transport", lambda: ToStandIn(site))
    with mock_aws():
        client = aws_kit.client("secretsmanager")
        outputs = {"JiraWebhookUrl": HOOK}
        for name in ("JiraSecretArn", "JiraWebhookSecretArn"):
            outputs[name] = client.create_secret(Name=name)["ARN"]
        made = SimpleNamespace(
            stack=SimpleNamespace(name="pullwright-test", outputs=outputs),
            parameters=dict(PARAMETERS),
            secrets=client,
            arn=outputs.__getitem__,
        )
        monkeypatch.setattr(jira_commands, "deployment_of", lambda *_options: made)
        yield made


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command and return its exit code and what it printed."""
    with pytest.raises(SystemExit) as ended:
        app.main(["jira", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def account(site: Site, email: str, **more: Any) -> sites.Site:
    """Return the site as somebody sees it."""
    return sites.Site(URL, email, more.pop("token", TOKENS[email]), ToStandIn(site))


def wanted(**changes: str) -> facts.Wanted:
    """Return what the parameters want, some of them changed."""
    found = facts.Wanted.of({**PARAMETERS, **changes}, {"JiraWebhookUrl": HOOK})
    assert found is not None
    return found


def failures(found: facts.JiraFacts) -> dict[str, str]:
    """Return what is not well, by check."""
    return {it.check: it.text for it in checks.check(found) if it.status is not Status.OK}


def test_setup_stores_the_account_and_makes_the_webhook(
    site: Site, deployment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The administrator's token is stored nowhere, no token is printed, and a second run changes nothing."""
    monkeypatch.setenv("JIRA_API_TOKEN", TOKENS[DEVELOPER])
    monkeypatch.setenv("JIRA_ADMIN_TOKEN", TOKENS[ADMIN])
    arguments = ("setup", "--email", DEVELOPER, "--admin-email", ADMIN, "--json")
    code, out, err = run(capsys, *arguments)
    assert code == 0, (out, err)
    assert matches("Checkup", json.loads(out))
    assert json.loads(out)["status"] == "ok"
    stored = deployment.secrets.get_secret_value(SecretId=deployment.arn("JiraSecretArn"))["SecretString"]
    assert json.loads(stored) == {"email": DEVELOPER, "api_token": TOKENS[DEVELOPER]}
    signed = deployment.secrets.get_secret_value(SecretId=deployment.arn("JiraWebhookSecretArn"))
    [hook] = site.jira.store.hooks
    assert (hook.url, hook.secret) == (HOOK, signed["SecretString"])
    assert hook.filter == f"project in ({PROJECT})"
    assert set(hook.events) == {"jira:issue_created", "jira:issue_updated", "jira:issue_deleted"}
    assert run(capsys, *arguments)[0] == 0
    [again] = site.jira.store.hooks
    assert (again.id, again.secret) == (hook.id, hook.secret)
    for token in (TOKENS[DEVELOPER], TOKENS[ADMIN], hook.secret):
        assert token not in out + err
    assert run(capsys, "test", "--admin-email", ADMIN)[0] == 0


def test_setup_stores_nothing_that_jira_does_not_take(
    deployment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says where to make another token."""
    monkeypatch.setenv("JIRA_API_TOKEN", "expired-token")
    code, _, err = run(capsys, "setup", "--email", DEVELOPER)
    assert code == 64
    assert "id.atlassian.com" in err
    assert "expired-token" not in err
    with pytest.raises(deployment.secrets.exceptions.ResourceNotFoundException):
        deployment.secrets.get_secret_value(SecretId=deployment.arn("JiraSecretArn"))


def test_without_an_administrator_the_webhook_is_left_to_one(
    site: Site, deployment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The account is stored, and the check of the webhook says what is missing."""
    assert deployment.arn("JiraSecretArn")
    monkeypatch.setenv("JIRA_API_TOKEN", TOKENS[DEVELOPER])
    code, out, _ = run(capsys, "setup", "--email", DEVELOPER)
    assert (code, list(site.jira.store.hooks)) == (0, [])
    assert "--admin-email" in out


def test_an_account_that_administers_jira_makes_the_webhook_itself(
    site: Site, deployment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No second account is needed then."""
    assert deployment.arn("JiraSecretArn")
    monkeypatch.setenv("JIRA_API_TOKEN", TOKENS[ADMIN])
    assert run(capsys, "setup", "--email", ADMIN)[0] == 0
    assert len(list(site.jira.store.hooks)) == 1


@pytest.mark.parametrize(
    ("arguments", "parameters", "said"),
    [
        (("setup",), {}, "--email"),
        (("setup", "--email", DEVELOPER), {}, "JIRA_API_TOKEN"),
        (("setup", "--email", DEVELOPER), {"JiraBaseUrl": ""}, "JiraBaseUrl"),
        (("test",), {"JiraBaseUrl": ""}, "JiraBaseUrl"),
        (("test",), {}, "pullwright jira setup"),
    ],
)
def test_what_is_missing_is_named(
    deployment: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    parameters: dict[str, str],
    said: str,
) -> None:
    """Nothing is asked of Jira before."""
    monkeypatch.delenv("JIRA_API_TOKEN", raising=False)
    deployment.parameters.update(parameters)
    code, _, err = run(capsys, *arguments)
    assert code in {2, 64}
    assert said in err


def test_a_plan_asks_nobody(
    deployment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--dry-run` shows webhook and permissions as JSON."""
    assert deployment.arn("JiraSecretArn")
    monkeypatch.setattr(sites, "Urllib3Transport", Silent)
    code, out, _ = run(capsys, "setup", "--dry-run")
    assert code == 0
    planned = json.loads(out)
    assert matches("JiraPlan", planned)
    assert planned["webhook"]["url"] == HOOK
    assert set(planned["permissions"]) == set(facts.NEEDED)
    assert planned == setup.plan(deployment)


def test_all_in_order_is_well(site: Site) -> None:
    """The webhook is seen by an administrator."""
    site.hook(url=HOOK, secret="s")
    found = facts.collect(account(site, DEVELOPER), wanted(), account(site, ADMIN))
    assert failures(found) == {}


def test_a_missing_permission_is_named_with_its_reason(site: Site) -> None:
    """Each permission has one, and a project that is not seen is said to be that."""
    site.control("PUT", f"/projects/{PROJECT}", {"permissions": {"LINK_ISSUES": []}})
    lacking = failures(facts.collect(account(site, DEVELOPER), wanted()))
    assert f"{PROJECT}: LINK_ISSUES (to link the pull request)" in lacking["jira-projects"]
    unseen = failures(facts.collect(account(site, DEVELOPER), wanted(JiraProjects="NONE=octo/none")))
    assert "does not see NONE" in unseen["jira-projects"]
    empty = failures(facts.collect(account(site, DEVELOPER), wanted(JiraProjects="")))
    assert "JiraProjects is empty" in empty["jira-projects"]


def test_groups_are_checked_by_name_and_id(site: Site) -> None:
    """A group that is not there, one without members, and an account that may not look."""
    group = site.jira.group("developers")
    assert group is not None
    assert "jira-groups" not in failures(
        facts.collect(account(site, DEVELOPER), wanted(JiraGroups=group.group_id))
    )
    site.control("PUT", "/groups/nobody", {})
    texts = [
        failures(facts.collect(account(site, DEVELOPER), wanted(JiraGroups=it)))["jira-groups"]
        for it in ("nobody", "typo", "")
    ]
    assert [text.partition(" ")[0] for text in texts] == ["Nobody", "Jira", "JiraGroups"]
    site.control("PATCH", f"/people/{site.accounts[OUTSIDER]}", {"browses_people": False})
    blind = failures(facts.collect(account(site, OUTSIDER), wanted()))
    assert "may not browse users and groups" in blind["jira-groups"]


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (None, "no webhook for"),
        ({"secret": ""}, "no secret"),
        ({"secret": "s", "enabled": False}, "disabled"),
        ({"secret": "s", "events": ["jira:issue_created"]}, "jira:issue_deleted"),
        ({"secret": "s", "url": "https://elsewhere.example/"}, "no webhook for"),
    ],
)
def test_a_webhook_that_does_not_work_is_found(site: Site, hook: dict[str, Any] | None, said: str) -> None:
    """Missing, unsigned, disabled, deaf, or for another address."""
    if hook is not None:
        site.hook(**{"url": HOOK, **hook})
    found = failures(facts.collect(account(site, DEVELOPER), wanted(), account(site, ADMIN)))
    assert said in found["jira-webhook"]


def test_a_silent_site_is_said_to_be_that(site: Site) -> None:
    """So is one that refuses, in Jira's words."""
    with pytest.raises(sites.JiraError, match="does not answer: check JiraBaseUrl"):
        facts.collect(sites.Site(URL, DEVELOPER, "x", Silent()), wanted())
    with pytest.raises(sites.JiraError, match=r"\(403\): You do not have the permission to administer"):
        facts.find_hook(account(site, DEVELOPER), HOOK)


def test_what_cannot_be_asked_is_one_failure() -> None:
    """The other checks could not be made, which is no failure of theirs; without Jira there are none."""
    found = list(checks.check(Unknown("Jira does not answer.", is_failure=True)))
    assert [it.status for it in found] == [Status.FAIL, Status.WARN, Status.WARN, Status.WARN]
    assert list(checks.check(None)) == []


def test_the_doctor_asks_jira_with_the_stored_account(site: Site, deployment: Any) -> None:
    """A token that has expired since is a failure; a deployment without Jira has nothing to ask."""
    missing = collect._jira(deployment)
    assert isinstance(missing, Unknown)
    assert "pullwright jira setup" in missing.reason
    value = json.dumps({"email": DEVELOPER, "api_token": TOKENS[DEVELOPER]})
    deployment.secrets.put_secret_value(SecretId=deployment.arn("JiraSecretArn"), SecretString=value)
    found = collect._jira(deployment)
    assert isinstance(found, facts.JiraFacts)
    assert set(failures(found)) == {"jira-webhook"}
    site.control("PATCH", f"/people/{site.accounts[DEVELOPER]}", {"tokens": []})
    expired = collect._jira(deployment)
    assert isinstance(expired, Unknown)
    assert expired.is_failure
    deployment.parameters["JiraBaseUrl"] = ""
    assert collect._jira(deployment) is None


def test_the_list_of_secrets_has_those_of_jira(
    deployment: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with the time since when it has a value, if it has one."""
    monkeypatch.setattr(secret_commands, "deployment_of", lambda *_options: deployment)
    deployment.secrets.put_secret_value(SecretId=deployment.arn("JiraSecretArn"), SecretString="{}")
    with pytest.raises(SystemExit):
        app.main(["secrets", "list", "--json"])
    listed = json.loads(capsys.readouterr().out)
    assert matches("SecretList", listed)
    rows = {it["name"]: it["changed"] is not None for it in listed}
    assert rows == {"jira": True, "jira-webhook": False}

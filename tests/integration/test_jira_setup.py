"""A deployment is connected with Jira, and checked, by the command on the whole stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.jira import SERVICE
from local.jira_people import ADMINISTRATORS, JiraSite
from tests.integration.commands import run

if TYPE_CHECKING:
    from local.sessions import Stack


def test_the_command_connects_a_deployment_with_jira(stack: Stack, environment: dict[str, str]) -> None:
    """The webhook that is there is renewed, not doubled, and no token is printed."""
    site = JiraSite(str(stack.described["jira_url"]))
    # Earlier tokens of the account stay good: the functions may have read one already.
    service, administrator = site.join(SERVICE), site.join("ada@jira.example", ADMINISTRATORS)
    hooks = administrator.rest("GET", "/rest/webhooks/1.0/webhook")
    unknown = run({**environment, "JIRA_API_TOKEN": "wrong"}, "jira", "setup", "--email", SERVICE)
    assert (unknown.returncode, "does not take the API token" in unknown.stderr) == (64, True)
    tokens = {"JIRA_API_TOKEN": service.token, "JIRA_ADMIN_TOKEN": administrator.token}
    arguments = ("--email", SERVICE, "--admin-email", administrator.email, "--json")
    done = run({**environment, **tokens}, "jira", "setup", *arguments)
    assert done.returncode == 0, done.stderr
    checkup = json.loads(done.stdout)
    assert [it["check"] for it in checkup["checks"] if it["status"] == "fail"] == []
    assert not any(token in done.stdout + done.stderr for token in tokens.values())
    stored = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["JiraSecretArn"])
    assert json.loads(stored["SecretString"]) == {"email": SERVICE, "api_token": service.token}
    renewed = administrator.rest("GET", "/rest/webhooks/1.0/webhook")
    assert [(it["self"], it["url"], it["isSigned"]) for it in renewed] == [
        (it["self"], stack.outputs["JiraWebhookUrl"], True) for it in hooks
    ]
    tested = run(environment, "jira", "test")
    assert tested.returncode == 0, tested.stdout
    assert "jira-account" in tested.stdout

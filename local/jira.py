"""Jira of a local stack that was deployed with `JiraBaseUrl`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.app import webhook_host
from local.jira_people import ADMINISTRATORS, JiraSite
from local.sam import client

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "pullwright@jira.example"
"""The account that reads and comments."""
ADMINISTRATOR = "administrator@jira.example"
_HOOKS = "/rest/webhooks/1.0/webhook"
_EVENTS = ("jira:issue_created", "jira:issue_updated", "jira:issue_deleted")


def connect(description: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    """Do what `pullwright jira setup` and an administrator of Jira do for a deployment.

    Args:
        description: what `stack.json` says.
        parameters: of the template.
    """
    outputs, site = description["outputs"], JiraSite(description["jira_url"])
    secrets = client("secretsmanager", description["endpoint_url"])
    service = site.join(SERVICE)
    secrets.put_secret_value(
        SecretId=outputs["JiraSecretArn"],
        SecretString=json.dumps({"email": service.email, "api_token": service.token}),
    )
    for pair in filter(None, parameters.get("JiraProjects", "").split(",")):
        site.project(pair.partition("=")[0])
    for group in filter(None, parameters.get("JiraGroups", "").split(",")):
        site.control("PUT", f"/groups/{group}", {})
    url = outputs["JiraWebhookUrl"]
    site.control("PUT", "/settings", {"hosts": {url: webhook_host(url)}})
    body = {
        "name": "Pullwright",
        "url": url,
        "events": list(_EVENTS),
        "secret": secrets.get_secret_value(SecretId=outputs["JiraWebhookSecretArn"])["SecretString"],
    }
    administrator = site.join(ADMINISTRATOR, ADMINISTRATORS)
    for hook in administrator.rest("GET", _HOOKS):
        # Of a deployment before this one, whose function is gone.
        administrator.rest("DELETE", hook["self"].removeprefix(site.url))
    administrator.rest("POST", _HOOKS, body)

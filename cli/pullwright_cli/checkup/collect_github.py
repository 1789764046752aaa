"""Asks GitHub, as the App, for the facts."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field

from pullwright.github.payloads import App, Installation, Payload
from pullwright.reconciling.deliveries import lost
from pullwright_cli.checkup.facts import AppFacts, DeliveryFacts, HookFacts, InstallationFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright_cli.registering.deployment import Deployment

_WRONG_SECRET = 401
# What is on its way is not lost yet.
_UNDER_WAY = timedelta(seconds=30)


class _App(App):
    permissions: dict[str, str] = Field(default_factory=dict)
    events: tuple[str, ...] = ()


class _Hook(Payload):
    url: str = ""
    content_type: str = "form"
    insecure_ssl: str | int = "0"


class _Installation(Installation):
    target_type: str = ""


def facts(deployment: Deployment, attempt: Callable[[Callable[[], Any]], Any]) -> dict[str, Any]:
    """Return the facts by name.

    Args:
        attempt: turns a refusal into what is told of it.
    """
    return {
        "app": attempt(partial(_app, deployment)),
        "hook": attempt(partial(_hook, deployment)),
        "installations": attempt(partial(_installations, deployment)),
        "deliveries": attempt(partial(_deliveries, deployment)),
        "hosts": attempt(partial(_hosts, deployment)),
    }


def _app(deployment: Deployment) -> AppFacts:
    app = deployment.app.as_app.get("/app", "read the GitHub App", _App)
    owner = (app.owner.login if app.owner else None) or ""
    return AppFacts(app.slug, app.permissions, frozenset(app.events), owner)


def _hook(deployment: Deployment) -> HookFacts:
    # https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app
    hook = deployment.app.as_app.get("/app/hook/config", "read the App's webhook", _Hook)
    return HookFacts(hook.url, hook.content_type, str(hook.insecure_ssl))


def _installations(deployment: Deployment) -> list[InstallationFacts]:
    # https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app
    found = deployment.app.as_app.pages("/app/installations", "list the App's installations", _Installation)
    return [
        InstallationFacts(
            (it.account.login if it.account else None) or str(it.id),
            it.target_type == "Organization",
            it.permissions,
            it.suspended_at is not None,
        )
        for it in found
    ]


def _deliveries(deployment: Deployment) -> DeliveryFacts:
    now = datetime.now(UTC)
    attempts = deployment.app.deliveries(now - timedelta(days=1))
    missing = [it for it in lost(attempts) if it.delivered_at < now - _UNDER_WAY]
    refused = sum(it.status_code == _WRONG_SECRET for it in missing)
    return DeliveryFacts(len({it.guid for it in attempts}), len(missing), refused)


def _hosts(deployment: Deployment) -> dict[str, bool]:
    addresses = (deployment.urls.rest, deployment.urls.web, deployment.stack.output("WebhookUrl"))
    names = {urlsplit(address).hostname or "" for address in addresses}
    return {name: resolves(name) for name in names}


def resolves(name: str) -> bool:
    """Return whether a name has an address, as seen from here."""
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False

"""Registers the App: a page of GitHub's confirms it, the code comes back, and its secrets are stored."""

from __future__ import annotations

import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from getpass import getpass
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from pullwright.errors import AppExists, PullwrightError, SetupUnfinished
from pullwright.webhook.secret import LOOK_AGAIN_SECONDS
from pullwright_cli.browsers import open_page
from pullwright_cli.registering import manifest as manifests
from pullwright_cli.registering.credentials import Registered, exchange, store_app, stored_app
from pullwright_cli.registering.deployment import APP_SECRET, WEBHOOK_SECRET, Deployment
from pullwright_cli.registering.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.github.app import GitHubApp

# Never loaded: the address bar then shows the code.
_NOWHERE = "http://127.0.0.1:9/callback"
_PATIENCE_SECONDS = 30
_LOOK_BACK = timedelta(minutes=10)
_AWS_ATTEMPTS = 3


class Choice(NamedTuple):
    """What whoever sets up decides.

    Attributes:
        organization: that shall own the App; empty for the person who confirms it.
        public: whether other accounts than the owner can install it.
        browser: whether one is opened here; if not, one on any machine will do.
    """

    name: str
    organization: str
    public: bool
    browser: bool
    minutes: float


def plan(deployment: Deployment, choice: Choice) -> dict[str, Any]:
    """Return what would be sent to GitHub, and where it would be stored."""
    return {
        "address": manifests.address(deployment.urls, choice.organization, "<state>"),
        "manifest": _manifest(deployment, choice, "http://127.0.0.1:<port>/callback"),
        "secrets": [deployment.arn(APP_SECRET), deployment.arn(WEBHOOK_SECRET)],
    }


def set_up(deployment: Deployment, choice: Choice, *, replace: bool) -> dict[str, Any]:
    """Register the App and store what belongs to it.

    Raises:
        AppExists: one is stored already, and shall not be replaced.
        SetupUnfinished: it did not come to its end; says what is left to do.
    """
    before = stored_app(deployment.secrets, deployment.arn(APP_SECRET))
    if before is not None and not replace:
        raise AppExists(f"The stack {deployment.stack.name} has the GitHub App {before.app_id} already.")
    deployment.arn(WEBHOOK_SECRET)
    code = _code(deployment, choice)
    registered = exchange(deployment.urls, code)
    _store(deployment, registered)
    return {
        "app_id": registered.id,
        "slug": registered.slug,
        "page": registered.html_url,
        "install": f"{registered.html_url}/installations/new",
        "webhook": "verified" if _first_webhook(deployment.app) else "not verified yet",
        "mention": f"@{deployment.parameters.get('MentionName', '')}",
    }


def _manifest(deployment: Deployment, choice: Choice, redirect_url: str) -> dict[str, Any]:
    name = choice.name or deployment.parameters.get("MentionName") or deployment.stack.name
    urls, webhook_url = deployment.urls, deployment.stack.output("WebhookUrl")
    return manifests.make(name, webhook_url, urls.web, redirect_url, public=choice.public)


def _code(deployment: Deployment, choice: Choice) -> str:
    state = secrets.token_urlsafe(32)
    action = manifests.address(deployment.urls, choice.organization, state)
    if not choice.browser:
        page = manifests.portable_address(action, _manifest(deployment, choice, _NOWHERE))
        _say(f"Open this address in a browser, on any machine:\n\n{page}\n")
        _say("GitHub then sends the browser to a page that does not load. Copy that page's address.")
        return manifests.read_code(_ask("The address (it is not shown): "), state)
    receiver = Receiver(state)
    with receiver.serving(manifests.page(action, _manifest(deployment, choice, receiver.redirect_url))):
        _say(f"Confirm the App in the browser: {receiver.start_url}")
        open_page(receiver.start_url)
        code = receiver.wait(choice.minutes * 60)
    if code is None:
        raise SetupUnfinished(
            f"GitHub did not send the browser back within {choice.minutes:g} minutes. Without a browser on "
            "this machine, say --no-browser."
        )
    return code


def _store(deployment: Deployment, registered: Registered) -> None:
    """Store the key first: it is what nobody can get a second time."""
    app_id, page = str(registered.id), registered.html_url
    _stored(
        lambda: store_app(deployment.secrets, deployment.arn(APP_SECRET), app_id, registered.pem),
        f"GitHub made the App {registered.slug}, but its key could not be stored",
        f"Mend that, generate a private key on the App's settings page ({page}), and run `pullwright github "
        f"rotate-key --app-id {app_id}`, then `pullwright github rotate-secret`.",
    )
    _stored(
        lambda: deployment.secrets.put_secret_value(
            SecretId=deployment.arn(WEBHOOK_SECRET), SecretString=registered.webhook_secret
        ),
        f"The App {registered.slug} and its key are stored, but its webhook's secret is not",
        "Mend that, then run `pullwright github rotate-secret`.",
    )


def _stored(store: Callable[[], object], problem: str, remedy: str) -> None:
    for attempt in range(_AWS_ATTEMPTS):
        try:
            store()
        except (ClientError, BotoCoreError) as error:
            if attempt == _AWS_ATTEMPTS - 1:
                raise SetupUnfinished(f"{problem}: {error}", remedy=remedy) from None
            time.sleep(1)
        else:
            return


def _first_webhook(app: GitHubApp) -> bool:
    """Have the ping of the new webhook, sent before its secret was stored, delivered again."""
    time.sleep(LOOK_AGAIN_SECONDS)
    since = datetime.now(UTC) - _LOOK_BACK
    asked: set[str] = set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        while time.monotonic() < deadline:
            attempts = app.deliveries(since)
            delivered = {it.guid for it in attempts if it.status == "OK"}
            for attempt in attempts:
                if attempt.guid not in delivered | asked:
                    app.redeliver(attempt.id)
                    asked.add(attempt.guid)
            if delivered and asked <= delivered:
                return True
            time.sleep(1)
    except PullwrightError as error:
        _say(f"GitHub could not be asked for the first delivery: {error.sentence}")
    return False


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _ask(question: str) -> str:
    """Read what must not show in the terminal: the code is good for the App's key."""
    return getpass(question) if sys.stdin.isatty() else sys.stdin.readline()

"""The App's own registration: the code of its manifest, its webhook, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github_standin.answers import not_found, unprocessable
from github_standin.manifests import exchange
from github_standin.routing import Router
from github_standin.shapes import accounts
from standin.answers import Reply

if TYPE_CHECKING:
    from github_standin.calls import Call
    from github_standin.records import App

ROUTER = Router()


@ROUTER.on("POST", "/app-manifests/{code}/conversions")
def convert(call: Call) -> Reply:
    """Exchange a manifest's code for the App and its secrets; who has the code needs nothing else."""
    found = exchange(call.github, call.params["code"])
    if found is None:
        raise not_found()
    app, conversion = found
    body = {
        **accounts.app(call.github, app),
        "client_id": app.client_id,
        "client_secret": conversion.client_secret,
        "webhook_secret": app.webhook_secret or None,
        "pem": conversion.pem,
    }
    # Only for the App itself: https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest.
    del body["installations_count"]
    return Reply(201, body)


def _app(call: Call) -> App:
    call.as_app()
    if call.github.app is None:
        raise not_found()
    return call.github.app


def _config(app: App) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "content_type": app.webhook_content_type,
        "insecure_ssl": app.webhook_insecure_ssl,
    }
    if app.webhook_secret:
        shown["secret"] = "********"  # noqa: S105 - as GitHub shows it
    return {**shown, "url": app.webhook_url}


@ROUTER.on("GET", "/app/hook/config")
def get_hook(call: Call) -> Reply:
    """Return the webhook's configuration; its secret shows as stars."""
    return Reply(200, _config(_app(call)))


@ROUTER.on("PATCH", "/app/hook/config")
def change_hook(call: Call) -> Reply:
    """Change what the body names; deliveries are signed with the new secret from then on."""
    app = _app(call)
    kind = call.maybe_text("content_type") or app.webhook_content_type
    if kind not in ("json", "form"):
        raise unprocessable(f"Invalid request.\n\n{kind} is not a possible value of content_type.")
    url = call.maybe_text("url") or app.webhook_url
    changed = app.model_copy(
        update={
            "webhook_url": url,
            "webhook_host": app.webhook_host if url == app.webhook_url else "",
            "webhook_secret": call.maybe_text("secret") or app.webhook_secret,
            "webhook_content_type": kind,
            "webhook_insecure_ssl": str(call.body().get("insecure_ssl", app.webhook_insecure_ssl)),
        }
    )
    call.github.store.settings.app = changed
    call.github.store.save_settings()
    return Reply(200, _config(changed))


@ROUTER.on("GET", "/app/installations")
def list_installations(call: Call) -> Reply:
    """List where the App is installed."""
    _app(call)
    return call.page(list(call.github.store.installations), lambda it: accounts.installation(call.github, it))

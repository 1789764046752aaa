"""The manifest that an App is made from: exactly the permissions, events and address that a deployment needs.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import hmac
import html
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright.github.urls import GitHubUrls

LONGEST_NAME = 34
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_CODE = re.compile(r"[A-Za-z0-9_-]{8,200}")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Register the GitHub App</title>
<form method="post" action="{action}">
<input type="hidden" name="manifest" value="{manifest}">
<p>GitHub asks for the App's name and makes it when you confirm.</p>
<p><button type="submit">Go on to GitHub</button></p>
</form></html>
"""


def declared() -> tuple[dict[str, str], list[str]]:
    """Return the permissions, each with its level, and the events that a deployment needs."""
    text = (files("pullwright.github") / "app_permissions.json").read_text(encoding="utf-8")
    content = json.loads(text)
    return {name: it["access"] for name, it in content["permissions"].items()}, sorted(content["events"])


def make(name: str, webhook_url: str, home_url: str, redirect_url: str, *, public: bool) -> dict[str, Any]:
    """Return the manifest.

    Args:
        name: as GitHub proposes it to whoever makes the App.
        redirect_url: where the browser is sent with the code.
        public: whether other accounts than the owner can install the App.

    Raises:
        CliError: GitHub would not take the name.
    """
    if not 0 < len(name) <= LONGEST_NAME:
        raise CliError(
            f"--name: an App's name has 1 to {LONGEST_NAME} characters, {name!r} has {len(name)}", 2
        )
    permissions, events = declared()
    return {
        "name": name,
        "url": home_url,
        "hook_attributes": {"url": webhook_url, "active": True},
        "redirect_url": redirect_url,
        "public": public,
        "default_permissions": permissions,
        "default_events": events,
    }


def address(urls: GitHubUrls, organization: str, state: str) -> str:
    """Return where the manifest is posted to: a person's Apps, or an organization's.

    Raises:
        CliError: no account can have that name.
    """
    if organization and not _LOGIN.fullmatch(organization):
        raise CliError(f"--org: {organization!r} is no account's name on GitHub", 2)
    prefix = f"/organizations/{organization}" if organization else ""
    return f"{urls.web}{prefix}/settings/apps/new?{urlencode({'state': state})}"


def page(action: str, manifest: Mapping[str, Any]) -> str:
    """Return the page whose only button posts the manifest: GitHub takes it in no other way."""
    return _PAGE.format(action=html.escape(action), manifest=html.escape(json.dumps(manifest)))


def portable_address(action: str, manifest: Mapping[str, Any]) -> str:
    """Return an address that holds the whole page, for a browser on another machine."""
    return f"data:text/html;charset=utf-8,{quote(page(action, manifest))}"


def read_code(pasted: str, state: str) -> str:
    """Return the code in what was pasted: the code itself, or the address that the browser was sent to.

    Raises:
        CliError: there is no code in it, or it answers another attempt.
    """
    text = pasted.strip()
    if "?" in text:
        query = parse_qs(urlsplit(text).query)
        returned = query.get("state", [""])[-1]
        if not hmac.compare_digest(returned.encode(), state.encode()):
            raise CliError(
                "the address belongs to another attempt: its state is not the one of this command", 2
            )
        text = query.get("code", [""])[-1]
    if not _CODE.fullmatch(text):
        raise CliError(
            "there is no code in what was pasted: paste the whole address that begins with http", 2
        )
    return text

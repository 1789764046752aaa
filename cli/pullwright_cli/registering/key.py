"""Replaces the App's private key: GitHub makes keys on a page alone, so the file that it gives is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pullwright.errors import GitHubRefused, InternalError, KeyRefused
from pullwright.github.app import AppSecret, GitHubApp
from pullwright.log import hide
from pullwright_cli.registering.credentials import store_app, stored_app
from pullwright_cli.registering.deployment import APP_SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright_cli.registering.deployment import Deployment

_MOST_BYTES = 64 * 1024
_APP_ID = re.compile(r"[A-Za-z0-9.]+")


def rotate_key(deployment: Deployment, file: Path, app_id: str) -> str:
    """Store a key that GitHub takes for the App's; nothing is stored otherwise.

    Functions that run keep the key that they have until GitHub refuses it, so the old one may go afterwards.

    Args:
        app_id: empty for the one that is stored.

    Returns:
        The page on which the old key is deleted.

    Raises:
        KeyRefused: the file is no key, or none of this App.
    """
    before = stored_app(deployment.secrets, deployment.arn(APP_SECRET))
    if not app_id and before is None:
        raise KeyRefused(
            "No App is stored yet, so it is not known whose key this is.",
            remedy="Say --app-id; the number stands on the App's settings page.",
        )
    app_id = app_id or (before.app_id if before else "")
    if not _APP_ID.fullmatch(app_id):
        raise KeyRefused(f"--app-id: {app_id!r} is no App's id.")
    secret = AppSecret(app_id=app_id, private_key=_read(file))
    hide(secret.private_key)
    try:
        app = GitHubApp(deployment.urls.rest, lambda: secret).app()
    except InternalError as error:
        raise KeyRefused(f"{file}: {error.sentence}") from None
    except GitHubRefused as error:
        raise KeyRefused(
            f"GitHub does not take {file} for a key of the App {app_id}: {error.sentence}"
        ) from None
    store_app(deployment.secrets, deployment.arn(APP_SECRET), app_id, secret.private_key)
    owner = app.owner.login if app.owner else None
    return f"{deployment.urls.web}/apps/{app.slug}" + (f" (owned by {owner})" if owner else "")


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES).decode("ascii", errors="replace").strip()
    except OSError as error:
        raise KeyRefused(f"{file} cannot be read: {error.strerror}.") from None
    if "PRIVATE KEY-----" not in text:
        raise KeyRefused(f"{file} is no private key in PEM form.")
    return f"{text}\n"

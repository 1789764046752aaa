"""Registering an App from a manifest: what a manifest may say, and the code that is exchanged once.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, field_validator, model_validator

from github_standin import events
from github_standin.permissions import KNOWN
from github_standin.records import Access, App

if TYPE_CHECKING:
    from typing import Self

    from github_standin.github import GitHub

_CODE_SECONDS = 3_600.0
_LONGEST_NAME = 34
# Which permission lets an App subscribe: https://docs.github.com/en/webhooks/webhook-events-and-payloads.
_EVENTS: dict[str, tuple[str, ...]] = {
    "check_run": ("checks",),
    "check_suite": ("checks",),
    "commit_comment": ("contents",),
    "issue_comment": ("issues", "pull_requests"),
    "issues": ("issues",),
    "pull_request": ("pull_requests",),
    "pull_request_review": ("pull_requests",),
    "pull_request_review_comment": ("pull_requests",),
    "pull_request_review_thread": ("pull_requests",),
    "push": ("contents",),
    "repository": ("metadata",),
    "status": ("statuses",),
    "workflow_job": ("actions",),
    "workflow_run": ("actions",),
}


class ManifestError(ValueError):
    """No App can be made; says why, as the page shows it."""


class _Part(BaseModel):
    # What GitHub does with a key that it does not document is unknown: here it is refused.
    model_config = ConfigDict(extra="forbid")


class HookAttributes(_Part):
    """Where events go."""

    url: HttpUrl
    active: bool = True


class Manifest(_Part):
    """A manifest, with the parameters that GitHub documents."""

    url: HttpUrl
    redirect_url: HttpUrl
    name: str = ""
    hook_attributes: HookAttributes | None = None
    callback_urls: list[HttpUrl] = Field(default_factory=list, max_length=10)
    setup_url: HttpUrl | None = None
    description: str = ""
    public: bool = False
    default_events: list[str] = Field(default_factory=list)
    default_permissions: dict[str, Access] = Field(default_factory=dict)
    request_oauth_on_install: bool = False
    setup_on_update: bool = False

    @field_validator("default_permissions")
    @classmethod
    def _are_known(cls, value: dict[str, Access]) -> dict[str, Access]:
        if unknown := sorted(set(value) - KNOWN):
            raise ValueError(f"Default permission resource is not included in the list: {unknown[0]}")
        return value

    @model_validator(mode="after")
    def _may_subscribe(self) -> Self:
        held = {*self.default_permissions, "metadata"}
        for event in self.default_events:
            if not held.intersection(_EVENTS.get(event, ())):
                raise ValueError(f"Default events are not supported by permissions: {event}")
        return self

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a manifest.

        Raises:
            ManifestError: GitHub would not make an App of it.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            problem = error.errors()[0]
            field = ".".join(str(part) for part in problem["loc"])
            raise ManifestError(f"{field}: {problem['msg']}" if field else problem["msg"]) from None


@dataclass(frozen=True)
class Conversion:
    """What a code is exchanged for, once and within an hour."""

    app_id: int
    client_secret: str
    pem: str
    expires_at: float


def register(
    github: GitHub, manifest: Manifest, name: str, owner: str, kind: Literal["User", "Organization"]
) -> str:
    """Make the App, and return the code; it takes the place of the one before.

    Args:
        owner: login of the account that it belongs to.

    Raises:
        ManifestError: the name cannot be had.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or len(name) > _LONGEST_NAME:
        raise ManifestError(f"Name must have 1 to {_LONGEST_NAME} characters")
    before = github.app
    if github.account(slug) is not None or (before is not None and before.slug == slug):
        raise ManifestError("Name is already taken")
    pem, public = _keys()
    number = github.store.next_id("app")
    hook = manifest.hook_attributes
    url = str(hook.url) if hook is not None and hook.active else ""
    app = App(
        id=number,
        client_id=f"Iv23li{number:014d}",
        slug=slug,
        name=name,
        public_key_pem=public,
        webhook_secret=secrets.token_hex(20) if url else "",
        webhook_url=url,
        # How an address is reached from here is told once, by a control request.
        webhook_host=before.webhook_host if before is not None and before.webhook_url == url else "",
        owner_id=github.need_account(owner, kind).id,
        hook_id=github.store.next_id("hook"),
        created_at=github.now(),
        permissions={**manifest.default_permissions, "metadata": "read"},
        events=list(manifest.default_events),
    )
    github.store.settings.app = app
    github.store.save_settings()
    github.bot()
    if url:
        events.ping(github)
    code = secrets.token_hex(20)
    github.conversions[code] = Conversion(number, secrets.token_hex(20), pem, github.now() + _CODE_SECONDS)
    return code


def exchange(github: GitHub, code: str) -> tuple[App, Conversion] | None:
    """Return the App of a code and its secrets; None for a code that is wrong, used or too old."""
    conversion = github.conversions.pop(code, None)
    app = github.app
    if conversion is None or app is None or app.id != conversion.app_id:
        return None
    return None if conversion.expires_at <= github.now() else (app, conversion)


def described(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest as its page carries it on."""
    return {"manifest": json.dumps(manifest.model_dump(mode="json", exclude_defaults=True))}


def _keys() -> tuple[str, str]:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()

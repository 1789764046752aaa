"""The stand-in makes an App from a manifest as GitHub's documentation says, and lets it change its webhook.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from github_standin.manifests import Manifest, ManifestError, exchange, register
from tests.github_truth.report import judge
from tests.unit.github_kit import REPO, StandIn, open_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST: dict[str, Any] = {
    "name": "Wright's own",
    "url": "https://example.org/",
    "redirect_url": "http://127.0.0.1:4711/callback",
    "hook_attributes": {"url": "https://hooks.example.org/"},
    "default_permissions": {"issues": "write", "contents": "read"},
    "default_events": ["issues", "push"],
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[StandIn]:
    """Provide a stand-in that writes down what it answers."""
    yield from open_lab(tmp_path, exchanges=tmp_path / "exchanges")


def made(lab: StandIn, **changes: Any) -> str:
    """Register an App and return its code."""
    manifest = Manifest.read(json.dumps({**MANIFEST, **changes}))
    return register(lab.world, manifest, manifest.name, "acme", "Organization")


def test_a_code_is_exchanged_once_for_the_app_and_its_secrets(lab: StandIn, tmp_path: Path) -> None:
    """GitHub's description of the answer holds, a second exchange finds nothing, no secret is kept."""
    code = made(lab)
    reply = lab.ask("POST", f"/app-manifests/{code}/conversions", token=None)
    assert (reply.status, reply.body["slug"], reply.body["owner"]["login"]) == (201, "wright-s-own", "acme")
    assert reply.body["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert reply.body["permissions"] == {"issues": "write", "contents": "read", "metadata": "read"}
    assert reply.body["events"] == ["issues", "push"]
    assert lab.ask("POST", f"/app-manifests/{code}/conversions", token=None).status == 404
    lab.forget_deliveries()
    assert list(judge(tmp_path / "exchanges").violations) == []
    kept = "".join(it.read_text() for it in (tmp_path / "exchanges").iterdir())
    assert not [it for it in ("pem", "webhook_secret", "client_secret") if reply.body[it][:40] in kept]


def test_a_code_is_good_for_an_hour(lab: StandIn) -> None:
    """An hour after the App was made its code finds nothing."""
    code = made(lab)
    lab.time[0] += 3_601
    assert exchange(lab.world, code) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"url": ""}, "url: "),
        ({"redirect_url": None}, "redirect_url: "),
        ({"default_permissions": {"isues": "write"}}, "not included in the list: isues"),
        ({"default_permissions": {"issues": "own"}}, "default_permissions.issues: "),
        ({"default_events": ["pull_request"]}, "not supported by permissions: pull_request"),
        ({"webhook": "https://example.org"}, "webhook: "),
    ],
)
def test_a_manifest_that_is_wrong_makes_no_app(changes: dict[str, Any], problem: str) -> None:
    """What is wrong is named by its key."""
    with pytest.raises(ManifestError, match=problem):
        Manifest.read(json.dumps({**MANIFEST, **changes}))


@pytest.mark.parametrize("name", ["", "wright", "octo", "x" * 35])
def test_a_name_that_is_taken_or_too_long_makes_no_app(lab: StandIn, name: str) -> None:
    """Names are those of Apps and accounts together, and have 34 characters at most."""
    with pytest.raises(ManifestError, match="Name"):
        made(lab, name=name)
    assert lab.world.app is not None
    assert lab.world.app.slug == "wright"


def test_the_app_changes_its_webhook(lab: StandIn, tmp_path: Path) -> None:
    """The configuration that it reads shows stars for the secret, which signs what is sent afterwards."""
    app = lab.app_token()
    body = {"secret": "the next one", "url": "http://127.0.0.1:9/"}
    assert lab.ask("PATCH", "/app/hook/config", body, app).body["secret"] == "********"
    assert lab.get("/app/hook/config", app)["url"] == "http://127.0.0.1:9/"
    assert lab.world.app is not None
    assert lab.world.app.webhook_secret == "the next one"
    assert lab.ask("PATCH", "/app/hook/config", {"content_type": "xml"}, app).status == 422
    assert lab.ask("GET", "/app/hook/config").status == 403
    lab.forget_deliveries()
    assert list(judge(tmp_path / "exchanges").violations) == []


def test_the_app_lists_where_it_is_installed(lab: StandIn, tmp_path: Path) -> None:
    """Each installation has what its account granted, and what the App asks for may be more."""
    app = lab.app_token()
    [found] = lab.get("/app/installations", app)
    assert (found["account"]["login"], found["permissions"]["issues"]) == ("octo", "write")
    assert "actions" not in found["permissions"]
    assert lab.get("/app", app)["permissions"]["actions"] == "write"
    assert lab.get(f"{REPO}/installation", app)["id"] == found["id"]
    lab.forget_deliveries()
    assert list(judge(tmp_path / "exchanges").violations) == []

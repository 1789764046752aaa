"""Who may read the dashboard: browsers on this machine that were given the token, by GET."""

from __future__ import annotations

import re
import tomllib
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from pullwright_cli.dashboard.guard import HEADERS
from pullwright_cli.dashboard.rendering import FOLDER
from tests.unit.cli_kit import cloud
from tests.unit.dashboard_kit import PORT, TOKEN, Dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = (
    "/",
    "/costs?now=1",
    "/events?now=1",
    "/sessions/s1",
    "/sessions/s1/log?now=1",
    "/sessions/s1/files/a",
)
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Dashboard]:
    """Provide a dashboard with one session."""
    with cloud() as made:
        made.record("s1", sentence="a secret of the company")
        yield Dashboard(made)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "cookie", ["", f"pullwright-{PORT}=", f"pullwright-{PORT}={TOKEN}", "pullwright-1=x"]
)
def test_without_access_no_page_says_anything(page: str, cookie: str, dashboard: Dashboard) -> None:
    """The token itself is no cookie, either."""
    answer = dashboard.ask(page, headers={"cookie": cookie})
    assert answer.status == 401
    assert "secret" not in answer.text
    assert "Open the address that pullwright dashboard printed" in answer.words


def test_the_token_becomes_a_cookie_and_leaves_the_address(dashboard: Dashboard) -> None:
    """The cookie is for this server alone, and no script can read it."""
    answer = dashboard.ask(f"/?token={TOKEN}", headers={"cookie": ""})
    assert (answer.status, answer.header("location")) == (303, "/")
    cookie = answer.header("set-cookie") or ""
    assert TOKEN not in cookie
    assert cookie.startswith(f"pullwright-{PORT}=")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert dashboard.ask("/").status == 200


@pytest.mark.parametrize("token", ["", "let me", "let me in, please", "\N{SNOWMAN}"])
def test_another_token_gives_no_access(token: str, dashboard: Dashboard) -> None:
    """Nor does it tell what is there."""
    answer = dashboard.ask(f"/?token={token}", headers={"cookie": ""})
    assert (answer.status, answer.header("set-cookie")) == (403, None)


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "127.0.0.1", "127.0.0.1:80", f"127.0.0.1:{PORT}.attacker.example", "", [],
     [f"127.0.0.1:{PORT}", "attacker.example"]],
)  # fmt: skip
def test_other_names_of_this_machine_are_refused(host: str | list[str], dashboard: Dashboard) -> None:
    """A name that an attacker lets lead to 127.0.0.1 would otherwise make its pages ours."""
    for target in ("/", f"/?token={TOKEN}", "/static/style.css"):
        assert dashboard.ask(target, headers={"host": host}).status == 421
    assert dashboard.ask("/", headers={"host": f"localhost:{PORT}"}).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_nothing_can_be_changed(method: str, dashboard: Dashboard) -> None:
    """Only GET and HEAD are answered."""
    assert dashboard.ask("/", method).status == 405
    assert dashboard.ask("/", "HEAD").status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_others_get_nothing(site: str, dashboard: Dashboard) -> None:
    """Neither do those of other ports here, which get the cookie as they are of the same site."""
    asked = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
    for target in ("/", "/static/htmx.min.js"):
        assert dashboard.ask(target, headers=asked).status == 403
    assert dashboard.ask("/", headers={**asked, "sec-fetch-mode": "navigate"}).status == 200
    assert dashboard.ask("/", headers={**asked, "sec-fetch-site": "same-origin"}).status == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [("/", 200), ("/?token=x", 403), ("/nowhere", 404), ("/?status=x", 400), ("/static/style.css", 200),
     ("/static/../guard.py", 404), ("/static/nothing", 404), ("/sessions/nope", 404)],
)  # fmt: skip
def test_every_answer_has_the_strict_headers(target: str, status: int, dashboard: Dashboard) -> None:
    """No script but our files, no style but ours, no frame, nothing kept, no address passed on."""
    answer = dashboard.ask(target)
    assert answer.status == status
    for name, value in HEADERS.items():
        assert [(found, held) for found, held in answer.headers if found == name.lower()] == [
            (name.lower(), value)
        ]
    assert answer.header("cache-control") == "no-store"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_an_unexpected_failure_is_a_page_too(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows neither the error's text nor a traceback, and has the same headers."""
    monkeypatch.setattr(dashboard, "output", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError, match="division"):
        dashboard.ask("/")
    assert (dashboard.last.status, dashboard.last.header("x-frame-options")) == (500, "DENY")
    assert "A defect of this page: ZeroDivisionError." in dashboard.last.words
    assert "division" not in dashboard.last.text


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_need_no_exception_from_the_policy(template: Path) -> None:
    """No script or style within a page; every value of an attribute is quoted, and none is called safe."""
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|<script(?! src=\"/static/)|\son\w+=|javascript:|\|\s*safe", text)
    assert not re.search(r"\s[\w-]+=\{\{|='[^']*\{\{", text)
    links = re.findall(r"(?:href|src|action|hx-get)=\"([^\"]*)\"", text)
    own = re.compile(r"[/?#]|\{\{ (base|address|text)\b|\{\{ \S+\|link \}\}$")
    assert [link for link in links if not own.match(link)] == []


def test_what_others_wrote_is_as_they_published_it() -> None:
    """Each vendored file has its checksum, its version and its licence."""
    [file] = tomllib.loads((FOLDER / "vendored.toml").read_text())["file"]
    content = (FOLDER / file["path"]).read_bytes()
    assert sha256(content).hexdigest() == file["sha256"]
    assert f'version:"{file["version"]}"'.encode() in content
    assert "Zero-Clause BSD" in (FOLDER / file["licence"]).read_text()

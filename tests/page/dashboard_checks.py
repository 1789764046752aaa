"""The dashboard in Chromium: with keyboard and screen reader, on a desk and a phone, and under attack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.page.browser import DESKTOP, PHONE, problems
from tests.page.populated import DONE, FAILED, LIVE, PopulatedStack, serving
from tests.unit.dashboard_kit import TOKEN
from tests.unit.test_dashboard_hostile import HOSTILE, fill
from tests.unit.test_dashboard_hostile import SESSION as HOSTILE_SESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGES = {
    "sessions": "/",
    "failed": f"/sessions/{FAILED}",
    "live": f"/sessions/{LIVE}",
    "transcript": f"/sessions/{DONE}/files/transcript.jsonl",
    "diff": f"/sessions/{DONE}/files/diff.patch",
    "log": f"/sessions/{DONE}/log?now=1",
    "costs": "/costs?now=1",
    "webhooks": "/events?now=1",
    "nothing": "/?repo=acme/nothing",
    "missing": "/sessions/nope",
}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[PopulatedStack, str]]:
    """Provide two hundred sessions."""
    with serving() as found:
        yield found


@pytest.fixture
def visit(served: tuple[PopulatedStack, str], chromium: Any) -> Iterator[Callable[..., Any]]:
    """Provide what opens a page in a browser of its own that has access."""
    contexts = []

    def open_page(path: str, viewport: dict[str, int] = DESKTOP, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport=viewport, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{served[1]}/?token={TOKEN}")
        page.goto(served[1] + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    name: str, viewport: Any, scheme: str, visit: Callable[..., Any], picture: Any
) -> None:
    """Names, roles, headings, contrast, order; and nothing is wider than the screen."""
    page = visit(PAGES[name], viewport, scheme)
    picture(page, f"{name}-{viewport['width']}-{scheme}")
    assert problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_every_link_can_be_reached_by_keyboard(visit: Callable[..., Any]) -> None:
    """The first one skips to the content; what has the focus shows it."""
    page = visit("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(6):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.sessions a')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/**")


def test_a_live_page_renews_itself_and_keeps_the_focus(
    visit: Callable[..., Any], served: tuple[PopulatedStack, str]
) -> None:
    """A change comes by itself, and is told to a screen reader; whoever is at a link stays there."""
    page = visit("/")
    page.focus(f"[id='s-{LIVE}']")
    served[0].cloud.record(LIVE, status="RUNNING", cost_usd=77.7, repository="acme/checkout")
    page.wait_for_selector("text=$77.70", timeout=30_000)
    assert page.evaluate("document.activeElement.id") == f"s-{LIVE}"
    before = page.text_content("#said")
    served[0].cloud.record(LIVE, status="FAILED", repository="acme/checkout")
    page.wait_for_function("before => document.getElementById('said').textContent !== before", arg=before)
    assert "failed" in page.text_content("#said")


def test_slow_pages_fill_in(visit: Callable[..., Any]) -> None:
    """The frame comes first, costs and logs a moment later."""
    page = visit("/costs")
    page.wait_for_selector("svg.columns")
    assert "Spent" in page.text_content("main")


def test_a_dashboard_that_has_ended_is_said(visit: Callable[..., Any]) -> None:
    """What is shown is then old."""
    page = visit("/")
    page.route("**/*", lambda route: route.abort())
    page.wait_for_selector("#lost:not([hidden])", timeout=30_000)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_others_wrote_runs(
    text: str, visit: Callable[..., Any], served: tuple[PopulatedStack, str]
) -> None:
    """No dialog, no request elsewhere, and nothing that the policy had to stop."""
    fill(served[0], text)
    page = visit("/static/icon.svg")
    seen: list[str] = []
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    page.on(
        "request", lambda request: None if request.url.startswith(served[1]) else seen.append(request.url)
    )
    page.on(
        "console",
        lambda message: seen.append(message.text) if "Content Security Policy" in message.text else None,
    )
    for path in ("/", f"/sessions/{HOSTILE_SESSION}", f"/sessions/{HOSTILE_SESSION}/files/transcript.jsonl",
                 f"/sessions/{HOSTILE_SESSION}/files/diff.patch", "/events?now=1"):  # fmt: skip
        page.goto(served[1] + path)
        page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    assert seen == []


def test_the_policy_stops_what_would_get_through(visit: Callable[..., Any]) -> None:
    """An inline script, a handler and a style, put into the page as a hole in it would do."""
    page = visit("/")
    page.evaluate(
        """() => { document.querySelector('main').insertAdjacentHTML('beforeend',
        '<img src=x onerror="window.ran = 1"><b id=probe style="color: red">x</b>');
        const script = document.createElement('script'); script.textContent = 'window.ran = 1';
        document.body.append(script); }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert page.evaluate("getComputedStyle(document.getElementById('probe')).color") != "rgb(255, 0, 0)"


def test_another_sites_page_gets_nothing(
    served: tuple[PopulatedStack, str], visit: Callable[..., Any]
) -> None:
    """Not by fetch, not by a frame, not by a script; its browser has the cookie."""
    page = visit("/")
    page.route(
        "http://attacker.example/",
        lambda route: route.fulfill(body="<!doctype html><title>x</title>", content_type="text/html"),
    )
    page.goto("http://attacker.example/")
    text = page.evaluate(
        "address => fetch(address, {credentials: 'include'}).then(r => r.text(), e => 'refused')", served[1]
    )
    assert text == "refused"
    page.evaluate(
        """address => { const frame = document.createElement('iframe');
        frame.src = address; document.body.append(frame); }""",
        served[1],
    )
    page.wait_for_timeout(500)
    assert [frame.url for frame in page.frames[1:]] in ([], ["chrome-error://chromewebdata/"])

"""Debian's Chromium, headless, for the checks; a plugin of pytest."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from local.layout import TOOLS
from tests.page.__main__ import BROWSER

if TYPE_CHECKING:
    from collections.abc import Iterator

AXE = TOOLS / "node" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let pictures be kept."""
    parser.addoption("--pictures", type=Path, help="folder for pictures of the pages")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Provide the browser; without its sandbox, which root cannot have."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which(BROWSER), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def picture(pytestconfig: pytest.Config) -> Any:
    """Provide what takes a picture of a page, where pictures are wanted."""
    folder: Path | None = pytestconfig.getoption("--pictures")

    def take(page: Any, name: str) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}.png", full_page=False)

    return take


def problems(page: Any) -> list[str]:
    """Return what axe-core finds of WCAG 2.2 AA and of good practice: https://github.com/dequelabs/axe-core.

    The script is evaluated by the browser's own protocol, to which the page's policy does not apply.
    """
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]

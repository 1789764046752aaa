"""Screenshots of a preview by a real Chromium, of an application that wants more from it than pictures."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import chromium
from local.supervise import free_port
from pullwright.previewing.png import problem_of
from pullwright.previewing.screenshots import Screenshot, picture_key
from runner import exit_codes
from runner.preview.browser import HEIGHT, LONGEST, PROGRAMS, WIDTH, find_browser
from runner.preview.screenshots import NO_BROWSER
from tests.container.harness import Harness, Ran, finish
from tests.container.screenshots import MemoryScreenshots

if TYPE_CHECKING:
    from collections.abc import Iterator

PREVIEW = "preview-8-test"
_SECONDS = 150
_PATHS = (
    *("/", "/endless", "/missing", "/dialog", "/reach"),
    *("/around", "/environ", "/away", "/download", "/heavy"),
)
_PICTURES = {"/", "/endless", "/missing", "/dialog", "/reach"}

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root"),
    pytest.mark.skipif(
        not chromium.is_for_this_machine() and find_browser() is None,
        reason="npm has no Chromium for this machine",
    ),
]


@pytest.fixture(scope="module")
def taken() -> Iterator[tuple[Harness, Ran, dict[str, Screenshot]]]:
    """Provide a preview whose application attacks the browser, after its screenshots were taken."""
    with Harness.open(afresh=True) as harness:
        (harness.folder / "bin").mkdir()
        chromium.place(harness.folder / "bin")
        notes = harness.folder / "notes"
        notes.mkdir()
        notes.chmod(0o1777)
        (notes / "browser_uid").write_text(str(harness.agent_uid + 2))
        (notes / "targets").write_text(json.dumps(_targets(harness)))
        shutil.copy(Path(__file__).parent / "escape/pages.py", notes)
        yield harness, *_run(harness, f"exec python3 {notes}/pages.py {notes}", _PATHS)


def _targets(harness: Harness) -> dict[str, str]:
    """Return what a page may want to reach; by name."""
    return {
        "credentials": f"{harness.url}{harness.credentials_path}",
        "broker": f"{harness.url}/broker",
        "metadata": f"{harness.url}/metadata",
        "fargate": "http://169.254.170.2/v2/metadata",
        "instance": "http://169.254.169.254/latest/meta-data/",
        "environ": "file:///proc/1/environ",
        "passwords": "file:///etc/passwd",
        "settings": "chrome://version/",
    }


def _run(
    harness: Harness, start: str, paths: tuple[str, ...], **variables: str
) -> tuple[Ran, dict[str, Screenshot]]:
    """Run a preview until its list of screenshots is there, and stop it as ECS stops a task."""
    harness.plan = {
        "preview_id": PREVIEW,
        "repository": "acme/shop",
        "commit": harness.git("rev-parse", "main"),
        "build": "",
        "start": start,
        "port": free_port(),
        "start_seconds": 60,
        "host": "uat-topic.preview.localhost",
        "health": "/",
        "screenshots": paths,
    }
    kept = MemoryScreenshots(harness.objects)
    named = {"PREVIEW_ID": PREVIEW, "GITHUB_API_URL": f"{harness.url}/git/api/v3"}
    process = harness.start(movable=False, module="runner.preview", **named, **variables)
    deadline = time.monotonic() + _SECONDS
    while process.poll() is None and kept.read(PREVIEW) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    process.terminate()
    ran = finish(process)
    pages = kept.read(PREVIEW)
    assert pages is not None, ran.output
    return ran, {page.path: page for page in pages}


def _size(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def test_pages_are_pictures(taken: tuple[Harness, Ran, dict[str, Screenshot]]) -> None:
    """A page has its whole length up to a bound; one that the application does not have is a picture too."""
    harness, ran, pages = taken
    assert [page.path for page in pages.values()] == list(_PATHS)
    assert {path for path, page in pages.items() if not page.problem} == _PICTURES, ran.output
    sizes = {}
    for number, path in enumerate(_PATHS, 1):
        if path in _PICTURES:
            png = harness.objects[picture_key(PREVIEW, number)]
            assert problem_of(png) == ""
            sizes[path] = _size(png)
    assert sizes["/"] == (WIDTH, 2_000)
    assert sizes["/endless"] == (WIDTH, LONGEST)
    assert sizes["/missing"] == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/around", "TOO_MANY_REDIRECTS"),
        ("/environ", "UNSAFE_REDIRECT"),
        ("/away", "address other than the preview's own"),
        ("/download", "did not load"),
        ("/heavy", "memory"),
    ],
)
def test_a_page_without_a_picture_has_a_reason(
    taken: tuple[Harness, Ran, dict[str, Screenshot]], path: str, said: str
) -> None:
    """It ends no other page's picture, and not the preview."""
    _, ran, pages = taken
    assert said in pages[path].problem
    assert ran.code == exit_codes.DONE, ran.output


def test_the_browser_reaches_nothing_but_the_application(
    taken: tuple[Harness, Ran, dict[str, Screenshot]],
) -> None:
    """Neither the task's endpoints nor files nor its own pages, whatever scripts and frames try."""
    harness, ran, _ = taken
    reached = (harness.folder / "notes/reached").read_text().splitlines()
    assert reached == ["[]"], ran.output
    assert harness.credentials_path.encode() not in b"".join(harness.objects.values())


def test_the_application_neither_reads_nor_steers_the_browser(
    taken: tuple[Harness, Ran, dict[str, Screenshot]],
) -> None:
    """It sees that there are processes, as everybody does, and opens and ends none; nothing is left."""
    harness, _, _ = taken
    attacked = json.loads((harness.folder / "notes/attacked").read_text())
    assert attacked["seen"] > 0
    assert attacked["won"] == []
    assert not (harness.folder / "work1/browser").exists()


def test_without_a_browser_the_list_says_so() -> None:
    """Each page has the same reason, and the branch is served all the same."""
    with Harness.open(afresh=True) as harness:
        programs = harness.folder / "programs"
        programs.mkdir()
        for folder in ("/usr/local/bin", "/usr/bin", "/bin"):
            for program in Path(folder).iterdir():
                if program.name not in PROGRAMS and not (programs / program.name).is_symlink():
                    (programs / program.name).symlink_to(program)
        start = "exec python3 -m http.server $PORT --bind $HOST"
        ran, pages = _run(harness, start, ("/", "/login"), PATH=str(programs))
    assert {page.problem for page in pages.values()} == {NO_BROWSER}
    assert ran.code == exit_codes.DONE

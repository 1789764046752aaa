"""One preview in its image: a page of Node's, from a branch on a GitHub on the host's loopback."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import urllib3

from local.supervise import free_port
from tests.container.cli import AGENT_UID
from tests.container.endpoints import PASSWORD, SECRET_KEY, TOKEN
from tests.container.harness import Harness, finish
from tests.container.screenshots import MemoryScreenshots
from tests.image.engine import ImageError
from tests.image.session import dropped_capabilities

if TYPE_CHECKING:
    import subprocess

    from pullwright.previewing.screenshots import Screenshot
    from tests.image.engine import Engine

_PACKAGE = {
    "name": "shop",
    "private": True,
    "scripts": {"build": "python3 build.py", "start": "node server.js"},
}
_BUILD = "import pathlib\npathlib.Path('built.txt').write_text('with Python')\n"
_SERVER = """\
const fs = require("fs");
let environ = "";
try { environ = fs.readFileSync("/proc/1/environ", "utf8"); } catch (error) { environ = error.code; }
const built = fs.readFileSync("built.txt", "utf8");
const page = { uid: process.getuid(), built, environ, variables: process.env };
require("http").createServer((_, response) => response.end(JSON.stringify(page)))
  .listen(process.env.PORT, process.env.HOST);
"""
_FILES = {"package.json": json.dumps(_PACKAGE), "build.py": _BUILD, "server.js": _SERVER}
_LONGEST = 120


def run(engine: Engine, image: str) -> float:
    """Serve one page.

    Returns:
        Seconds from the container's start to the page.

    Raises:
        ImageError: it was not served, said too much, or did not end well.
    """
    with engine.files(image) as root:
        _expect(not list(root.glob("usr/local/bin/claude*")), "the CLI is in the image of previews")
    with Harness.open() as harness:
        port = free_port()
        harness.plan = {
            "preview_id": "preview-8-test",
            "repository": "acme/shop",
            "commit": _push(harness),
            "build": "npm run build",
            "start": "npm start",
            "port": port,
            "start_seconds": _LONGEST,
            "host": "uat-topic.preview.localhost",
            "screenshots": ["/"],
        }
        variables = {
            **harness.variables,
            "GITHUB_API_URL": f"{harness.url}/git/api/v3",
            "PREVIEW_ID": "preview-8-test",
        }
        began = time.monotonic()
        name = f"pullwright-{harness.folder.name}"
        process = engine.start(image, name, variables, dropped_capabilities())
        page = _page(port, process)
        seconds = time.monotonic() - began
        pictures = _pictures(harness)
        # As ECS stops a task.
        engine.run("podman", "kill", "--signal=TERM", name)
        ran = finish(process)
    _expect(page["uid"] == AGENT_UID, f"the application was user {page['uid']}")
    _expect(page["built"] == "with Python", f"the build left {page['built']!r}")
    _expect(page["environ"] == "EACCES", "the application could read the task's environment")
    _expect(page["variables"].get("DATABASE_PASSWORD") == PASSWORD, "the application lacks its variables")
    for secret in (TOKEN, SECRET_KEY, "BROKER_URL", harness.credentials_path):
        _expect(secret not in json.dumps(page), f"the application has {secret}")
    _expect(ran.code == 0, f"the preview ended with {ran.code}:\n{ran.output}")
    _expect([page.problem for page in pictures] == [""], f"there is no picture: {pictures}\n{ran.output}")
    return seconds


def _pictures(harness: Harness) -> tuple[Screenshot, ...]:
    """Return what came of the screenshots, once the browser in the image has taken them."""
    kept, deadline = MemoryScreenshots(harness.objects), time.monotonic() + _LONGEST
    while (pages := kept.read("preview-8-test")) is None and time.monotonic() < deadline:
        time.sleep(0.2)
    return pages or ()


def _push(harness: Harness) -> str:
    seed = harness.folder / "seed"
    for path, text in _FILES.items():
        (seed / path).write_text(text)
    harness.git("add", "-A", cwd=seed)
    harness.git("commit", "-q", "-m", "A page", cwd=seed)
    harness.git("push", "-q", "origin", "HEAD:uat", cwd=seed)
    return harness.git("rev-parse", "uat")


def _page(port: int, process: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + _LONGEST
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(urllib3.exceptions.HTTPError):
            page: dict[str, Any] = urllib3.request("GET", f"http://127.0.0.1:{port}/", retries=False).json()
            return page
        time.sleep(0.1)
    process.terminate()
    raise ImageError(f"no page was served:\n{finish(process).output}")


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - like assert, which -O takes out
    if not holds:
        raise ImageError(otherwise)

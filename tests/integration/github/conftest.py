"""One stand-in with a receiver of its webhooks."""

from __future__ import annotations

import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

from tests.integration.github.kit import APP_ID, KEY, MAINTAINER, SECRET, Hook, StandIn


@pytest.fixture(scope="package")
def hook() -> Iterator[Hook]:
    """Provide a receiver of webhooks."""
    got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.put((dict(self.headers.items()), body))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b"taken")

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Hook(server, got)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="package")
def stand_in(tmp_path_factory: pytest.TempPathFactory, hook: Hook) -> Iterator[StandIn]:
    """Provide a stand-in with one person and a registered App."""
    started = StandIn.start(tmp_path_factory.mktemp("github") / "data")
    try:
        started.control("POST", "/users", {"login": "maintainer", "token": MAINTAINER})
        public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        started.control(
            "PUT",
            "/app",
            {
                "app_id": APP_ID,
                "slug": "pullwright-test",
                "public_key_pem": public,
                "webhook_secret": SECRET,
                "webhook_url": hook.url,
                "webhook_host": "functions.example.test:4566",
            },
        )
        hook.next("ping")
        yield started
    finally:
        started.stop()
    assert "Traceback" not in (started.data.parent / "stderr").read_text()

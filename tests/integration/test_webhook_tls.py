"""The webhook's connections to AWS over real TLS: whom they trust."""

from __future__ import annotations

import ssl
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from pullwright.http_connection import Answer, connect
from tests.container.egress.registry import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer with what was sent."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide an authority, and a certificate of its for `localhost`."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates(folder, ["localhost"])
    return folder


@pytest.fixture(scope="module")
def port(certificate: Path) -> Iterator[int]:
    """Provide a service that speaks TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_is_called_with_its_certificate(
    port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is named by a trusted authority is called, twice on one connection."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate / "authority.pem"))
    with closing(connect("localhost", port, tls=True, seconds=10)) as connection:
        for body in (b"first", b"second" * 20_000):
            assert connection.post("/", {"host": "localhost"}, body, 10) == Answer(200, body, reusable=True)


def test_another_name_is_refused(port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate for another host is none."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate / "authority.pem"))
    with pytest.raises(ssl.SSLCertVerificationError):
        connect("127.0.0.1", port, tls=True, seconds=10)


def test_an_unknown_authority_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system does not trust is not trusted."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect("localhost", port, tls=True, seconds=10)

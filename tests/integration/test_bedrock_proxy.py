"""The way from a local task to the real Bedrock, against a server that stands for Bedrock."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from local.bedrock_proxy import Signer, serve
from pullwright_engine.identity import signature_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "nobody-guesses-this"
KEY = "AKIA0000000000000001"
SEEN: list[tuple[str, dict[str, str], bytes]] = []


class Bedrock(BaseHTTPRequestHandler):
    """Answers in two pieces and remembers what came."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        SEEN.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.amazon.eventstream")
        self.send_header("X-Amzn-Bedrock-Input-Token-Count", "7")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (b"one", b"two"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def proxy() -> Iterator[str]:
    """Provide the proxy's address, in front of the server above."""
    SEEN.clear()
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)
    session = boto3.Session(aws_access_key_id=KEY, aws_secret_access_key="made up", region_name="eu-west-1")
    server = serve(0, TOKEN, Signer(session, f"http://127.0.0.1:{upstream.server_port}"))
    servers = (upstream, server)
    for one in servers:
        one.daemon_threads = True
        threading.Thread(target=one.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    for one in servers:
        one.shutdown()
        one.server_close()


def _post(url: str) -> tuple[int, bytes]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        url, b'{"a": 1}', {"Content-Type": "application/json", "Authorization": "of the task"}
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_call_is_signed_anew_and_streamed_through(proxy: str) -> None:
    """Path and body arrive as they were, the signature is the developer's."""
    path = "/model/eu.anthropic.claude-x%3A0/invoke-with-response-stream"
    assert _post(f"{proxy}/{TOKEN}{path}") == (200, b"onetwo")
    [(seen, headers, body)] = SEEN
    assert seen == path
    assert body == b'{"a": 1}'
    signature = signature_of(headers["authorization"])
    assert signature is not None
    assert (signature.key, signature.region, signature.service) == (KEY, "eu-west-1", "bedrock")


def test_nobody_without_the_path_gets_through(proxy: str) -> None:
    """The agent runs on the same machine and knows the port at most."""
    assert _post(f"{proxy}/model/x/invoke")[0] == 404
    assert _post(f"{proxy}/{TOKEN}x/model/x/invoke")[0] == 404
    assert SEEN == []

"""A web server for a task: it answers with what it was asked, and misbehaves on request.

Usage: server.py PORT NAME. It listens on the task's own address, which the metadata endpoint tells.
"""

import base64
import hashlib
import json
import os
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(BaseHTTPRequestHandler):
    """Answers any request."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        path, body = self.path.partition("?")[0], self._body()
        if path == "/health":
            # A file decides, so that a test can make a healthy server ill.
            self._send(503 if Path("ill").exists() else 200, b"{}")
        elif path == "/make-ill":
            Path("ill").touch()
            self._send(200, b"{}")
        elif path == "/slow":
            time.sleep(3)
            self._send(200, b"{}")
        elif path == "/hang-up":
            self.close_connection = True
        elif path == "/no-http":
            self.wfile.write(b"220 mail.example.com ESMTP\r\n\r\n")
            self.close_connection = True
        elif path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"5\r\nfirst\r\n", b"6\r\nsecond\r\n", b"0\r\n\r\n"):
                self.wfile.write(part)
                time.sleep(0.05)
        elif self.headers.get("Upgrade", "").lower() == "websocket":
            self._echo_messages()
        else:
            told = {
                "name": sys.argv[2],
                "path": self.path,
                "headers": dict(self.headers),
                "body": body.decode(),
            }
            self._send(200, json.dumps(told).encode())

    do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the library looks for these names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _echo_messages(self) -> None:
        """Send short messages back, unmasked: https://www.rfc-editor.org/rfc/rfc6455#section-5.2."""
        key = self.headers["Sec-WebSocket-Key"] + WEBSOCKET
        digest = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        self.send_response(101)
        for name, value in (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", digest),
        ):
            self.send_header(name, value)
        self.end_headers()
        while len(head := self.rfile.read(2)) == len(b"12"):
            mask, masked = self.rfile.read(4), self.rfile.read(head[1] & 0x7F)
            text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))
            self.wfile.write(bytes([head[0], len(text)]) + text)
            if head[0] & 0x0F == 0x8:
                break
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


def main() -> None:
    """Serve until the task is stopped."""
    with urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"]) as answer:  # noqa: S310 - loopback
        address = json.load(answer)["Networks"][0]["IPv4Addresses"][0]
    ThreadingHTTPServer((address, int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()

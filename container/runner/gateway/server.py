"""The gateway's own HTTP side: loopback only, one thread for each connection of the CLI."""

import hmac
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from runner.gateway.call import MAX_BODY
from runner.gateway.provider import Provider
from runner.gateway.refusal import FINAL, Refusal, malformed
from runner.gateway.relay import Client, Relay


class Server(ThreadingMixIn, TCPServer):  # HTTPServer would look its own name up in the DNS
    """Listens on a free port of 127.0.0.1.

    Args:
        provider: whose requests are understood.
        relay: where they go.
        token: the first part of every path; a request without it goes no further.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 16
    # The CLI needs a few; each takes a thread and an open file of the runner, who must not run out of either.
    max_connections = 32

    def __init__(self, provider: Provider, relay: Relay, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider
        self.relay = relay
        self._prefix = f"/{token}/".encode()
        self._places = threading.BoundedSemaphore(self.max_connections)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or close it at once when there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    @property
    def port(self) -> int:
        """The port that was free."""
        return int(self.socket.getsockname()[1])

    def below_token(self, target: str) -> str:
        """Return what follows the token in a request's target.

        Raises:
            Refusal: it does not begin with the token.
        """
        start = target.encode(errors="replace")[: len(self._prefix)]
        if not hmac.compare_digest(start, self._prefix):
            raise Refusal(401, "authentication_error", "This address needs the session's token.")
        return target[len(self._prefix) - 1 :]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when the client breaks its connection."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "runner"
    sys_version = ""
    timeout = 600  # seconds for which a client may neither ask nor read

    def _answer(self) -> None:
        try:
            body = self._body()
            target = self.server.below_token(self.path)
            call = self.server.provider.read(self.command, target, body)
            # Header names are case-insensitive; the provider asks for them in lower case.
            headers = {name.lower(): value for name, value in self.headers.items()}
            if self.server.relay.forward(call, headers, Client(self._start, self._send, self._gone)):
                self._send(b"")
            else:
                # Without the last chunk the client knows that the answer is not whole.
                self.close_connection = True
        except Refusal as refusal:
            self._refuse(refusal)

    # The base class looks for these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - as above

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            raise malformed("The request needs a content-length.")
        if int(length) > MAX_BODY:
            self.close_connection = True
            raise Refusal(413, "request_too_large", f"The request is longer than {MAX_BODY} bytes.")
        return self.rfile.read(int(length))

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _send(self, piece: bytes) -> None:
        # An empty chunk is the end.
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.flush()

    def _gone(self) -> bool:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        if not poll.poll(0):
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _refuse(self, refusal: Refusal) -> None:
        body, headers = self.server.provider.error(refusal)
        self.send_response(refusal.status)
        for name, value in {**headers, **FINAL, "content-type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Write nothing: requests hold the repository's text."""

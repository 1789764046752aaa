"""The gateway's own HTTP side: loopback only, one thread for each connection of the CLI."""

import hmac
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from runner.gateway.body_memory import BodyMemory, Reservation
from runner.gateway.call import Call, Route
from runner.gateway.connections import Connections, HeadReader, HeadTooLongError
from runner.gateway.json_body import MAX_BODY
from runner.gateway.provider import Provider
from runner.gateway.refusal import FINAL, Refusal, malformed
from runner.gateway.relay import Client, Relay

# All bodies together; besides, one at a time is decoded, see `json_body`.
_ALL_BODIES = 16 * 1024 * 1024
_LONGEST_NUMBER = 12
_LINGER = 2.0


class Server(ThreadingMixIn, TCPServer):  # HTTPServer would look its own name up in the DNS
    """Listens on a free port of 127.0.0.1.

    Args:
        token: the first part of every path; a request without it goes no further.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, provider: Provider, relay: Relay, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider
        self.relay = relay
        self.connections = Connections()
        self.memory = BodyMemory(_ALL_BODIES)
        self.decoding = threading.Lock()
        self._prefix = f"/{token}/".encode()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or close it at once when there are too many."""
        if not self.connections.admit(request):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.forget(request)

    def service_actions(self) -> None:
        """Look after connections that say nothing; called several times a second."""
        self.connections.end_late()

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
    # Head, pieces and end of an answer are writes of their own: each would wait 40 ms for the one before it.
    disable_nagle_algorithm = True
    timeout = 600  # seconds for which a client may not read

    def setup(self) -> None:
        """Limit what may come before the body."""
        super().setup()
        self.head = HeadReader(self.rfile)
        self.rfile = self.head  # type: ignore[assignment] # the base class uses no more of it

    def handle_one_request(self) -> None:
        """Read a request and answer it."""
        self.server.connections.reads_head(self.connection)
        self.head.next_head()
        try:
            super().handle_one_request()
        except HeadTooLongError:
            self.send_error(431)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request whose head the base class does not understand."""
        del message, explain  # they repeat what the client sent
        self.command = self.requestline = ""
        self.request_version, self.close_connection = self.protocol_version, True
        self._refuse(Refusal(code, "invalid_request_error", f"The request is not understood: {code}."))
        self._linger()

    def _answer(self) -> None:
        try:
            # Everything that the head tells is looked at before the body takes any room.
            route = self.server.provider.route(self.command, self.server.below_token(self.path))
            length = self._length()
            self.server.connections.reads_body(self.connection)
            reservation = self.server.memory.reserve(length)
        except Refusal as refusal:
            self.close_connection = True
            self._refuse(refusal)
            self._linger()
            return
        try:
            self._forward(self._call(route, length), reservation)
        except Refusal as refusal:
            self._refuse(refusal)
        finally:
            reservation.release()

    # The base class looks for these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - as above

    def _call(self, route: Route, length: int) -> Call:
        raw = self.rfile.read(length)
        self.server.connections.answers(self.connection)
        if len(raw) < length:
            self.close_connection = True
            raise malformed("The request's body is shorter than its content-length.")
        # Header names are case-insensitive; the provider asks for them in lower case.
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            earlier = headers.get(name.lower())
            headers[name.lower()] = value if earlier is None else f"{earlier},{value}"
        with self.server.decoding:
            return self.server.provider.read(route, headers, raw)

    def _forward(self, call: Call, reservation: Reservation) -> None:
        def start(status: int, headers: dict[str, str]) -> None:
            # No attempt comes after this one, so the body has done its work.
            call.forget_body()
            reservation.release()
            self._start(status, headers)

        if self.server.relay.forward(call, Client(start, self._send, self._gone)):
            self._send(b"")
        else:
            # Without the last chunk the client knows that the answer is not whole.
            self.close_connection = True

    def _length(self) -> int:
        if "transfer-encoding" in self.headers or len(self.headers.get_all("content-length", [])) > 1:
            raise malformed("The request needs one content-length and no transfer-encoding.")
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "invalid_request_error", "The request's body must not be compressed.")
        value = self.headers.get("content-length", "0")
        if not (value.isascii() and value.isdigit()):
            raise malformed("The request's content-length is not a number.")
        if len(value) > _LONGEST_NUMBER or int(value) > MAX_BODY:
            raise Refusal(413, "request_too_large", f"The request is longer than {MAX_BODY} bytes.")
        return int(value)

    def _linger(self) -> None:
        """Read on for a moment: a client that still sends would lose the answer with the connection."""
        end = time.monotonic() + _LINGER
        unread = bytearray(64 * 1024)
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                self.connection.settimeout(left)
                if not self.connection.recv_into(unread):
                    return
        except OSError:  # it has gone, or is still sending
            return

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

"""Takes the code from the browser, on this machine alone: one right answer, then it is gone."""

from __future__ import annotations

import hmac
import queue
import secrets
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SILENT_SECONDS = 5
_HTML = "<!doctype html><html lang=en><meta charset=utf-8><title>Pullwright</title><p>{}</p></html>"
_DONE = _HTML.format("GitHub made the App. Go back to the terminal.")
_REFUSED = _HTML.format("This is no answer to the running command.")


def _listen(handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    return server


class Receiver:
    """Serves the page that goes to GitHub, and takes the browser when it comes back.

    The page's path is a secret, because the page holds the state: whoever has that could answer for GitHub.

    Args:
        state: what GitHub has to send back.
        listen: makes the server, on any free port.
    """

    def __init__(
        self,
        state: str,
        listen: Callable[[type[BaseHTTPRequestHandler]], ThreadingHTTPServer] = _listen,
    ) -> None:
        self._state = state
        self._path = f"/{secrets.token_urlsafe(24)}"
        self._codes: queue.Queue[str] = queue.Queue(maxsize=1)
        self.page = ""
        self._server = listen(self._handler())

    @property
    def _root(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def start_url(self) -> str:
        """Where the browser begins."""
        return f"http://{self._root}{self._path}"

    @property
    def redirect_url(self) -> str:
        """Where GitHub sends the browser."""
        return f"http://{self._root}/callback"

    @contextmanager
    def serving(self, page: str) -> Iterator[None]:
        """Serve the page, and take answers, inside the block."""
        self.page = page
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def wait(self, seconds: float) -> str | None:
        """Return the code; None if it does not come in time."""
        try:
            return self._codes.get(timeout=seconds)
        except queue.Empty:
            return None

    def respond(self, target: str, host: str) -> tuple[int, str]:
        """Return status and page for a request.

        Args:
            target: the request line's path with its query, such as `/?code=x`.
            host: the header; another name that leads here is a web site's attempt to read this page.
        """
        if host != self._root:
            return 403, _REFUSED
        # Not urlsplit, for which //[ begins a host: the line of a request has a path alone.
        path, _, parameters = target.partition("?")
        if hmac.compare_digest(path.encode(), self._path.encode()):
            return 200, self.page
        if path != "/callback":
            return 404, _REFUSED
        query = parse_qs(parameters)
        code, state = query.get("code", [""])[-1], query.get("state", [""])[-1]
        if not code or not hmac.compare_digest(state.encode(), self._state.encode()):
            return 403, _REFUSED
        try:
            self._codes.put_nowait(code)
        except queue.Full:
            return 403, _REFUSED
        # Used up: nothing else is an answer from now on.
        self._state = secrets.token_urlsafe()
        return 200, _DONE

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _SILENT_SECONDS
            server_version = "pullwright"
            sys_version = ""

            def do_GET(self) -> None:
                status, page = receiver.respond(self.path, self.headers.get("Host", ""))
                content = page.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Write nothing: the line would hold the code."""

        return Handler

"""What a task sees of ECS: the metadata endpoint (version 4) and the credentials endpoint.

Both are described in https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
and https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

import json
import threading
import uuid
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Document = dict[str, Any]


class TaskEndpoint:
    """A loopback HTTP server with one unguessable path per task or container."""

    def __init__(self) -> None:
        self._paths: dict[str, Callable[[], Document]] = {}
        paths = self._paths

        class Handler(BaseHTTPRequestHandler):
            """Answers GET with JSON."""

            protocol_version = "HTTP/1.1"
            # Head and body are two writes: the second would wait 40 ms for the first to be confirmed.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                answer = paths.get(self.path.partition("?")[0])
                body = json.dumps(answer() if answer else {"message": "not found"}, default=str).encode()
                self.send_response(200 if answer else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing: the paths are secrets."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="ecs-endpoint", daemon=True).start()

    @property
    def root(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def publish_credentials(self, read: Callable[[], Document]) -> str:
        """Serve credentials.

        Args:
            read: makes the answer, so that expired credentials are renewed.

        Returns:
            The path.
        """
        path = f"/v2/credentials/{uuid.uuid4()}"
        self._paths[path] = read
        return path

    def publish_metadata(self, container: Callable[[], Document], task: Callable[[], Document]) -> str:
        """Serve a container's and its task's metadata.

        Returns:
            The path of the container's; the task's is below it.
        """
        path = f"/v4/{uuid.uuid4().hex}-{uuid.uuid4().int % 10**10}"
        self._paths[path] = container
        self._paths[f"{path}/task"] = task
        return path

    def withdraw(self, path: str) -> None:
        """Stop serving a path and what is below it."""
        for published in [
            published for published in self._paths if published == path or published.startswith(f"{path}/")
        ]:
            self._paths.pop(published, None)


@cache
def endpoint() -> TaskEndpoint:
    """Return the one server of this engine."""
    return TaskEndpoint()

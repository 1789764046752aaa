"""The Lambda Runtime API of one environment, as the runtime interface client expects it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
"""Bytes that a function may answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@dataclass
class Job:
    """One invocation of an environment.

    Attributes:
        payload: the event, encoded.
        deadline_ms: when the platform will end it, Unix milliseconds.
        answer: the body and whether it is an error.
    """

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    deadline_ms: int
    answer: "Future[tuple[bytes, bool]]" = field(default_factory=Future)


class RuntimeApi:
    """A loopback HTTP server for one environment.

    `ready` is done when the runtime first asks for work, or fails with `InitError`.
    """

    def __init__(self) -> None:
        self.ready: Future[None] = Future()
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._current: Job | None = None
        api = self

        class Handler(BaseHTTPRequestHandler):
            """Routes the four calls that a runtime makes."""

            protocol_version = "HTTP/1.1"
            # Head and body are two writes: the second would wait 40 ms for the first to be confirmed.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                job = api.next_job()
                if job is None:
                    self.close_connection = True
                    return
                self._answer(
                    200,
                    job.payload,
                    {
                        "Content-Type": "application/json",
                        "Lambda-Runtime-Aws-Request-Id": job.request_id,
                        "Lambda-Runtime-Deadline-Ms": str(job.deadline_ms),
                        "Lambda-Runtime-Invoked-Function-Arn": job.function_arn,
                        "Lambda-Runtime-Trace-Id": job.trace_id,
                    },
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = self.path.strip("/").split("/")
                if parts[-2:] == ["init", "error"]:
                    api.init_failed(body)
                elif not api.answered(parts[-2], body, error=parts[-1] == "error"):
                    self._answer(413, b"{}", {"Content-Type": "application/json"})
                    return
                self._answer(202, b"", {})

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing: one line a call would bury the functions' own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """What `AWS_LAMBDA_RUNTIME_API` must hold."""
        return f"127.0.0.1:{self._server.server_port}"

    def submit(self, job: Job) -> None:
        """Queue an invocation; its `answer` gets the result."""
        self._current = job
        self._jobs.put(job)

    def next_job(self) -> Job | None:
        """Wait for the next invocation; the first call says that the runtime is ready."""
        if not self.ready.done():
            self.ready.set_result(None)
        return self._jobs.get()

    def init_failed(self, body: bytes) -> None:
        """Fail the start: the runtime could not load the handler.

        Args:
            body: its error, encoded.
        """
        if not self.ready.done():
            self.ready.set_exception(InitError(body))

    def answered(self, request_id: str, body: bytes, *, error: bool) -> bool:
        """Take the handler's result or error.

        Returns:
            False if the body is larger than Lambda passes on.
        """
        job = self._current
        if job is None or job.request_id != request_id or job.answer.done():
            return True
        if len(body) > RESPONSE_LIMIT:
            job.answer.set_result(
                (
                    b'{"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "Response payload size '
                    b'exceeded maximum allowed payload size (%d bytes)."}' % RESPONSE_LIMIT,
                    True,
                )
            )
            return False
        job.answer.set_result((body, error))
        return True

    def exited(self, error: bytes) -> None:
        """Fail the invocation and the start that wait: the process has ended.

        Args:
            error: what the platform says about it, encoded.
        """
        self.init_failed(error)
        if self._current is not None and not self._current.answer.done():
            self._current.answer.set_result((error, True))

    def close(self) -> None:
        """Stop serving."""
        self._jobs.put(None)
        threading.Thread(target=self._shut, daemon=True).start()

    def _shut(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class InitError(Exception):
    """The environment did not start.

    Args:
        payload: the error as the invocation's caller sees it, encoded.
    """

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode("utf-8", "replace"))
        self.payload = payload

"""AWS as far as the webhook calls it, on a loopback port, in a process of its own.

`python -m tests.benchmarks.stub` prints its port and answers until its standard input closes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pullwright.workers.manifest import pack_routes
from pullwright.workers.routing import Trigger, Worker
from pullwright.workers.unpacking import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "kept between GitHub and us"
_WORKERS = 50


def _stored() -> dict[str, object]:
    """Return a repository's item with as many workers as a busy one may have."""
    workers = [
        Worker(
            f"worker-{number}",
            (Trigger(event="pull_request", base=("main", "release/**"), paths=(f"src/{number}/**",)),),
        )
        for number in range(_WORKERS)
    ]
    packed = pack_routes(workers)
    return {
        "routes": {"B": base64.b64encode(packed.chunks[0]).decode()},
        "routes_sha256": {"S": packed.sha256},
        "schema_version": {"N": str(SCHEMA_VERSION)},
    }


_ANSWERS = {
    b"GetItem": {"Item": _stored()},
    b"GetSecretValue": {"Name": "webhook", "SecretString": SECRET},
    b"StartExecution": {
        "executionArn": "arn:aws:states:eu-central-1:123456789012:execution:AgentSession:bench",
        "startDate": 1_700_000_000,
    },
}


@contextmanager
def running() -> Iterator[str]:
    """Run the stub; give its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.stub"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            answer = next((found for name, found in _ANSWERS.items() if name.lower() in head), {})
            body = json.dumps(answer).encode()
            # One write: two would wait for each other's acknowledgement.
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_main())

"""What the gateway adds to a call: the same request with and without it, to a service on this machine.

`python -m tests.benchmarks.gateway` prints this section alone. With another tree's `functions` and
`container` on PYTHONPATH it measures that tree's gateway.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from runner.gateway import Gateway, GatewayConfig
from tests.benchmarks.figures import Figure, Mark, Section, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MODELS = {"anthropic": "claude-opus-5-5", "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
_PATHS = {"anthropic": "/v1/messages", "bedrock": f"/model/{quote(_MODELS['bedrock'], safe='')}/invoke"}
_SIZES = {"100 KB": 100_000, "5 MB": 5_000_000}
_CALLS = {"100 KB": 400, "5 MB": 100}
_WARM_UP = 10
_MILLISECONDS = 5.0
_PIXELS = "iVBORw0K"
_MADE_UP = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up"}
_HEADERS = {"content-type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": "k"}


class NotMeasuredError(RuntimeError):
    """A call was not answered as it has to be."""


def measure(say: Callable[[str], None]) -> Section:
    """Measure both services with both sizes.

    Raises:
        NotMeasuredError: a call failed.
    """
    figures: list[Figure] = []
    os.environ.update(_MADE_UP)
    with _service() as url:
        os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = url
        for provider, model in _MODELS.items():
            config = GatewayConfig.model_validate(
                {
                    "provider": provider,
                    "model": model,
                    "limit_usd": 10_000,
                    "api_key": "k",
                    "anthropic_url": url,
                    "region": "us-east-1",
                }
            )
            with Gateway(config) as gateway:
                for name, size in _SIZES.items():
                    say(f"the gateway's time for a call of {name}, {provider}")
                    figures += _figures(provider, name, _body(provider, size), url, gateway.base_url)
    return Section(
        "Gateway",
        f"{_CALLS['100 KB']} calls of 100 KB and {_CALLS['5 MB']} of 5 MB (text, tools and images as Claude "
        "Code sends them), one after the other on one connection, in turns with the same call straight to a "
        "service on this machine that answers at once; the figures are the differences to the median without "
        "the gateway.",
        tuple(figures),
    )


def _figures(provider: str, name: str, body: bytes, service: str, gateway: str) -> Iterator[Figure]:
    straight, through = _Connection(service, provider), _Connection(gateway, provider)
    without, with_it = [], []
    for number in range(_WARM_UP + _CALLS[name]):
        both = straight.call(body), through.call(body)
        if number >= _WARM_UP:
            without.append(both[0])
            with_it.append(both[1])
    base = statistics.median(without)
    added = [value - base for value in with_it]
    mark = Mark(_MILLISECONDS) if name == "100 KB" else None
    yield Figure(f"{provider}, {name}, p50", statistics.median(added), "ms", mark=mark)
    yield Figure(f"{provider}, {name}, p99", statistics.quantiles(added, n=100)[98], "ms")


class _Connection:
    def __init__(self, url: str, provider: str) -> None:
        address = urlsplit(url)
        self._client = http.client.HTTPConnection(str(address.hostname), address.port)
        self._path = address.path + _PATHS[provider]

    def call(self, body: bytes) -> float:
        """Milliseconds until the answer is there."""
        began = time.perf_counter()
        self._client.request("POST", self._path, body, _HEADERS)
        answer = self._client.getresponse()
        content = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != http.HTTPStatus.OK:
            raise NotMeasuredError(f"a call was answered with {answer.status}: {content[:200]!r}")
        return took


def _body(provider: str, size: int) -> bytes:
    """Make a request of about this size: system prompt, tools, turns; the large one has images."""
    words = "The quick brown fox — jumps over the lazy dog.\n"
    tool = {"name": "Bash", "description": words * 40, "input_schema": {"type": "object", "properties": {}}}
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": words * 20}]}]
    body: dict[str, Any] = {
        "max_tokens": 1_000,
        "system": [{"type": "text", "text": words * 300, "cache_control": {"type": "ephemeral"}}],
        "tools": [{**tool, "name": f"Tool{number}"} for number in range(8)],
        "messages": messages,
    }
    if provider == "anthropic":
        body["model"] = _MODELS[provider]
    else:
        body["anthropic_version"] = "bedrock-2023-05-31"
    number = 0
    while (left := size - len(json.dumps(body))) > 0:
        number += 1
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": "make test"}}
        content: Any = words * 40
        if left > _SIZES["100 KB"]:
            source = {
                "type": "base64",
                "media_type": "image/png",
                "data": _PIXELS * min(90_000, left // 8),
            }
            content = [{"type": "image", "source": source}]
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": content}
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer at once, as shortly as a model can."""
        self.rfile.read(int(self.headers["content-length"]))
        usage = {"input_tokens": 10, "output_tokens": 10}
        answer = json.dumps({"type": "message", "content": [], "usage": usage}).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self.wfile.write(head % len(answer) + answer)


@contextmanager
def _service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 130).print(table([measure(lambda _: None)]))

"""The dashboard over a stack in memory, asked as a browser asks, without a socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pullwright_cli.dashboard.application import make
from pullwright_cli.listing import STATUSES
from tests.unit.cli_kit import BUCKET, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOW = datetime.now(UTC)
PORT = 8400
TOKEN = "let me in"
HTMX = {"hx-request": "true"}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes = b""

    @property
    def text(self) -> str:
        """The page's source."""
        return self.content.decode()

    @property
    def tree(self) -> LexborHTMLParser:
        """The page as a browser understands it."""
        return LexborHTMLParser(self.text)

    @property
    def words(self) -> str:
        """What stands in its main part, or in all of it if it has none."""
        tree = self.tree
        body = tree.css_first("main") or tree.css_first("body")
        return "" if body is None else " ".join(body.text(separator=" ").split())

    def one(self, selector: str) -> LexborNode:
        """Return the first element that a selector of CSS finds."""
        found = self.tree.css_first(selector)
        if found is None:
            raise AssertionError(f"{selector} is not in {self.words}")
        return found

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        return dict(self.headers).get(name)


class Logs:
    """CloudWatch Logs with the lines of groups."""

    def __init__(self) -> None:
        self.groups: dict[str, list[dict[str, Any]]] = {}

    def get_paginator(self, _name: str) -> Logs:
        """See boto3."""
        return self

    def paginate(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return a page."""
        return [{"events": self.groups.get(wanted["logGroupName"], [])}]

    def write(self, group: str, milliseconds: int, message: str) -> None:
        """Write a line."""
        lines = self.groups.setdefault(f"/pullwright/s/{group}", [])
        lines.append(
            {"timestamp": milliseconds, "message": message, "logStreamName": "a", "eventId": f"{len(lines)}"}
        )


@dataclass
class Dashboard:
    """A dashboard, and a browser that has access.

    Attributes:
        cloud: what it is over.
        last: the last answer, also of a request that ended with an exception.
    """

    cloud: Cloud
    logs: Logs = field(default_factory=Logs)
    cookie: str = ""
    last: Answer = field(default_factory=lambda: Answer(0, []))

    def __post_init__(self) -> None:
        self.app = make(self, "mine", "eu-central-1", PORT, TOKEN)
        answer = self.ask(f"/?token={TOKEN}")
        self.cookie = (answer.header("set-cookie") or "").partition(";")[0]

    def client(self, service: str) -> Any:
        """Return a client."""
        return self.logs if service == "logs" else self.cloud.client(service)

    def output(self, name: str) -> str:
        """Return an output."""
        return self.cloud.output(name)

    def store(self, session: str, name: str, content: bytes) -> None:
        """Leave an artifact."""
        self.cloud.s3.put_object(Bucket=BUCKET, Key=f"sessions/{session}/{name}", Body=content)

    def ask(
        self, target: str, method: str = "GET", headers: Mapping[str, str | list[str]] | None = None
    ) -> Answer:
        """Send a request with the browser's cookie; headers replace what it would send."""
        split = urlsplit(target)
        sent: dict[str, str | list[str]] = {
            "host": f"127.0.0.1:{PORT}",
            "cookie": self.cookie,
            **(headers or {}),
        }
        pairs = [
            (name.encode(), value.encode())
            for name, values in sent.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        scope = {
            "type": "http",
            "method": method,
            "path": split.path,
            "raw_path": split.path.encode(),
            "root_path": "",
            "scheme": "http",
            "http_version": "1.1",
            "query_string": split.query.encode(),
            "headers": pairs,
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", PORT),
        }
        answer = self.last = Answer(0, [])

        is_over = asyncio.Event()
        received = 0

        async def receive() -> dict[str, Any]:
            nonlocal received
            received += 1
            if received > 1:
                await is_over.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
            else:
                answer.content += message.get("body", b"")

        asyncio.run(cast("Any", self.app)(scope, receive, send))
        return answer


def record_many(dashboard: Dashboard, number: int) -> None:
    """Record sessions, several with the same time, the newest with the lowest number."""
    for place in range(number):
        at = (NOW - timedelta(minutes=place // 3)).isoformat()
        dashboard.cloud.record(
            f"s{place:03}",
            status=STATUSES[place % 4],
            repository=("octo/widgets", "octo/gears")[place % 2],
            worker="review" if place % 40 == 39 else "implement",
            created_at=at,
            heartbeat_at=at,
            cost_usd=0.25,
            admitted_at=at,
        )


def links(dashboard: Dashboard, target: str, rel: str = "next") -> Iterator[str]:
    """Yield the pages from one on, following the link to the next."""
    while target:
        answer = dashboard.ask(target)
        assert answer.status == 200
        yield answer.text
        found = answer.tree.css_first(f"a[rel={rel}]")
        target = str(found.attributes["href"]) if found else ""


def sessions_on(page: str) -> list[str]:
    """Return the sessions that a page lists."""
    return [part.partition('"')[0] for part in page.split('id="s-')[1:]]

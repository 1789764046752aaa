"""The Jira stand-in over HTTP: a client of Jira Cloud works with it, and webhooks come as Jira sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from local.jira_people import ADMINISTRATORS, JiraSite
from local.layout import ROOT, TOOLS
from local.supervise import end, free_port, start_on_demand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.jira_people import JiraPerson

_SECRET = "a webhook secret"
_EVENTS = ["jira:issue_created", "jira:issue_updated", "jira:issue_deleted"]


@dataclass
class Receiver:
    """A webhook's receiving end.

    Attributes:
        statuses: answers to give, before 202.
    """

    url: str
    statuses: list[int] = field(default_factory=list)
    received: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Provide a server that takes webhooks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.received.put((dict(self.headers), body))
            self.send_response(made.statuses.pop(0) if made.statuses else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}/jira")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def administrator(site: JiraSite) -> JiraPerson:
    """Provide somebody who administers Jira, and a project."""
    site.project("SHOP")
    return site.join("ada@example.com", ADMINISTRATORS)


@pytest.fixture
def webhook(administrator: JiraPerson, receiver: Receiver) -> Iterator[None]:
    """Have one webhook, for all issues."""
    body = {"name": "Sessions", "url": receiver.url, "events": _EVENTS, "secret": _SECRET}
    made = administrator.rest("POST", "/rest/webhooks/1.0/webhook", body)
    yield
    administrator.rest("DELETE", made["self"].removeprefix(administrator.url))


def _attempts(site: JiraSite, key: str) -> list[dict[str, Any]]:
    [delivery] = site.control("GET", f"/deliveries?issue={key}")
    return list(delivery["attempts"])


def _let_time_pass(site: JiraSite, times: int) -> None:
    for _ in range(times):
        site.settle()
        site.control("POST", "/clock", {"advance": 901})
    site.settle()


def test_a_client_of_jira_cloud_works_with_it(site: JiraSite, administrator: JiraPerson) -> None:
    """jira.js validates every answer by Atlassian's OpenAPI document, and notes what that does not have."""
    modules = TOOLS / "node/node_modules"
    script = Path(__file__).with_name("client.mjs")
    command = ["node", str(script), str(modules), site.url, administrator.email, administrator.token, "SHOP"]
    done = subprocess.run(
        command,
        env={**os.environ, "AUDIT_SCHEMAS": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "email": "ada@example.com",
        "groups": [ADMINISTRATORS],
        "labels": ["claude-dev"],
        "changes": ["claude-dev"],
        "comments": ["Done"],
        "property": 1,
        "links": 1,
        "permitted": True,
        "refused": 401,
        "drift": [],
    }


@pytest.mark.usefixtures("webhook")
def test_a_webhook_is_signed_and_repeated(
    site: JiraSite, administrator: JiraPerson, receiver: Receiver
) -> None:
    """It comes again 5 to 15 minutes after each 5xx, with the same identifier, and not after success.

    https://developer.atlassian.com/cloud/jira/platform/webhooks/
    """
    receiver.statuses = [503, 429]
    key = administrator.open_issue("SHOP", "Broken till", "Text", labels=("claude-dev",))
    _let_time_pass(site, 3)
    received = [receiver.received.get(timeout=5) for _ in range(3)]
    assert receiver.received.empty()
    assert len({headers["X-Atlassian-Webhook-Identifier"] for headers, _ in received}) == 1
    assert [headers.get("X-Atlassian-Webhook-Retry") for headers, _ in received] == [None, "1", "2"]
    for headers, body in received:
        digest = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature"] == f"sha256={digest}"
    attempts = _attempts(site, key)
    assert [it["status_code"] for it in attempts] == [503, 429, 202]
    assert all(after["at"] - before["at"] >= 300 for before, after in pairwise(attempts))


@pytest.mark.usefixtures("webhook")
def test_a_webhook_is_given_up(site: JiraSite, administrator: JiraPerson, receiver: Receiver) -> None:
    """Five repetitions are the most; an answer such as 400 has none."""
    receiver.statuses = [400]
    refused = administrator.open_issue("SHOP", "One")
    site.settle()
    site.control("PUT", "/faults", [{"method": "WEBHOOK", "path_regex": ".", "drop": True, "times": None}])
    lost = administrator.open_issue("SHOP", "Two")
    _let_time_pass(site, 7)
    site.control("PUT", "/faults", [])
    assert [it["status_code"] for it in _attempts(site, refused)] == [400]
    assert [it["status_code"] for it in _attempts(site, lost)] == [0] * 6


@pytest.mark.usefixtures("webhook")
def test_an_address_that_fails_for_long_gets_each_event_once(
    site: JiraSite, administrator: JiraPerson, receiver: Receiver
) -> None:
    """After half an hour of failures nothing new is repeated, until one delivery is taken."""
    receiver.statuses = [503] * 4
    first = administrator.open_issue("SHOP", "One")
    _let_time_pass(site, 2)
    assert [it["status_code"] for it in _attempts(site, first)] == [503] * 3
    second = administrator.open_issue("SHOP", "Two")
    _let_time_pass(site, 2)
    receiver.statuses = [503]
    third = administrator.open_issue("SHOP", "Three")
    _let_time_pass(site, 1)
    codes = {key: [it["status_code"] for it in _attempts(site, key)] for key in (first, second, third)}
    assert codes[first] == [503, 503, 503, 202]
    assert codes[second] == [503]
    assert codes[third] == [503, 202]


def test_its_pages_show_an_issue(site: JiraSite, administrator: JiraPerson) -> None:
    """Text of people is escaped there."""
    key = administrator.open_issue("SHOP", "<b>Bold</b>", "Text")
    administrator.rest(
        "POST",
        f"/issue/{key}/remotelink",
        {"object": {"url": "javascript:alert(1)", "title": "Link"}},
    )
    for path, words in (("/", key), (f"/browse/{key}", "&lt;b&gt;Bold&lt;/b&gt;"), ("/deliveries", "Event")):
        text = urllib3.request("GET", site.url + path).data.decode()
        assert words in text
        assert "javascript:" not in text


def test_the_launcher_starts_it_with_the_first_request(tmp_path: Path) -> None:
    """Until then a process waits that has imported nothing; it is the same one, by id, that serves."""
    port = free_port()
    command = [sys.executable, "-m", "jira_standin", "--data", str(tmp_path / "jira")]
    process = start_on_demand(
        "jira",
        port,
        command,
        environment={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        log=tmp_path / "jira.log",
        cwd=ROOT,
    )
    words = Path(f"/proc/{process.pid}/cmdline")
    try:
        assert "on_demand.py" in words.read_text()
        assert JiraSite(f"http://127.0.0.1:{port}").control("GET", "/health") == {"ok": True}
        assert "on_demand.py" not in words.read_text()
        assert process.alive
    finally:
        assert end([process], seconds=10) == []

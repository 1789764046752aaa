"""The GitHub stand-in as a process: real git, real webhooks, failures on order, restarts."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from local.people import StandInError, call

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SECRET = "a webhook secret"
MAINTAINER = "ghp_ada_ada_ada"
APP_ID = 4711
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Hook:
    """A webhook's receiving end.

    Args:
        server: listens on loopback.
        got: what was received: headers and raw body.
    """

    server: HTTPServer
    got: queue.Queue[tuple[dict[str, str], bytes]]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self, event: str, action: str | None = None) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the next delivery of this kind; others before it are dropped."""
        while True:
            headers, body = self.got.get(timeout=15)
            payload = json.loads(body)
            if headers["X-GitHub-Event"] == event and action in (None, payload.get("action")):
                expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
                assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
                return headers, payload


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    """A receiver of webhooks."""
    got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.put((dict(self.headers.items()), body))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b"taken")

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Hook(server, got)
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class StandIn:
    """A running stand-in.

    Args:
        data: its folder.
        process: the server.
        url: its root.
    """

    data: Path
    process: subprocess.Popen[str]
    url: str

    @classmethod
    def start(cls, data: Path) -> StandIn:
        """Start it and wait for its ready line."""
        command = [sys.executable, "-W", "error", "-m", "local.github", "--port", "0", "--data", str(data)]
        with (data.parent / "stderr").open("a") as errors:
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "ready" in line, (data.parent / "stderr").read_text()
        return cls(data, process, line.split()[-1])

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it."""
        self.process.send_signal(how)
        self.process.wait(15)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def rest(self, method: str, path: str, body: object = None, token: str | None = MAINTAINER) -> Any:
        """Call the REST API."""
        return call(self.url, method, f"/api/v3{path}", body, token=token)

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API."""
        return call(self.url, method, f"/_standin{path}", body)

    def installation_token(self, repository: str, permissions: dict[str, str] | None = None) -> str:
        """Get a token for one repository, as the App does."""
        now = int(time.time())
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        app = jwt.encode({"iss": str(APP_ID), "iat": now - 60, "exp": now + 500}, pem, "RS256")
        number = self.rest("GET", f"/repos/{repository}/installation", token=app)["id"]
        body: dict[str, Any] = {"repositories": [repository.partition("/")[2]]}
        if permissions is not None:
            body["permissions"] = permissions
        answer = self.rest("POST", f"/app/installations/{number}/access_tokens", body, token=app)
        return str(answer["token"])

    def repository(self, name: str, **settings: Any) -> str:
        """Create a repository with two files and return its full name."""
        body = {"full_name": name, "files": {"README.md": "# hello\n", "a.txt": "one\n"}, **settings}
        self.control("POST", "/repositories", {"permissions": {"maintainer": "admin"}, **body})
        return name


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory, hook: Hook) -> Iterator[StandIn]:
    """A stand-in with one person and a registered App."""
    started = StandIn.start(tmp_path_factory.mktemp("github") / "data")
    try:
        started.control("POST", "/users", {"login": "maintainer", "token": MAINTAINER})
        public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        started.control(
            "PUT",
            "/app",
            {
                "app_id": APP_ID,
                "slug": "pullwright-test",
                "public_key_pem": public,
                "webhook_secret": SECRET,
                "webhook_url": hook.url,
                "webhook_host": "functions.example.test:4566",
            },
        )
        hook.next("ping")
        yield started
    finally:
        started.stop()
    assert "Traceback" not in (started.data.parent / "stderr").read_text()


def git(folder: Path, *arguments: str, ok: bool = True, **environment: str) -> str:
    """Run git without any configuration of this machine and return all that it printed."""
    identity = ["-c", "user.name=Maintainer", "-c", "user.email=maintainer@example.invalid"]
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **environment,
        },
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


def address(stand_in: StandIn, repository: str, token: str | None = None) -> str:
    """Return the address to clone from, with a token in it if given."""
    who = f"x-access-token:{token}@" if token else ""
    return f"{stand_in.url}/{repository}.git".replace("http://", f"http://{who}")


def commit(folder: Path, path: str, text: str) -> str:
    """Commit one file and return the commit."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", f"Write {path}")
    return git(folder, "rev-parse", "HEAD").strip()


def clone(stand_in: StandIn, repository: str, folder: Path, token: str | None) -> Path:
    """Clone into a folder of its own."""
    git(folder, "clone", "--quiet", "--filter=blob:none", address(stand_in, repository, token), "clone")
    return folder / "clone"


def test_it_listens_on_loopback_only(stand_in: StandIn) -> None:
    """The server's only listening socket is bound to 127.0.0.1."""
    port = f"{int(stand_in.url.rpartition(':')[2]):04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = {row.split()[1] for row in rows if row.split()[3] == "0A"}
    assert {entry for entry in listening if entry.endswith(f":{port}")} == {f"0100007F:{port}"}


def test_a_push_of_the_app_moves_its_pull_request(stand_in: StandIn, hook: Hook, tmp_path: Path) -> None:
    """Branch, draft, push, ready: heads follow, events are signed and name the bot."""
    name = stand_in.repository("octo/flow")
    token = stand_in.installation_token(name, {"contents": "write", "pull_requests": "write"})
    base = stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main", token=token)["object"]["sha"]
    tree = stand_in.rest("GET", f"/repos/{name}/git/commits/{base}", token=token)["tree"]["sha"]
    first = stand_in.rest(
        "POST",
        f"/repos/{name}/git/commits",
        {"message": "Begin [skip ci]", "tree": tree, "parents": [base]},
        token,
    )
    assert first["author"]["name"] == "pullwright-test[bot]"
    ref = {"ref": "refs/heads/claude/1", "sha": first["sha"]}
    stand_in.rest("POST", f"/repos/{name}/git/refs", ref, token)
    pull = stand_in.rest(
        "POST",
        f"/repos/{name}/pulls",
        {"title": "x", "head": "claude/1", "base": "main", "draft": True},
        token,
    )
    headers, payload = hook.next("pull_request", "opened")
    assert headers["Host"] == "functions.example.test:4566"
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(APP_ID)
    assert payload["sender"]["login"] == "pullwright-test[bot]"
    assert payload["installation"]["id"]
    assert (payload["pull_request"]["draft"], payload["number"]) == (True, pull["number"])

    folder = clone(stand_in, name, tmp_path, token)
    git(folder, "checkout", "--quiet", "claude/1")
    sha = commit(folder, "b.txt", "two\n")
    git(folder, "push", "--quiet", "origin", "HEAD", "HEAD:refs/pullwright/claude/1")
    _, moved = hook.next("pull_request", "synchronize")
    assert (moved["before"], moved["after"]) == (first["sha"], sha)
    seen = stand_in.rest("GET", f"/repos/{name}/pulls/{pull['number']}", token=None)
    assert (seen["head"]["sha"], seen["commits"], seen["additions"]) == (sha, 2, 1)

    query = (
        "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) "
        "{ pullRequest { isDraft } } }"
    )
    body = {"query": query, "variables": {"id": pull["node_id"]}}
    answer = call(stand_in.url, "POST", "/api/graphql", body, token=token)
    assert answer == {"data": {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": False}}}}
    assert hook.next("pull_request", "ready_for_review")[1]["pull_request"]["draft"] is False


def test_a_large_push_is_streamed_in_chunks(stand_in: StandIn, tmp_path: Path) -> None:
    """A push beyond git's post buffer comes chunked and arrives whole."""
    name = stand_in.repository("octo/large")
    folder = clone(stand_in, name, tmp_path, MAINTAINER)
    (folder / "noise").write_bytes(os.urandom(5_000_000))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "noise")
    git(folder, "push", "--quiet", "origin", "main")
    git(tmp_path, "clone", "--quiet", address(stand_in, name), "second")
    assert (tmp_path / "second" / "noise").read_bytes() == (folder / "noise").read_bytes()


def test_a_gzipped_request_is_understood(stand_in: StandIn) -> None:
    """A fetch whose body is compressed, as git sends large ones, is answered."""
    name = stand_in.repository("octo/zipped")
    body = b"0014command=ls-refs\n0015agent=test/1.00010000"
    answer = urllib3.request(
        "POST",
        f"{stand_in.url}/{name}.git/git-upload-pack",
        body=gzip.compress(body),
        headers={
            "Content-Type": "application/x-git-upload-pack-request",
            "Content-Encoding": "gzip",
            "Git-Protocol": "version=2",
        },
    )
    assert answer.status == 200
    assert b"refs/heads/main" in answer.data


@pytest.mark.parametrize(
    ("path", "permissions", "settings", "reason"),
    [
        ("b.txt", {"contents": "read"}, {}, "Permission to octo/"),
        ("b.txt", {"contents": "write"}, {"protected_branches": ["ma*"]}, "(protected branch hook declined)"),
        (".github/workflows/ci.yml", {"contents": "write"}, {}, "without `workflows` permission"),
        (
            "b.txt",
            {"contents": "write"},
            {"archived": True},
            "This repository was archived so it is read-only.",
        ),
    ],
)
def test_pushes_that_github_refuses(
    stand_in: StandIn,
    tmp_path: Path,
    path: str,
    permissions: dict[str, str],
    settings: dict[str, Any],
    reason: str,
) -> None:
    """A push without the right is refused in GitHub's words, and nothing moves."""
    name = stand_in.repository(f"octo/{tmp_path.name.strip('_')}")
    folder = clone(stand_in, name, tmp_path, stand_in.installation_token(name, permissions))
    before = git(folder, "rev-parse", "HEAD").strip()
    commit(folder, path, "on: push\n")
    stand_in.control("PATCH", f"/repositories/{name}", settings)
    assert reason in git(folder, "push", "origin", "main", ok=False)
    assert stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main")["object"]["sha"] == before


def test_rewritten_history_needs_force(stand_in: StandIn, tmp_path: Path) -> None:
    """A push that is no fast-forward is refused without force, and taken with it."""
    name = stand_in.repository("octo/forced")
    folder = clone(stand_in, name, tmp_path, MAINTAINER)
    commit(folder, "b.txt", "two\n")
    git(folder, "push", "--quiet", "origin", "HEAD:topic")
    git(folder, "commit", "--quiet", "--amend", "--message", "again")
    assert "non-fast-forward" in git(folder, "push", "origin", "HEAD:topic", ok=False)
    git(folder, "push", "--quiet", "--force", "origin", "HEAD:topic")
    assert stand_in.rest("GET", f"/repos/{name}/compare/main...topic")["status"] == "ahead"


def test_strangers_do_not_learn_of_private_repositories(stand_in: StandIn, tmp_path: Path) -> None:
    """A client is asked for credentials, and with somebody's it hears that there is nothing."""
    name = stand_in.repository("octo/hidden", private=True)
    stand_in.control("POST", "/users", {"login": "outsider", "token": "ghp_mallory_mallory"})
    assert "could not read Username" in git(tmp_path, "clone", address(stand_in, name), "one", ok=False)
    answer = git(tmp_path, "clone", address(stand_in, name, "ghp_mallory_mallory"), "two", ok=False)
    assert "Repository not found." in answer
    assert "Invalid username or token" in git(
        tmp_path, "clone", address(stand_in, name, "ghs_nobody"), "three", ok=False
    )
    git(tmp_path, "clone", "--quiet", address(stand_in, name, MAINTAINER), "four")


def test_ordered_failures(stand_in: StandIn) -> None:
    """A failure before the work does nothing, one after it has done it; a drop has no answer at all."""
    name = stand_in.repository("octo/faults")
    path = f"/repos/{name}/issues$"
    issue = {"title": "x"}
    stand_in.control("PUT", "/faults", [{"method": "POST", "path_regex": path, "status": 502}])
    with pytest.raises(StandInError) as before:
        stand_in.rest("POST", f"/repos/{name}/issues", issue)
    assert before.value.status == 502
    assert stand_in.rest("GET", f"/repos/{name}/issues") == []
    stand_in.control("PUT", "/faults", [{"method": "POST", "path_regex": path, "status": 502, "after": True}])
    with pytest.raises(StandInError):
        stand_in.rest("POST", f"/repos/{name}/issues", issue)
    assert len(stand_in.rest("GET", f"/repos/{name}/issues")) == 1
    for after, count in ((False, 1), (True, 2)):
        fault = {"method": "POST", "path_regex": path, "drop": True, "after": after}
        stand_in.control("PUT", "/faults", [fault])
        connection = http.client.HTTPConnection(stand_in.url.removeprefix("http://"))
        headers = {"Authorization": f"Bearer {MAINTAINER}", "User-Agent": "test"}
        connection.request("POST", f"/api/v3/repos/{name}/issues", json.dumps(issue), headers)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
        connection.close()
        assert len(stand_in.rest("GET", f"/repos/{name}/issues")) == count
    stand_in.control("PUT", "/faults", [])


def test_a_push_that_failed_too_late_has_arrived(stand_in: StandIn, tmp_path: Path) -> None:
    """A 502 ordered after a push leaves the branch moved, as when GitHub's answer is lost."""
    name = stand_in.repository("octo/late")
    folder = clone(stand_in, name, tmp_path, MAINTAINER)
    sha = commit(folder, "b.txt", "two\n")
    fault = {"method": "POST", "path_regex": f"{name}.git/git-receive-pack", "status": 502, "after": True}
    stand_in.control("PUT", "/faults", [fault])
    git(folder, "push", "origin", "main", ok=False)
    assert stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main")["object"]["sha"] == sha


def test_lost_webhooks_can_be_asked_for_again(stand_in: StandIn, hook: Hook) -> None:
    """A delivery that could not connect is listed outside `failure`, and comes again under the same GUID."""
    name = stand_in.repository("octo/lost")
    while any(delivery["pending"] for delivery in stand_in.control("GET", "/deliveries")):
        time.sleep(0.05)
    hook.got.queue.clear()
    stand_in.control(
        "PUT", "/faults", [{"method": "WEBHOOK", "path_regex": r"^issues\.opened$", "drop": True}]
    )
    stand_in.rest("POST", f"/repos/{name}/issues", {"title": "lost", "labels": ["found"]})
    _, payload = hook.next("issues")
    assert payload["action"] == "labeled"
    [lost] = [
        it
        for it in stand_in.control("GET", "/deliveries")
        if it["action"] == "opened" and not it["status_code"]
    ]
    again = stand_in.control("POST", f"/deliveries/{lost['id']}/redeliver")
    assert (again["guid"], again["redelivery"], again["status_code"]) == (lost["guid"], True, 202)
    headers, payload = hook.next("issues", "opened")
    assert headers["X-GitHub-Delivery"] == lost["guid"]
    assert payload["issue"]["title"] == "lost"


def test_pages_show_what_happened(stand_in: StandIn) -> None:
    """Every page of a repository renders, escapes what people wrote and hides hidden comments."""
    name = stand_in.repository("octo/pages")
    text = "<!-- hidden marker -->\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) **bold**"
    stand_in.rest("POST", f"/repos/{name}/issues", {"title": "<b>t</b>", "body": text})
    content = {"tree": [{"path": "a.txt", "mode": "100644", "content": "two\n"}]}
    head = stand_in.rest("GET", f"/repos/{name}/branches/main")["commit"]
    tree = stand_in.rest("POST", f"/repos/{name}/git/trees", content)["sha"]
    made = stand_in.rest(
        "POST", f"/repos/{name}/git/commits", {"message": "two", "tree": tree, "parents": [head["sha"]]}
    )
    stand_in.rest("POST", f"/repos/{name}/git/refs", {"ref": "refs/heads/t/1", "sha": made["sha"]})
    stand_in.rest(
        "POST", f"/repos/{name}/pulls", {"title": "p", "head": "t/1", "base": "main", "draft": True}
    )

    def page(path: str) -> str:
        answer = urllib3.request("GET", stand_in.url + path)
        assert answer.status == 200, path
        return answer.data.decode()

    issue = page(f"/{name}/issues/1")
    assert "hidden marker" not in issue
    assert "<script>" not in issue
    assert 'href="javascript' not in issue
    assert "<strong>bold</strong>" in issue
    assert "Draft" in page(f"/{name}/pull/2")
    assert "+two" in page(f"/{name}/pull/2/files")
    assert "+two" in page(f"/{name}/pull/2.diff")
    for path in ("", "/issues", "/pulls", "/commits/t/1", f"/commit/{made['sha']}", "/blob/t/1/a.txt"):
        page(f"/{name}{path}")
    page("/")
    page("/deliveries")


def test_nothing_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    """After kill -9 and a start on the same folder, people, tokens, issues and branches are there."""
    first = StandIn.start(tmp_path / "data")
    first.control("POST", "/users", {"login": "maintainer", "token": MAINTAINER})
    name = first.repository("octo/kept")
    first.rest("POST", f"/repos/{name}/issues", {"title": "kept"})
    first.stop(signal.SIGKILL)
    second = StandIn.start(tmp_path / "data")
    try:
        [issue] = second.rest("GET", f"/repos/{name}/issues")
        assert issue["title"] == "kept"
        assert second.rest("GET", "/user")["login"] == "maintainer"
        assert second.rest("GET", f"/repos/{name}/branches")[0]["name"] == "main"
        assert second.rest("POST", f"/repos/{name}/issues", {"title": "next"})["number"] == 2
    finally:
        second.stop()

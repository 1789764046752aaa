"""The GitHub stand-in as a process, and git beside it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.layout import APP_PERMISSIONS
from local.people import call
from local.services import EXCHANGES

if TYPE_CHECKING:
    import queue
    from http.server import HTTPServer

ROOT = Path(__file__).parents[3]
SECRET = "a webhook secret"
MAINTAINER = "ghp_maintainer"
APP_ID = 4711
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Hook:
    """A webhook's receiving end.

    Args:
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


@dataclass
class StandIn:
    """A running stand-in."""

    data: Path
    process: subprocess.Popen[str]
    url: str

    @classmethod
    def start(cls, data: Path) -> StandIn:
        """Start it and wait for its ready line."""
        command = [sys.executable, "-W", "error", "-m", "github_standin", "--port", "0", "--data", str(data)]
        command += ["--permissions", str(APP_PERMISSIONS)]
        if folder := os.environ.get(EXCHANGES):
            command += ["--exchanges", folder]
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

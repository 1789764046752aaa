"""What a session opens with, in one process: the GitHub stand-in without its server, AWS in memory."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from github_standin import api, graphql, logs
from github_standin.calls import Call
from github_standin.control import Control
from github_standin.declaration import Declaration
from github_standin.github import GitHub as StandIn
from local.layout import APP_PERMISSIONS
from pullwright.github.allowance import MemoryAllowance
from pullwright.github.app import AppSecret, GitHubApp
from pullwright.github.transport import Request, Response
from pullwright.opening.event import OpenPullRequestEvent
from pullwright.opening.open_pull_request import open_pull_request
from pullwright.services import Services
from pullwright.settings import OpenPullRequestSettings
from standin.faults import Faults
from tests.unit.memory_kit import MemoryArtifacts, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github_standin.records import Delivery
    from pullwright.errors import PullwrightError
    from pullwright.models import OpenedPullRequest

ROOT = "http://github.test"
API = f"{ROOT}/api/v3"
SLUG = "pullwright-dev"
BOT = f"{SLUG}[bot]"
REPOSITORY = "octo/widgets"
PERSON = "maintainer"
STRANGER = "outsider"
BODY = "The total is wrong when the list is empty."
ASKED: dict[str, Any] = {"delivery_id": "d-1", "requested_by": PERSON}
"""What a request of a webhook holds more than one that was typed."""


@cache
def key_pair() -> tuple[str, str]:
    """Return the App's private and public key, made once."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


class GitHub:
    """The stand-in as a transport: requests go straight to what answers them.

    `before` holds answers to give instead, each once, by method and the path's end.
    """

    def __init__(self, folder: Path) -> None:
        self.slept = 0.0
        self.allowances: dict[str, MemoryAllowance] = {}
        """What the table would say of each account's installation."""
        self._world = StandIn(folder, ROOT, self.clock, Declaration.read(APP_PERMISSIONS))
        self._control = Control(self._world, Faults(), deque())
        self.before: list[tuple[str, str, Response]] = []
        self.after: list[tuple[str, str, Response]] = []
        self.seen: list[tuple[str, str]] = []
        public = key_pair()[1]
        self.control("PUT", "/app", {"app_id": 7, "slug": SLUG, "public_key_pem": public, "owner": "octo"})
        for login in (PERSON, STRANGER):
            self.control("POST", "/users", {"login": login, "token": f"token-of-{login}"})

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        parts = urlsplit(request.url)
        self.seen.append((request.method, parts.path))
        if parts.path.startswith(f"{logs.PATH}/"):
            name = parts.path.rpartition("/")[2]
            log = logs.read(self._world, name, request.headers.get("authorization"))
            return Response(log.status, {}, log.body[-request.end_bytes :])
        if (instead := _take(self.before, request.method, parts.path)) is not None:
            return instead
        is_graphql = parts.path == "/api/graphql"
        call = Call(
            github=self._world,
            method=request.method,
            path=unquote(parts.path).removeprefix("/api/v3"),
            query=dict(parse_qsl(parts.query)),
            headers=dict(request.headers),
            content=request.body or b"",
        )
        reply = graphql.respond(call) if is_graphql else api.respond(call)
        if (instead := _take(self.after, request.method, parts.path)) is not None:
            return instead
        # Through JSON, as over the network.
        decoded = None if reply.body is None else json.loads(json.dumps(reply.body))
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Response(reply.status, headers, decoded)

    def control(self, method: str, path: str, body: Any) -> Any:
        """Steer the stand-in."""
        call = Call(github=self._world, method=method, path=path, content=json.dumps(body).encode())
        reply = self._control.respond(call)
        assert reply.status < 300, reply.body
        return reply.body

    def person(self, method: str, path: str, body: Any = None, login: str = PERSON) -> Any:
        """Do something on the repository as a person does."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer token-of-{login}", "user-agent": "a browser"}
        response = self.send(Request(method, f"{API}/repos/{REPOSITORY}{path}", headers, content))
        assert response.status < 300, response.decoded
        return response.decoded

    def graphql(self, query: str, login: str = PERSON) -> Any:
        """Ask GraphQL as a person does, and return the answer's data."""
        headers = {"authorization": f"Bearer token-of-{login}", "user-agent": "a browser"}
        content = json.dumps({"query": query}).encode()
        answer = self.send(Request("POST", f"{ROOT}/api/graphql", headers, content)).decoded
        assert "errors" not in answer, answer
        return answer["data"]

    @contextmanager
    def slowly(self) -> Iterator[None]:
        """Let a second pass at each look on GitHub's clock, which stays that far ahead."""
        clock, passed = self._world.now, count()
        self._world.now = lambda: clock() + next(passed)
        yield
        ahead = next(passed)
        self._world.now = lambda: clock() + ahead

    def repository(self, **settings: Any) -> None:
        """Make the repository."""
        fields: dict[str, Any] = {
            "full_name": REPOSITORY,
            "files": {"README.md": "# Widgets\n"},
            "installed": True,
            "permissions": {PERSON: "write"},
        }
        self.control("POST", "/repositories", {**fields, **settings})

    def issue(self, body: str | None = BODY, title: str = "Sum of nothing") -> int:
        """Open an issue and return its number."""
        return int(self.person("POST", "/issues", {"title": title, "body": body})["number"])

    def commit(self, branch: str, message: str = "A person's work") -> str:
        """Put a person's commit on a branch, which is made if it is missing; return its hash."""
        heads = {
            ref["ref"].removeprefix("refs/heads/"): ref["object"]["sha"]
            for ref in self.person("GET", "/git/matching-refs/heads/")
        }
        parent = heads.get(branch, heads["main"])
        tree = self.person("GET", f"/git/commits/{parent}")["tree"]["sha"]
        fields = {"message": message, "tree": tree, "parents": [parent]}
        sha = self.person("POST", "/git/commits", fields)["sha"]
        if branch in heads:
            self.person("PATCH", f"/git/refs/heads/{branch}", {"sha": sha})
        else:
            self.person("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        return str(sha)

    def write(self, branch: str, files: dict[str, str], login: str = PERSON) -> str:
        """Put a person's commit with these files on a branch, which is made if it is missing."""
        entries = [
            {"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()
        ]
        parent = self.commit(branch)
        fields = {"base_tree": self.person("GET", f"/git/commits/{parent}")["tree"]["sha"], "tree": entries}
        tree = self.person("POST", "/git/trees", fields, login)["sha"]
        made = {"message": "Write", "tree": tree, "parents": [parent]}
        sha = str(self.person("POST", "/git/commits", made, login)["sha"])
        self.person("PATCH", f"/git/refs/heads/{branch}", {"sha": sha}, login)
        return sha

    def head(self, branch: str) -> str:
        """Return the commit that a branch points to."""
        return str(self.person("GET", f"/git/ref/heads/{branch}")["object"]["sha"])

    def pulls(self) -> list[dict[str, Any]]:
        """Return all pull requests, oldest first."""
        return sorted(self.person("GET", "/pulls?state=all"), key=lambda pull: int(pull["number"]))

    def comments(self, number: int) -> list[dict[str, Any]]:
        """Return the comments of an issue or pull request."""
        return list(self.person("GET", f"/issues/{number}/comments"))

    def listen(self) -> None:
        """Give the App a webhook, whose deliveries are kept and never sent."""
        app = {"app_id": 7, "slug": SLUG, "public_key_pem": key_pair()[1], "owner": "octo"}
        self.control("PUT", "/app", {**app, "webhook_url": "http://127.0.0.1:9/"})

    def grant(self, **permissions: Any) -> None:
        """Have the installation grant these permissions, and no others."""
        for installation in self._world.store.installations:
            installation.permissions = permissions
            self._world.store.installations.put(installation)

    def deliveries(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what the App was told since the last time, oldest first: GUID, event and payload."""
        told = list(self._world.store.deliveries)
        for delivery in told:
            self._world.store.deliveries.delete(delivery.id)
        return [(it.guid, it.event, it.payload) for it in told]

    def pending(self) -> list[Delivery]:
        """Return what was not delivered yet, oldest first."""
        return [it for it in self._world.store.deliveries if it.pending]

    def delivered(self, delivery: Delivery, status: int) -> None:
        """Note with what status an attempt to deliver was answered."""
        delivery.pending, delivery.delivered_at, delivery.status_code = False, self.clock(), status
        delivery.status = "OK" if status // 100 == 2 else f"Invalid HTTP Response: {status}"
        self._world.store.deliveries.put(delivery)

    def permissions(self) -> list[dict[str, str]]:
        """Return what each token of the App that was ever made may do."""
        return [dict(token.permissions) for token in self._world.store.tokens]

    def app(self) -> GitHubApp:
        """Return the App, with a memory of its own."""
        secret = AppSecret(app_id="7", private_key=key_pair()[0])
        return GitHubApp(
            API,
            lambda: secret,
            transport=self,
            sleep=self.sleep,
            clock=self.clock,
            allowance_of=lambda account: self.allowances.setdefault(account, MemoryAllowance()),
        )

    def clock(self) -> float:
        """Unix seconds, as the App and the stand-in know them."""
        return time.time() + self.slept

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept += seconds


def _take(answers: list[tuple[str, str, Response]], method: str, path: str) -> Response | None:
    for number, (wanted, end, response) in enumerate(answers):
        if wanted == method and path.endswith(end):
            del answers[number]
            return response
    return None


class Deployment:
    """Everything that OpenPullRequest works with."""

    settings: ClassVar = OpenPullRequestSettings(
        sessions_table="table",
        artifacts_bucket="bucket",
        github_app_secret_arn="arn",
        github_api_url=API,
        model_provider="bedrock",
        model_id="global.anthropic.claude-sonnet-5-5",
        model_prices="",
        limit_usd=5,
        limit_turns=100,
        limit_minutes=30,
        max_sessions=4,
        max_sessions_per_repository=0,
        daily_usd=0,
        daily_usd_per_repository=0,
        stub_sessions=False,
        mention_name="pullwright",
        allowed_apps="renovate",
        allowed_owners="",
        jira_base_url="",
        jira_secret_arn="",
        jira_groups="",
    )

    def __init__(self, folder: Path) -> None:
        self.github = GitHub(folder)
        self.store = MemoryStore()
        self.artifacts = MemoryArtifacts()

    def open(
        self, session_id: str = "s-1", *, started_at: datetime | None = None, **fields: Any
    ) -> OpenedPullRequest:
        """Open a pull request as a fresh Lambda environment does."""
        event = OpenPullRequestEvent(
            session_id=session_id,
            execution_arn=execution(session_id),
            started_at=started_at or datetime.now(UTC),
            input={"repository": REPOSITORY, **fields},
        )
        return open_pull_request(event, self.services_of(self.settings))

    def services_of(self, settings: Any) -> Services[Any]:
        """Return what a function of these settings works with."""
        return Services(self.github.app(), self.store, self.artifacts, settings)

    def end(self, session_id: str = "s-1") -> None:
        """Give the session's lock back, as CloseSession does."""
        for key in self.store.locks():
            self.store.release_lock(key, owner=execution(session_id))


def execution(session_id: str) -> str:
    """Return the ARN of a session's execution."""
    return f"arn:aws:states:eu-central-1:123456789012:execution:agent-session:{session_id}"


def refused(deployment: Deployment, error: type[PullwrightError], **fields: Any) -> PullwrightError:
    """Check that a session is refused, and that neither a lock nor a pull request is left."""
    with pytest.raises(error) as caught:
        deployment.open(**fields)
    assert deployment.store.locks() == []
    return caught.value

"""The GitHub stand-in without any network: two people, an App and a repository."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from github_standin import api, graphql
from github_standin.calls import Call
from github_standin.control import Control
from github_standin.declaration import Declaration
from github_standin.github import GitHub
from github_standin.webhooks import request_headers
from local.layout import APP_PERMISSIONS
from standin.exchanges import Exchanges
from standin.faults import Faults
from standin.sending import encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from standin.answers import Reply

NOW = 1_800_000_000.0
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
MAINTAINER = "ghp_maintainer"
OUTSIDER = "ghp_outsider"
REPO = "/repos/octo/app"


@dataclass
class StandIn:
    """A stand-in with two people, an App and a repository.

    Args:
        time: what its clock shows; tests move it.
        exchanges: writes down what is asked and answered, for GitHub's own descriptions to judge.
    """

    world: GitHub
    time: list[float] = field(default_factory=lambda: [NOW])
    exchanges: Exchanges = field(default_factory=lambda: Exchanges(None))

    def control(self, method: str, path: str, body: object = None) -> Reply:
        """Ask the control API."""
        content = json.dumps(body).encode() if body is not None else b""
        control = Control(self.world, Faults(), deque())
        return control.respond(Call(self.world, method, path, content=content))

    def ask(
        self, method: str, path: str, body: object = None, token: str | None = MAINTAINER, **query: str
    ) -> Reply:
        """Ask the REST API."""
        headers = {"user-agent": "test"} | ({"authorization": f"Bearer {token}"} if token else {})
        content = json.dumps(body).encode() if body is not None else b""
        call = Call(self.world, method, path, query, headers, content)
        reply = api.respond(call)
        self.exchanges.answered("rest", call.actor.kind, call, reply)
        return reply

    def diff(self, path: str) -> Reply:
        """Ask for a pull request's whole difference."""
        headers = {"user-agent": "test", "accept": "application/vnd.github.diff"}
        return api.respond(Call(self.world, "GET", path, {}, headers))

    def rendered(self, path: str) -> Any:
        """Ask for something with its texts in every form."""
        headers = {"user-agent": "test", "accept": "application/vnd.github.full+json"}
        call = Call(self.world, "GET", path, {}, headers)
        reply = api.respond(call)
        self.exchanges.answered("rest", call.actor.kind, call, reply)
        return reply.body

    def get(self, path: str, token: str | None = MAINTAINER) -> Any:
        """Ask for something that is there."""
        reply = self.ask("GET", path, token=token)
        assert reply.status == 200, reply.body
        return reply.body

    def graphql(self, query: str, token: str, **variables: Any) -> Any:
        """Ask the GraphQL API for its answer's body."""
        return self.graphql_reply(query, token, **variables).body

    def graphql_reply(self, query: str, token: str, **variables: Any) -> Reply:
        """Ask the GraphQL API."""
        content = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"authorization": f"bearer {token}"}
        call = Call(self.world, "POST", "/", {}, headers, content)
        reply = graphql.respond(call)
        self.exchanges.answered("graphql", call.actor.kind, call, reply)
        return reply

    def app_token(self, **claims: Any) -> str:
        """Sign an App's token; claims of None are left out."""
        now = int(self.time[0])
        all_claims = {"iss": "7", "iat": now - 60, "exp": now + 540, **claims}
        return jwt.encode({k: v for k, v in all_claims.items() if v is not None}, PEM, "RS256")

    def token(self, repository: str = "app", **permissions: str) -> str:
        """Get an installation token for one repository with these permissions."""
        app = self.app_token()
        number = self.get(f"/repos/octo/{repository}/installation", app)["id"]
        body: dict[str, Any] = {"repositories": [repository]}
        if permissions:
            body["permissions"] = permissions
        reply = self.ask("POST", f"/app/installations/{number}/access_tokens", body, app)
        assert reply.status == 201, reply.body
        return str(reply.body["token"])

    def branch(self, name: str = "topic", token: str = MAINTAINER) -> str:
        """Create a branch with an empty commit of its own and return the commit."""
        base = self.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
        tree = self.get(f"{REPO}/git/commits/{base}")["tree"]["sha"]
        body = {"message": "Begin", "tree": tree, "parents": [base]}
        sha = self.ask("POST", f"{REPO}/git/commits", body, token).body["sha"]
        reply = self.ask("POST", f"{REPO}/git/refs", {"ref": f"refs/heads/{name}", "sha": sha}, token)
        assert reply.status == 201, reply.body
        return str(sha)

    def pull(self, token: str = MAINTAINER, **more: Any) -> Reply:
        """Open a pull request from `topic`."""
        body = {"title": "Topic", "head": "topic", "base": "main", **more}
        return self.ask("POST", f"{REPO}/pulls", body, token)

    def forget_deliveries(self) -> None:
        """Write down what was queued for the webhook, and empty the queue."""
        for delivery in self.world.store.deliveries:
            if self.world.app is not None:
                headers = request_headers(self.world.app, delivery, encode(delivery.payload))
                self.exchanges.delivered(headers, delivery.payload)
            self.world.store.deliveries.delete(delivery.id)

    def events(self) -> list[tuple[str, str | None]]:
        """Return what was queued for the webhook."""
        return [(it.event, it.action) for it in self.world.store.deliveries]


def open_lab(
    folder: Path, declaration: Declaration | None = None, exchanges: Path | None = None
) -> Iterator[StandIn]:
    """Yield a stand-in whose webhooks are queued and never sent.

    Args:
        declaration: the App's permissions and events, the product's own if not given.
        exchanges: folder for what is asked, answered and queued.
    """
    time = [NOW]
    declared = declaration or Declaration.read(APP_PERMISSIONS)
    world = GitHub(folder / "data", "http://127.0.0.1:4000", lambda: time[0], declared)
    made = StandIn(world, time, Exchanges(exchanges))
    for login, token in (("maintainer", MAINTAINER), ("outsider", OUTSIDER)):
        made.control("POST", "/users", {"login": login, "token": token})
    made.control(
        "PUT",
        "/app",
        {"app_id": 7, "slug": "wright", "public_key_pem": PUBLIC, "webhook_url": "http://127.0.0.1:9/"},
    )
    permissions = {"contents": "write", "issues": "write", "pull_requests": "write", "checks": "write"}
    reply = made.control(
        "POST",
        "/repositories",
        {
            "full_name": "octo/app",
            "files": {"a.txt": "one\n"},
            "permissions": {"maintainer": "admin"},
            "installation_permissions": permissions,
        },
    )
    assert reply.status == 201, reply.body
    yield made
    made.forget_deliveries()
    world.close()


def message(reply: Reply) -> tuple[int, str]:
    """Return status and sentence, with the detail of a failed validation."""
    detail = (reply.body.get("errors") or [{}])[0]
    return reply.status, detail.get("message") or detail.get("code") or reply.body["message"]

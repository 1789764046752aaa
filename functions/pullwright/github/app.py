"""The GitHub App: proves who we are, and mints tokens for one repository and named permissions."""

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict, Field

from pullwright.errors import (
    AppNotInstalled,
    GitHubRefused,
    InternalError,
    OwnerNotAllowed,
    PermissionMissing,
)
from pullwright.github.allowance import APP, Allowance
from pullwright.github.client import GitHubClient
from pullwright.github.connection import PAGE_SIZE, Connection, parse
from pullwright.github.fresh import Fresh
from pullwright.github.pace import Pace
from pullwright.github.payloads import (
    App,
    Delivery,
    Installation,
    InstallationToken,
    ReachedRepositories,
)
from pullwright.github.reasons import SUSPENDED_REMEDY
from pullwright.github.refusals import reaches
from pullwright.github.transport import Transport, Urllib3Transport
from pullwright.models import GitIdentity

# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
_CLOCK_DRIFT_SECONDS = 60
_JWT_SECONDS = 540
# A proof is used for so long.
_JWT_USED_SECONDS = 300
_RENEW_BEFORE = timedelta(minutes=5)
_REDIRECTS = (301, 302, 307, 308)
_NOT_FOUND = 404
# The installation is gone, or does not reach so far.
_NO_TOKEN = (_NOT_FOUND, 422)


class AppSecret(BaseModel):
    """What Secrets Manager keeps of the App; the key never shows in a repr."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True
    )

    app_id: str = Field(pattern=r"^[A-Za-z0-9.]+$")
    private_key: str = Field(repr=False, min_length=1)


class GitHubApp:
    """The App of this deployment.

    Args:
        read_secret: reads the App's secret afresh; it is kept in memory until GitHub refuses it.
        clock: the time now, Unix seconds.
        allowance_of: where the usage of an account's installation stands; without it each process goes by
            what it sees itself.
    """

    def __init__(
        self,
        api_url: str,
        read_secret: Callable[[], AppSecret],
        *,
        transport: Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        allowance_of: Callable[[str], Allowance] | None = None,
    ) -> None:
        self._api_url = api_url
        self._read_secret = read_secret
        self._transport = transport if transport is not None else Urllib3Transport()
        self._sleep = sleep
        self._clock = clock
        self._secret: AppSecret | None = None
        self._proof = ("", 0)
        self._tokens: dict[tuple[Any, ...], InstallationToken] = {}
        # By name: what bounds the waits is another for each invocation.
        self._fresh = Fresh(clock=clock, time_left=lambda: self.time_left())  # noqa: PLW0108 - see above
        self.time_left: Callable[[], float] = lambda: math.inf
        """Seconds that the function has still to live, which bound what is waited for."""
        self._app: App | None = None
        self._bot_id: int | None = None
        self._allowance_of = allowance_of
        self._paces: dict[str, Pace] = {}
        self._api = Connection(
            *(api_url, self._jwt),
            forget_token=self._forget_secret,
            transport=self._transport,
            sleep=sleep,
            pace=self.pace(APP),
        )

    def pace(self, account: str) -> Pace:
        """Return when GitHub may be asked for an account's installation, shared by all sessions."""
        key = account.lower()
        if key not in self._paces:
            allowance = None if self._allowance_of is None else self._allowance_of(key)
            self._paces[key] = Pace(allowance, clock=self._clock, sleep=self._sleep)
        return self._paces[key]

    @property
    def as_app(self) -> Connection:
        """The connection on which the App itself speaks, not one of its installations."""
        return self._api

    def app(self) -> App:
        """Return the App's id and slug, read once."""
        if self._app is None:
            self._app = self._api.get("/app", "read the GitHub App", App)
        return self._app

    def owner(self) -> str:
        """Return the login of the account or organisation that owns the App.

        https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app

        Raises:
            OwnerNotAllowed: an enterprise does, which owns no repository.
        """
        owner = self.app().owner
        if owner is None or not owner.login:
            raise OwnerNotAllowed(
                "The GitHub App belongs to no account that has repositories, and none is listed.",
                remedy="Ask the operator to list accounts in the parameter AllowedOwners.",
            )
        return owner.login

    def bot_id(self, client: GitHubClient) -> int:
        """Return the id of the account that the App's comments and pull requests belong to."""
        if self._bot_id is None:
            self._bot_id = client.get_user(f"{self.app().slug}[bot]").id
        return self._bot_id

    def author(self, client: GitHubClient) -> GitIdentity:
        """Return the author of the App's commits, for whom GitHub shows the App's picture."""
        name = f"{self.app().slug}[bot]"
        return GitIdentity(name=name, email=client.urls.noreply(self.bot_id(client), name))

    def deliveries(self, since: datetime) -> list[Delivery]:
        """Return the attempts to deliver a webhook to us, newest first.

        https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook

        Args:
            since: older attempts are left out; GitHub keeps them for three days.
        """
        what = "list the webhook's deliveries"
        path: str | None = "/app/hook/deliveries?per_page=100"
        found: list[Delivery] = []
        while path is not None:
            response = self._api.call("GET", path, what)
            if not isinstance(response.decoded, list):
                raise GitHubRefused(f"GitHub did not answer with a list when asked to {what}.")
            attempts = [parse(Delivery, delivery, what) for delivery in response.decoded]
            found.extend(attempt for attempt in attempts if attempt.delivered_at >= since)
            is_last = not attempts or attempts[-1].delivered_at < since
            path = None if is_last else self._next(response.headers.get("link", ""))
        return found

    def redeliver(self, delivery_id: int) -> None:
        """Ask GitHub to make another attempt.

        https://docs.github.com/en/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook
        """
        self._api.call("POST", f"/app/hook/deliveries/{delivery_id}/attempts", "deliver a webhook again")

    def _next(self, link: str) -> str | None:
        """Return the path of the next page: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api."""
        match = re.search(r'<([^>]+)>;\s*rel="next"', link)
        if match is None or not match[1].startswith(self._api.urls.rest + "/"):
            return None
        return match[1].removeprefix(self._api.urls.rest)

    def installation_of(self, repository: str) -> tuple[Installation, int | None]:
        """Return the installation that reaches a repository, and the repository's id if it has been renamed.

        Raises:
            AppNotInstalled: none does, or it is suspended.
        """
        what = "find the App's installation"
        path = f"/repos/{repository}/installation"
        renamed = None
        response = self._api.call("GET", path, what, allow=(_NOT_FOUND, *_REDIRECTS))
        if response.status in _REDIRECTS:
            match = re.search(r"/repositories/([0-9]+)/installation\Z", response.headers.get("location", ""))
            renamed = int(match[1]) if match else None
            response = self._api.call("GET", path, what, allow=(_NOT_FOUND,))
        if response.status == _NOT_FOUND:
            raise AppNotInstalled(f"The GitHub App is not installed on {repository}.")
        installation = parse(Installation, response.decoded, what)
        if installation.suspended_at is not None:
            raise AppNotInstalled(
                f"The GitHub App's installation on {repository} is suspended.",
                remedy=SUSPENDED_REMEDY,
            )
        return installation, renamed

    def repositories(self, installation_id: int, page: int) -> ReachedRepositories:
        """Return a page of what an installation reaches, a hundred at most.

        https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation

        Raises:
            AppNotInstalled: there is no such installation, or it is suspended.
        """
        minted = self._mint(installation_id, {}, {"metadata": "read"})
        if minted is None:
            raise AppNotInstalled("The GitHub App's installation is gone or suspended.")
        connection = Connection(
            *(self._api_url, lambda: minted.token),
            transport=self._transport,
            sleep=self._sleep,
            fresh=self._fresh.of("", lambda: self._clock() - minted.minted_at),
        )
        query = urlencode({"per_page": PAGE_SIZE, "page": page})
        what = "list what the installation reaches"
        return connection.get(f"/installation/repositories?{query}", what, ReachedRepositories)

    def token(
        self,
        repository: str,
        permissions: Mapping[str, str],
        installation_id: int | None = None,
        *,
        lasting: timedelta = _RENEW_BEFORE,
    ) -> InstallationToken:
        """Return a token for one repository and no more than the named permissions.

        https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app

        Args:
            repository: `owner/name`.
            permissions: name to level, for example `{"contents": "write"}`.
            installation_id: saves a look-up when it is known; a wrong one is looked up after all.
            lasting: how long the token is good for at least.

        Raises:
            AppNotInstalled: the App does not reach the repository.
            PermissionMissing: the installation has not granted one of the permissions.
        """
        key = (repository.lower(), tuple(sorted(permissions.items())))
        kept = self._tokens.get(key)
        now = datetime.fromtimestamp(self._clock(), UTC)
        if kept is not None and kept.expires_at - now > lasting:
            return kept
        limits: dict[str, Any] = {"repositories": [repository.partition("/")[2]]}
        minted = None if installation_id is None else self._mint(installation_id, limits, permissions)
        if minted is None:
            installation, renamed = self.installation_of(repository)
            if renamed is not None:
                limits = {"repository_ids": [renamed]}
            minted = self._mint(installation.id, limits, permissions)
            if minted is None:
                raise _why_not(installation, repository, permissions)
        self._tokens[key] = minted
        return minted

    def client(
        self, repository: str, permissions: Mapping[str, str], installation_id: int | None = None
    ) -> GitHubClient:
        """Return a client whose tokens are limited to one repository and the named permissions."""
        self.token(repository, permissions, installation_id)
        key = (repository.lower(), tuple(sorted(permissions.items())))

        def token() -> InstallationToken:
            return self.token(repository, permissions, installation_id)

        def forget() -> None:
            self._tokens.pop(key, None)

        return GitHubClient(
            self._api_url,
            lambda: token().token,
            forget_token=forget,
            granted=permissions,
            transport=self._transport,
            sleep=self._sleep,
            fresh=self._fresh.of(repository, lambda: self._clock() - token().minted_at),
            pace=self.pace(repository.partition("/")[0]),
        )

    def _mint(
        self, installation_id: int, limits: Mapping[str, Any], permissions: Mapping[str, str]
    ) -> InstallationToken | None:
        what = "give us a token for the repository"
        path = f"/app/installations/{installation_id}/access_tokens"
        body = {**limits, "permissions": dict(permissions)}
        try:
            response = self._api.call("POST", path, what, body=body, allow=_NO_TOKEN)
        except (GitHubRefused, AppNotInstalled):
            # A suspended installation answers 403; the look-up that follows says so in its own words.
            return None
        if response.status in _NO_TOKEN:
            return None
        token = parse(InstallationToken, response.decoded, what)
        return token.model_copy(update={"installation_id": installation_id, "minted_at": self._clock()})

    def _jwt(self) -> str:
        proof, made_at = self._proof
        now = int(self._clock())
        if proof and 0 <= now - made_at < _JWT_USED_SECONDS:
            return proof
        if self._secret is None:
            self._secret = self._read_secret()
        claims = {
            "iss": self._secret.app_id,
            "iat": now - _CLOCK_DRIFT_SECONDS,
            "exp": now + _JWT_SECONDS,
        }
        try:
            proof = jwt.encode(claims, _signing_key(self._secret.private_key), algorithm="RS256")
        except (ValueError, TypeError, UnsupportedAlgorithm, jwt.PyJWTError):
            # The cause may quote the key, so it is not chained.
            raise InternalError(
                "The GitHub App's private key is not an RSA key in PEM form.",
                remedy="Ask the operator to store the key that GitHub gave for the App.",
            ) from None
        self._proof = (proof, now)
        return proof

    def _forget_secret(self) -> None:
        self._secret = None
        self._proof = ("", 0)


@lru_cache(maxsize=1)
def _signing_key(pem: str) -> RSAPrivateKey:
    """Read the App's key once: its numbers are checked, which takes a hundred times as long as a signature.

    Raises:
        ValueError, TypeError, UnsupportedAlgorithm: it is none that can be read.
    """
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("not an RSA key")
    return key


def _why_not(
    installation: Installation, repository: str, permissions: Mapping[str, str]
) -> PermissionMissing | GitHubRefused:
    missing = [
        f"{name}: {level}"
        for name, level in sorted(permissions.items())
        if not reaches(installation.permissions.get(name, "none"), level)
    ]
    if missing:
        names = " and ".join(missing)
        return PermissionMissing(f"The GitHub App's installation on {repository} has not granted {names}.")
    return GitHubRefused(f"GitHub gave us no token for {repository}, though the App is installed there.")

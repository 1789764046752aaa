"""The line to GitHub: what is repeated, what is waited for, and what each refusal means."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pullwright.errors import (
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    InternalError,
    PermissionMissing,
    PullwrightError,
    RepositoryNotFound,
)
from pullwright.github import GitHubClient, GitHubUrls
from pullwright.github.app import AppSecret, GitHubApp
from pullwright.github.pace import Pace
from pullwright.github.transport import Request, Response
from tests.unit.pipeline_kit import API, REPOSITORY, GitHub, key_pair

if TYPE_CHECKING:
    from pathlib import Path

COMMENT = {"id": 5, "body": "b", "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z"}
REPO = {"id": 1, "full_name": "o/r", "default_branch": "main"}
NEEDS = "x-accepted-github-permissions"


class Script:
    """Answers one request after the other, and keeps what was asked."""

    def __init__(self, *responses: Response | PullwrightError) -> None:
        self._responses = list(responses)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        self.requests.append(request)
        response = self._responses.pop(0)
        if isinstance(response, PullwrightError):
            raise response
        return response


class Line:
    """A client on a script, with the waits that it made."""

    def __init__(self, *responses: Response | PullwrightError, **options: Any) -> None:
        self.script = Script(*responses)
        self.waits: list[float] = []
        self.tokens = iter(("first", "second", "third"))
        self._token = next(self.tokens)
        self.now = 1_800_000_000.0
        if options.pop("renews", False):
            options["forget_token"] = self._forget
        self.client = GitHubClient(
            "https://api.github.com",
            lambda: self._token,
            transport=self.script,
            sleep=self._sleep,
            pace=Pace(clock=lambda: self.now, sleep=self._sleep),
            **options,
        )

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def _forget(self) -> None:
        self._token = next(self.tokens)


def answer(status: int, body: Any = None, **headers: str) -> Response:
    """Return an answer of GitHub's; underscores in header names are dashes."""
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("api", "graphql", "git"),
    [
        ("https://api.github.com", "https://api.github.com/graphql", "https://github.com/o/r.git"),
        ("https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql", "https://acme.ghe.com/o/r.git"),
        ("https://git.acme.dev/api/v3", "https://git.acme.dev/api/graphql", "https://git.acme.dev/o/r.git"),
        ("http://127.0.0.1:81/api/v3", "http://127.0.0.1:81/api/graphql", "http://127.0.0.1:81/o/r.git"),
    ],
)
def test_all_addresses_derive_from_one(api: str, graphql: str, git: str) -> None:
    """GraphQL and git are found from the REST root, on github.com and on servers of one's own."""
    urls = GitHubUrls.of(api)
    assert (urls.graphql, urls.git("o/r")) == (graphql, git)


@pytest.mark.parametrize("api", ["", "github.com", "https://github.com/o", "ftp://api.github.com"])
def test_other_addresses_are_refused(api: str) -> None:
    """An address that is no API root is named as the setting that is wrong."""
    with pytest.raises(InternalError, match="GITHUB_API_URL"):
        GitHubUrls.of(api)


def test_a_read_is_repeated_after_a_failure() -> None:
    """A GET that got a 502 or no answer at all is made again."""
    line = Line(answer(502), GitHubUnavailable("no answer"), answer(200, REPO))
    assert line.client.get_repository("o/r").full_name == "o/r"
    assert len(line.script.requests) == 3


def test_a_post_is_made_once() -> None:
    """A POST that got a 502 may have been carried out: it is never made again."""
    line = Line(answer(502), answer(201, COMMENT))
    with pytest.raises(GitHubUnavailable):
        line.client.create_comment("o/r", 1, "b")
    assert len(line.script.requests) == 1


def test_a_short_limit_is_waited_for() -> None:
    """A secondary limit is waited for as long as GitHub says, also by a POST, which was not carried out."""
    line = Line(answer(403, retry_after="7"), answer(201, COMMENT))
    assert line.client.create_comment("o/r", 1, "b").id == 5
    assert line.waits == [7.0]


@pytest.mark.parametrize(
    "limited",
    [
        answer(403, retry_after="900"),
        answer(429),
        answer(429, retry_after="soon"),
        answer(403, {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}),
        answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="99999999999"),
    ],
)
def test_a_long_limit_is_passed_on(limited: Response) -> None:
    """A limit that lasts longer than patience ends the call and says how long it lasts."""
    line = Line(limited)
    with pytest.raises(GitHubRateLimited) as caught:
        line.client.get_repository("o/r")
    assert caught.value.retry_after >= 60
    assert line.waits == []


def test_patience_is_for_a_whole_call() -> None:
    """However often GitHub says a few seconds, one call does not wait for ever."""
    line = Line(*[answer(429, retry_after="6")] * 10)
    with pytest.raises(GitHubRateLimited):
        line.client.get_repository("o/r")
    assert sum(line.waits) <= 20


def test_a_refused_token_is_renewed_once() -> None:
    """After 401 a new token is fetched; a second 401 is final."""
    line = Line(answer(401), answer(200, REPO), renews=True)
    line.client.get_repository("o/r")
    assert [request.headers["authorization"] for request in line.script.requests] == [
        "Bearer first",
        "Bearer second",
    ]
    with pytest.raises(GitHubRefused):
        Line(answer(401), answer(401), renews=True).client.get_repository("o/r")


@pytest.mark.parametrize(
    ("response", "error", "says"),
    [
        (answer(404), RepositoryNotFound, "o/r"),
        (answer(403, **{NEEDS: "issues=write; pull_requests=write"}), PermissionMissing, "issues: write or"),
        (answer(403, **{NEEDS: "contents=read"}), GitHubRefused, "403"),
        (answer(403, {"message": "locked"}), GitHubRefused, "locked"),
        (answer(418, {"message": "teapot"}), GitHubRefused, "teapot"),
        (answer(200, {"id": "?"}), GitHubRefused, "could not be read"),
        (answer(200, None), GitHubRefused, "could not be read"),
    ],
)
def test_refusals_are_told_apart(response: Response, error: type[PullwrightError], says: str) -> None:
    """Status and headers decide what a refusal is; a permission that the token has is not missing."""
    with pytest.raises(PullwrightError) as caught:
        Line(response, granted={"contents": "write"}).client.get_repository("o/r")
    assert type(caught.value) is error
    assert says in caught.value.sentence


def test_the_token_stays_with_the_api() -> None:
    """A redirect is followed inside the API only; elsewhere the token is not sent."""
    inside = answer(301, location="https://api.github.com/repositories/1")
    assert Line(inside, answer(200, REPO)).client.get_repository("o/old").full_name == "o/r"
    line = Line(answer(302, location="https://api.github.com.evil.example/x"), answer(200, REPO))
    with pytest.raises(GitHubRefused):
        line.client.get_repository("o/r")
    assert len(line.script.requests) == 1


def test_a_list_is_read_to_its_end() -> None:
    """Pages are read until one is not full."""
    line = Line(answer(200, [COMMENT] * 100), answer(200, [COMMENT] * 3))
    assert len(line.client.comments("o/r", 1)) == 103


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("FORBIDDEN", PermissionMissing),
        ("RATE_LIMITED", GitHubRateLimited),
        ("RATE_LIMIT", GitHubRateLimited),
        ("NOT_FOUND", GitHubRefused),
    ],
)
def test_graphql_refuses_with_200(kind: str, error: type[PullwrightError]) -> None:
    """GraphQL names its refusals in the body."""
    with pytest.raises(error):
        Line(answer(200, {"errors": [{"type": kind, "message": "no"}]})).client.graphql("query", {}, "ask")


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    """Provide the stand-in with one repository."""
    made = GitHub(tmp_path)
    made.repository()
    return made


def minted(github: GitHub) -> int:
    """Return how many tokens were asked for."""
    return sum(path.endswith("/access_tokens") for _, path in github.seen)


def test_a_token_is_kept_until_it_ends_soon(github: GitHub) -> None:
    """One token serves until five minutes before its end, or as long as the caller needs."""
    now = [github._world.now()]
    secret = AppSecret(app_id="7", private_key=key_pair()[0])
    app = GitHubApp(API, lambda: secret, transport=github, clock=lambda: now[0])
    first = app.token(REPOSITORY, {"issues": "write"})
    assert app.token(REPOSITORY, {"issues": "write"}) == first
    assert app.token(REPOSITORY, {"contents": "read"}) != first
    assert minted(github) == 2
    now[0] += 56 * 60
    github._world.now = lambda: now[0]  # the stand-in's clock
    assert app.token(REPOSITORY, {"issues": "write"}) != first


def test_a_token_reaches_one_repository_and_no_more(github: GitHub) -> None:
    """What was not named is out of the token's reach."""
    github.control(
        "POST", "/repositories", {"full_name": "octo/other", "files": {"a": "b"}, "installed": True}
    )
    client = github.app().client(REPOSITORY, {"issues": "write"})
    with pytest.raises(PermissionMissing, match="contents: write"):
        client.create_branch(REPOSITORY, "b", "0" * 40)
    # The token is new: that it reaches no further is not certain yet.
    with pytest.raises(GitHubUnavailable):
        client.react("octo/other", 1, "eyes")


def test_a_stale_installation_id_is_looked_up_again(github: GitHub) -> None:
    """After a reinstallation the id of an old webhook does not matter."""
    assert github.app().token(REPOSITORY, {"issues": "write"}, 999_999).installation_id != 999_999


def test_a_rotated_key_is_read_again_once(github: GitHub) -> None:
    """When GitHub refuses the App's key, the secret is read again; a second refusal is final."""
    reads: list[str] = []

    def read() -> AppSecret:
        reads.append("read")
        wrong = key_pair.__wrapped__()[0] if len(reads) == 1 else key_pair()[0]
        return AppSecret(app_id="7", private_key=wrong)

    app = GitHubApp(API, read, transport=github, sleep=lambda _seconds: None)
    app.token(REPOSITORY, {"issues": "write"})
    app.token(REPOSITORY, {"issues": "write"})
    assert len(reads) == 2


def test_a_proof_of_who_we_are_is_signed_once_in_a_while() -> None:
    """What is shown to GitHub is good for minutes to come, and new before GitHub's ten minutes are over."""
    now, shown = [1_000_000], []
    script = Script(*[answer(200, []) for _ in range(120)])
    secret = AppSecret(app_id="7", private_key=key_pair()[0])
    app = GitHubApp(API, lambda: secret, transport=script, clock=lambda: now[0])
    for _ in range(120):
        app.deliveries(datetime(2025, 1, 1, tzinfo=UTC))
        token = script.requests[-1].headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(
            token, key_pair()[1], ["RS256"], options={"verify_exp": False, "verify_iat": False}
        )
        assert claims["iat"] < now[0] < claims["exp"] - 180
        assert claims["exp"] - claims["iat"] <= 600
        shown.append(token)
        now[0] += 10
    assert len(set(shown)) == 4


@pytest.mark.parametrize("wrong", ["text", "public", "another kind", "encrypted"])
def test_a_key_that_cannot_sign_is_not_shown(wrong: str) -> None:
    """A wrong private key is said so, without any of its text."""
    private, public = key_pair()
    curve = ec.generate_private_key(ec.SECP256R1())
    key = serialization.load_pem_private_key(private.encode(), password=None)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text = {
        "text": "not a key but secret",
        "public": public,
        "another kind": curve.private_bytes(pem, form, serialization.NoEncryption()).decode(),
        "encrypted": key.private_bytes(pem, form, serialization.BestAvailableEncryption(b"x")).decode(),
    }[wrong]
    secret = AppSecret(app_id="7", private_key=text)
    app = GitHubApp(API, lambda: secret, transport=Script())
    with pytest.raises(InternalError, match="private key is not an RSA key") as caught:
        app.token(REPOSITORY, {})
    assert text not in caught.value.sentence
    assert "secret" not in caught.value.sentence
    assert caught.value.__cause__ is None
    assert text not in repr(secret)


def test_a_renamed_repository_gets_a_token_by_its_id() -> None:
    """GitHub redirects the look-up by the old name to the repository's id, which the token is limited to."""
    token = {"token": "t", "expires_at": "2999-01-01T00:00:00Z"}
    script = Script(
        answer(301, location=f"{API}/repositories/42/installation"),
        answer(301, location=f"{API}/repositories/42/installation"),
        answer(200, {"id": 9}),
        answer(201, token),
    )
    secret = AppSecret(app_id="7", private_key=key_pair()[0])
    app = GitHubApp(API, lambda: secret, transport=script)
    assert app.token("octo/old-name", {"issues": "write"}).installation_id == 9
    assert script.requests[-1].body is not None
    assert json.loads(script.requests[-1].body)["repository_ids"] == [42]

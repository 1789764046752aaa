"""Which values count as secrets, and that none of them is shown; oracles: `test_leak_oracles.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import PushRefused
from runner.clock import Clock
from runner.git.leaks import matches, redact, redact_line
from runner.git.scanner import SECONDS, Leak, Scanner
from runner.git.sizes import MAX_CHANGED_BYTES, check_size
from runner.git.store import Store
from runner.git.tree import Change
from tests.unit.branch_kit import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HASH = "a" * 40
# In pieces, so that no scanner takes this file for what it tests.
BODY = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"] * 3)


def a_key(kind: str = "RSA ", extra: str = "") -> str:
    """Return a made-up private key."""
    name = kind + "PRIVATE" + " KEY"
    return f"-----BEGIN {name}-----\n{extra}{BODY}\n-----END {name}-----"


SECRETS = {
    "rsa": (a_key(), "a private key"),
    "pkcs8": (a_key(""), "a private key"),
    "openssh": (a_key("OPENSSH "), "a private key"),
    "encrypted": (a_key(extra="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"), "a private key"),
    "aws": ("AKI" + "AQ3EGSHBQNR5VT7PL", "an AWS access key"),
    "aws_temporary": ("ASI" + "AQ3EGSHBQNR5VT7PL", "an AWS access key"),
    "github": ("gh" + "p_" + "a1B2" * 9, "a GitHub token"),
    "ssh2": (
        "---- BEGIN SSH2 ENCRYPTED PRIVATE" + f" KEY ----\n{BODY}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        "a private key",
    ),
    "pgp": (
        a_key("PGP ", "Version: 1\n\n").replace("KEY--", "KEY BLOCK--"),
        "a private key",
    ),
    "putty": ("Private" + f"-Lines: 3\n{BODY}", "a private key"),
    "aws_session": ("IQoJb3Jp" + "Z2lu" + "X2Vj" * 40, "an AWS access key"),
    "bedrock": ("ABS" + "K" + "QmVk" * 30, "an AWS access key"),
    "github_jwt": (
        "gh" + "s_1234567_" + jwt.encode({"iss": "x" * 200}, "k" * 64, "HS512", {"kid": "1"}),
        "a GitHub token",
    ),
    "github_jwt_of_a_client": (
        "gh" + "s_Iv23liAbCdEf_eyJhbGciOiJub25lIn0." + "a-_1" * 30 + "." + "b2-_" * 80,
        "a GitHub token",
    ),
    "github_long": ("gh" + "s_" + "a1B2" * 20, "a GitHub token"),
    "github_fine": ("github_" + "pat_" + "a1" * 11 + "_" + "b" * 59, "a GitHub token"),
    "anthropic": ("sk-" + "ant-api03-" + "a1-B" * 20, "an Anthropic key"),
    "slack": ("xox" + "b-123456789012-123456789012-" + "a1B2c3D4", "a Slack token"),
    "slack_hook": ("https://hooks.slack" + ".com/services/T000000/B000000/a1B2c3", "a Slack token"),
    "slack_app": ("xap" + "p-1-A0123456789-1234567890123-" + "a1b2" * 16, "a Slack token"),
    "slack_refresh": ("xox" + "e.xoxp-1-" + "A1b2" * 40, "a Slack token"),
    "slack_flow": (
        "https://hooks.slack" + ".com/workflows/T00000000/A00000000/123456789/a1B2c3D4",
        "a Slack token",
    ),
    "anthropic_admin": ("sk-" + "ant-admin01-" + "a1-B" * 24, "an Anthropic key"),
    "stripe_long": ("rk_" + "live_" + "a1B2" * 26, "a Stripe key"),
    "stripe": ("sk_" + "live_" + "a1B2" * 6, "a Stripe key"),
}
SECRETS |= {
    "gitlab": ("glp" + "at-" + "a1B2-" * 4, "a GitLab token"),
    "gitlab_runner": ("GR13" + "48941" + "a1B2-" * 4, "a GitLab token"),
    "npm": ("npm" + "_" + "a1B2" * 9, "an npm token"),
    "pypi": ("pypi-" + "AgEIcHlwaS5vcmc" + "C1a2" * 20, "a PyPI token"),
    "rubygems": ("ruby" + "gems_" + "a1b2" * 12, "a RubyGems token"),
    "crates": ("ci" + "o" + "a1B2" * 8, "a crates.io token"),
    "docker": ("dckr" + "_pat_" + "a1B2-" * 6, "a Docker token"),
    "openai": ("sk-" + "a1B2c" * 4 + "T3Blbk" + "FJ" + "a1B2c" * 4, "an OpenAI key"),
    "openai_project": ("sk-" + "proj-" + "a1B_" * 18 + "T3Blbk" + "FJ" + "a1B-" * 18, "an OpenAI key"),
    "google": ("AI" + "za" + "a1B2-" * 7, "a Google key"),
    "google_oauth": ("GOC" + "SPX-" + "a1B2" * 7, "a Google key"),
    "azure_client": ("a1~8" + "Q~" + "a1B2" * 8, "an Azure key"),
    "sendgrid": ("S" + "G." + "a1B2-c3D4_e5F6g7H8i9J0" + "." + "a1B2-" * 8 + "c3d", "a SendGrid key"),
    "hugging_face": ("h" + "f_" + "aB" * 17, "a Hugging Face token"),
    "digitalocean": ("do" + "p_v1_" + "a1b2" * 16, "a DigitalOcean token"),
    "vault": ("hv" + "s." + "a1B2-" * 19, "a Vault token"),
    "terraform": ("a1B2c3D4e5F6g7" + ".atlas" + "v1." + "a1B2-" * 13, "a Terraform token"),
    "shopify": ("shp" + "at_" + "a1B2" * 8, "a Shopify token"),
    "square": ("sq0" + "csp-" + "a1B2-" * 8 + "c3d", "a Square token"),
    "databricks": ("da" + "pi" + "a1b2" * 8, "a Databricks token"),
    "atlassian": ("ATA" + "TT3xFf" + "a1B2-" * 30, "an Atlassian token"),
    "grafana": ("gl" + "sa_" + "a1B2" * 8 + "_0a1b2c3d", "a Grafana token"),
    "mailchimp": ("a1b2" * 8 + "-us" + "12", "a Mailchimp key"),
    "twilio": ("S" + "K" + "a1b2" * 8, "a Twilio key"),
    "one_password": ("ops_" + "eyJ" + "a1B2" * 70, "a 1Password key"),
    "doppler": ("dp." + "pt." + "a1B2" * 10 + "c3D", "a Doppler token"),
    "discord_webhook": (
        "discord" + ".com/api/webhooks/" + "123456789012345678/" + "a1B2" * 17,
        "a Discord webhook",
    ),
    "telegram": ("123456789:" + "AA" + "a1B2-" * 6 + "c3D", "a Telegram token"),
    "age": ("AGE-SECRET" + "-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA" * 2, "a private key"),
}
SECRETS["age"] = (SECRETS["age"][0][:74], "a private key")
HARMLESS = {
    "first line alone": 'if "-----BEGIN RSA PRIVATE' + ' KEY-----" in text:\n    raise ValueError\n',
    "public key": "-----BEGIN PUBLIC" + " KEY-----\n" + BODY,
    "documented key": "AKI" + "AIOSFODNN7EXAMPLE",
    "documented secret": "aws_secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfi" + "CYEXAMPLEKEY'",
    "stripe test key": "sk_" + "test_" + "a1B2" * 6,
    "hashes": "sha256:" + "0123456789abcdef" * 4 + " " + HASH,
    "names": "ghp_token = os.environ['ANTHROPIC_API_KEY']  # sk-ant-...",
    "words with the same prefix": "npm_config_registry hf_hub sgp_ dapi_version AIzawa sg.name cio.run",
    "checksum of an image": "sha256:" + "0a1b" * 16,
    "uuid": "3b241101-e2bb-4255-8caf-4136c566a962",
}


AWS_SECRET = "q1W/" * 10


def find(
    repository: Repository, new: Mapping[str, bytes | str], base: Mapping[str, bytes]
) -> list[tuple[str, int, str]]:
    """Path, line and kind of what is found when the base becomes something new."""
    before = repository.tree(base)
    changes = repository.store.changes(before, repository.tree(new))
    return [(leak.path, leak.line, leak.kind) for leak in Scanner(repository.store, before).find(changes)]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Provide an empty one."""
    return Repository(tmp_path)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_and_not_shown(repository: Repository, name: str) -> None:
    """Each kind is found in its line, and goes out of a text and of a line of JSON with nothing left."""
    value, kind = SECRETS[name]
    found = find(repository, {"a.txt": f"one\n\nx: {value}\nend".encode()}, {})
    assert found == [("a.txt", 3, kind)]
    assert redact(f"x: {value}\n.") == f"x: [{kind}]\n."
    line = redact_line(json.dumps({"a": [{"b": f'"{value}"'}]}).encode())
    assert json.loads(line) == {"a": [{"b": f'"[{kind}]"'}]}


@pytest.mark.parametrize(
    "form",
    [
        "aws_secret_access_key = '{}'",
        "AWS_SECRET_ACCESS_KEY={}",
        "aws_secret_access_key: {}",
        '"SecretAccessKey": "{}"',
        "secret_key = {}",
        "Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{}",
        "AKIAIOSFODNN7EXAMPLE\t{}\n",
    ],
)
def test_an_aws_secret_is_found_where_people_keep_it(repository: Repository, form: str) -> None:
    """It has no form of its own; the rest of the line stays."""
    text = form.format(AWS_SECRET)
    assert [kind for _, _, kind in find(repository, {"a.txt": text.encode()}, {})] == ["an AWS access key"]
    assert redact(text) == form.format("[an AWS access key]")


@pytest.mark.parametrize("name", HARMLESS)
def test_what_looks_like_one_is_none(repository: Repository, name: str) -> None:
    """Documented examples, hashes, names and first lines alone neither refuse nor change anything."""
    text = HARMLESS[name]
    assert find(repository, {"a.txt": text.encode()}, {}) == []
    assert redact(text) == text


@pytest.mark.parametrize("name", SECRETS)
def test_what_the_branch_had_is_no_finding(repository: Repository, name: str) -> None:
    """A value that stands in the base may be moved about."""
    value, _ = SECRETS[name]
    base = {"old.txt": f"here:\n{value}\n".encode()}
    assert find(repository, {"a.txt": f"moved:\n\n{value}\n".encode()}, base) == []


def test_a_key_that_begins_like_the_branchs_own_is_another(repository: Repository) -> None:
    """The whole of it counts, and what a key that never ends is followed by."""
    own, other = (
        a_key(),
        a_key(extra="").replace("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-", "AAAA\n-"),
    )
    assert own != other
    base = {"own.pem": own.encode()}
    assert find(repository, {"new.pem": other.encode()}, base) == [("new.pem", 1, "a private key")]
    cut = own.partition("-----END")[0]
    found = find(repository, {"both": f"{cut}\n{other}".encode()}, {"cut": cut.encode()})
    assert [kind for _, _, kind in found] == ["a private key"]


@pytest.mark.parametrize("name", ["github", "github_jwt", "aws", "anthropic", "slack", "stripe"])
def test_names_and_links_are_searched(repository: Repository, name: str) -> None:
    """A secret in a path or in what a link points to is one, and the sentence does not show it."""
    value, kind = SECRETS[name]
    found = find(repository, {f"keys/{value}.txt": b"x", "link": value}, {})
    assert found == [(f"keys/{value}.txt", 0, kind), ("link", 1, kind)]
    sentence = Leak(*found[0]).failure().sentence
    assert f"The name of the file `keys/[{kind}" in sentence
    assert value not in sentence
    assert find(repository, {f"new/{value}.txt": b"x"}, {f"keys/{value}.txt": b"x"}) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["github", "rsa", "aws"])
def test_wide_encodings_hide_nothing(repository: Repository, name: str, encoding: str) -> None:
    """Windows' programs write UTF-16."""
    value, kind = SECRETS[name]
    content = f"one\nx: {value}\n".encode(encoding)
    assert find(repository, {"a.txt": content}, {}) == [("a.txt", 2, kind)]


def test_a_secret_is_found_wherever_it_stands_in_a_large_file(repository: Repository) -> None:
    """Also where two of the pieces meet that a file is searched in; what was moved from there is none."""
    value, kind = SECRETS["github_jwt"]
    for start in ((1 << 20) - 300, (1 << 20) + (32 << 10) - 300):
        content = b"\n" * start + value.encode() + b"\n" * 1000
        assert find(repository, {"a": content}, {}) == [("a", start + 1, kind)]
        assert find(repository, {"b": b"moved " + value.encode()}, {"a": content}) == []


class Counted(Store):
    """A store that counts how often the base is searched."""

    searches = 0

    def holding(self, tree: str, patterns: object, should_stop: Callable[[], bool]) -> list[str]:
        """Search it."""
        self.searches += 1
        return super().holding(tree, patterns, should_stop)  # type: ignore[arg-type]


def test_thousands_of_copies_cost_one_search(repository: Repository) -> None:
    """Whatever the number of values and copies, the base is searched once in a session."""
    values = [f"gh{'p'}_{n:036}" for n in range(3_000)]
    base = {"old": "\n".join(values).encode()}
    scanner = Scanner(repository.store, repository.tree(base))
    store = Counted(repository.store.folder)
    scanner._store = store
    new = {**base, **{f"copy{n}": "\n".join([str(n), *values]).encode() for n in range(5)}}
    assert scanner.find(store.changes(scanner._base, repository.tree(new))) == []
    assert scanner.find(store.changes(scanner._base, repository.tree({**new, "x": b"y"}))) == []
    assert store.searches == 1


class Racing(Clock):
    """A clock that is always a little over the limit later."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._now = 0.0

    def monotonic(self) -> float:
        """Let time pass."""
        self._now += 2 * SECONDS
        return self._now


@pytest.mark.parametrize("name", ["a.txt", SECRETS["github"][0]])
def test_what_there_was_no_time_for_is_refused(repository: Repository, name: str) -> None:
    """Not searched is not clean: every such file is named, and none is taken for clean later."""
    scanner = Scanner(repository.store, repository.tree({}), Racing())
    changes = repository.store.changes(scanner._base, repository.tree({name: b"x" * 9, "b": b"y" * 9}))
    leaks = scanner.find(changes)
    assert {leak.path for leak in leaks} == {name, "b"}
    assert {leak.kind for leak in leaks} == {""}
    assert "no time to search the file" in leaks[0].failure().sentence
    scanner._clock = Clock()
    assert {leak.path for leak in scanner.find(changes)} == {name} - {"a.txt"}


@given(st.lists(st.sampled_from(sorted(value for value, _ in SECRETS.values())), min_size=1, max_size=3))
def test_nothing_is_left_to_redact(values: list[str]) -> None:
    """What was redacted once holds no secret any more."""
    assert list(matches(redact("\n".join(values)))) == []


def test_the_sentence_names_file_line_and_kind_only(repository: Repository) -> None:
    """The failure says where to look, also when the path itself is a secret."""
    value, _ = SECRETS["github"]
    path = f"keys/{value}"
    (found,) = find(repository, {path: a_key().encode()}, {path: b"x"})
    sentence = Leak(*found).failure().sentence
    assert "`keys/[a GitHub token]` holds what looks like a private key in line 1" in sentence
    assert value not in sentence


def test_too_much_is_refused_before_anything_is_read(repository: Repository) -> None:
    """Files within GitHub's limit are refused when together they are more than what is searched."""

    class Large(Store):
        def sizes(self, blobs: list[str]) -> dict[str, int]:
            return dict.fromkeys(blobs, 65 << 20)

    changes = [Change(f"{n}.txt", "000000", "100644", HASH) for n in range(2)]
    with pytest.raises(PushRefused, match=f"{MAX_CHANGED_BYTES >> 20} MiB together"):
        check_size(changes, Large(repository.store.folder))


def test_a_line_without_secrets_stays_to_the_byte() -> None:
    """Nothing is written anew that holds no secret."""
    for line in (b'{"a":1,  "b":"\\u00e9"}\n', b"\xff no JSON\n"):
        assert redact_line(line) == line

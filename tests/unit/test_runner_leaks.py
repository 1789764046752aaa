"""Which values count as secrets, and that none of them is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pytest

from pullwright.errors import PushRefused
from runner.git.leaks import Scanner, redact, redact_line
from runner.git.tree import MAX_CHANGED_BYTES, Change, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.git.store import Store

HASH = "a" * 40
# In pieces, so that no scanner takes this file for what it tests.
BODY = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"] * 3)


def a_key(kind: str = "RSA ", extra: str = "") -> str:
    """A made-up private key."""
    name = kind + "PRIVATE" + " KEY"
    return f"-----BEGIN {name}-----\n{extra}{BODY}\n-----END {name}-----"


SECRETS = {
    "rsa": (a_key(), "a private key"),
    "pkcs8": (a_key(""), "a private key"),
    "openssh": (a_key("OPENSSH "), "a private key"),
    "encrypted": (a_key(extra="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"), "a private key"),
    "aws": ("AKI" + "AQ3EGSHBQNR5VT7PL", "an AWS access key"),
    "aws_temporary": ("ASI" + "AQ3EGSHBQNR5VT7PL", "an AWS access key"),
    "aws_secret": ("aws_secret_access_" + "key = '" + "q1W/" * 10 + "'", "an AWS access key"),
    "github": ("gh" + "p_" + "a1B2" * 9, "a GitHub token"),
    "github_long": ("gh" + "s_" + "a1B2" * 20, "a GitHub token"),
    "github_fine": ("github_" + "pat_" + "a1" * 11 + "_" + "b" * 59, "a GitHub token"),
    "anthropic": ("sk-" + "ant-api03-" + "a1-B" * 20, "an Anthropic key"),
    "slack": ("xox" + "b-123456789012-123456789012-" + "a1B2c3D4", "a Slack token"),
    "slack_hook": ("https://hooks.slack" + ".com/services/T000000/B000000/a1B2c3", "a Slack token"),
    "stripe": ("sk_" + "live_" + "a1B2" * 6, "a Stripe key"),
}
HARMLESS = {
    "first line alone": 'if "-----BEGIN RSA PRIVATE' + ' KEY-----" in text:\n    raise ValueError\n',
    "public key": "-----BEGIN PUBLIC" + " KEY-----\n" + BODY,
    "documented key": "AKI" + "AIOSFODNN7EXAMPLE",
    "documented secret": "aws_secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfi" + "CYEXAMPLEKEY'",
    "stripe test key": "sk_" + "test_" + "a1B2" * 6,
    "hashes": "sha256:" + "0123456789abcdef" * 4 + " " + HASH,
    "names": "ghp_token = os.environ['ANTHROPIC_API_KEY']  # sk-ant-...",
    "uuid": "3b241101-e2bb-4255-8caf-4136c566a962",
}


class Contents:
    """A store with one blob, and a base with one text."""

    def __init__(self, text: str, base: str = "") -> None:
        """Begin with what is given."""
        self._text, self._base = text.encode(), base.encode()

    def blobs(self, names: list[str]) -> Iterator[tuple[str, bytes]]:
        """Give the one content under every name."""
        return ((name, self._text) for name in names)

    def holds(self, _tree: str, text: bytes) -> bool:
        """Say what the base holds."""
        return text in self._base

    def sizes(self, names: list[str]) -> dict[str, int]:
        """Claim that every content has 65 MiB."""
        return dict.fromkeys(names, 65 << 20)


def find(text: str, base: str = "") -> list[tuple[str, int, str]]:
    """Path, line and kind of what the scanner finds in a new file."""
    store = cast("Store", Contents(text, base))
    leaks = Scanner(store, HASH).find([Change("a.txt", "000000", "100644", HASH)])
    return [(leak.path, leak.line, leak.kind) for leak in leaks]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_and_not_shown(name: str) -> None:
    """Each kind is found in its line, and goes out of a text and of a line of JSON with nothing left."""
    value, kind = SECRETS[name]
    assert find(f"one\n\nx: {value}\nend") == [("a.txt", 3, kind)]
    assert redact(f"x: {value}\n.") == f"x: [{kind}]\n."
    line = redact_line(json.dumps({"a": [{"b": f'"{value}"'}]}).encode())
    assert json.loads(line) == {"a": [{"b": f'"[{kind}]"'}]}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_looks_like_one_is_none(name: str) -> None:
    """Documented examples, hashes, names and first lines alone neither refuse nor change anything."""
    text = HARMLESS[name]
    assert find(text) == []
    assert redact(text) == text


@pytest.mark.parametrize("name", SECRETS)
def test_what_the_branch_had_is_no_finding(name: str) -> None:
    """A value that stands in the base may be moved about."""
    value, _ = SECRETS[name]
    assert find(f"moved: {value}", base=f"here:\n{value}\n") == []


def test_the_sentence_names_file_line_and_kind_only() -> None:
    """The failure says where to look, also when the path itself is a secret."""
    value, _ = SECRETS["github"]
    store = cast("Store", Contents(a_key()))
    (leak,) = Scanner(store, HASH).find([Change(f"keys/{value}", "000000", "100644", HASH)])
    failure = leak.failure()
    assert "`keys/[a GitHub token]` holds what looks like a private key in line 1" in failure.sentence
    assert value not in failure.sentence


def test_too_much_is_refused_before_anything_is_read() -> None:
    """Files within GitHub's limit are refused when together they are more than what is searched."""
    changes = [Change(f"{n}.txt", "000000", "100644", HASH) for n in range(2)]
    with pytest.raises(PushRefused, match=f"{MAX_CHANGED_BYTES >> 20} MiB together"):
        check_size(changes, cast("Store", Contents("")))


def test_a_line_without_secrets_stays_to_the_byte() -> None:
    """Nothing is written anew that holds no secret."""
    for line in (b'{"a":1,  "b":"\\u00e9"}\n', b"\xff no JSON\n"):
        assert redact_line(line) == line

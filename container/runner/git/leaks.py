"""What counts as a secret: few kinds, which are hardly ever anything else.

A private key's first line alone, which code and documents may well hold, is none. Every pattern goes
through a text in a time that grows with its length alone: what repeats is bounded, or ends where it cannot
go on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from runner.git import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 32 << 10
"""No secret is longer, in characters."""


@dataclass(frozen=True, slots=True)
class Form:
    """What secrets of one kind look like.

    Attributes:
        hints: in small letters; a text with none of them holds no such secret.
        pattern: its group `only`, if it has one, is the secret; the rest is where it stands.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


_PRIVATE, _AWS, _GITHUB = "a private key", "an AWS access key", "a GitHub token"
_SLACK, _ANTHROPIC, _STRIPE = "a Slack token", "an Anthropic key", "a Stripe key"
_ID = r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"
_IDS = ("a3t", "abia", "acca", "akia", "asia")
_LABEL = r"(?:[A-Z0-9]{1,20} ){0,6}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_BODY = r"(?:(?!----[ -]?BEGIN)[\s\S]){0,20000}"
# Letters of both cases, and no hash in hexadecimal.
_FORTY = (
    r"(?<![A-Za-z0-9/+])(?=[A-Za-z0-9/+]{0,39}[A-Z])(?=[A-Za-z0-9/+]{0,39}[a-z])"
    r"(?P<only>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)

SIGNS = (
    "private key",
    "private-lines:",
    "(a3t[a-z0-9]|abia|acca|akia|asia)[0-9a-z]{16}",
    "aws.{0,20}(key|pw|pass|token)",
    "secret[ _-]?(access[ _-]?)?key",
    "b3jpz2lu|gzxivyxdz|absk[a-z0-9+/]{100}|bedrock-api-key-",
    "gh[pousr]_[a-z0-9_]{20}|github_pat_|sk-ant-|xox[a-z][.-]|xapp-|hooks[.]slack|[rs]k_(live|prod)_",
    *tokens.SIGNS,
)
"""Extended regular expressions, for `git grep -i`: a file in which none is found holds no secret."""

FORMS: tuple[Form, ...] = (
    # PEM, OpenSSH, PGP and SSH2. Numbers of lines, quotes or headers may stand before the body.
    Form(
        _PRIVATE,
        ("private key",),
        re.compile(
            rf"-{{4,5}} ?BEGIN {_LABEL}(?:(?!----)[\s\S]){{0,400}}?[A-Za-z0-9+/]{{40}}"
            rf"(?:{_BODY}?-{{4,5}} ?END {_LABEL}|{_BODY})"
        ),
    ),
    Form(
        _PRIVATE,
        ("private-lines:",),
        re.compile(
            r"Private-Lines: {0,4}\d{1,4}(?:\s|\\[rn]){1,8}[A-Za-z0-9+/]{40}"
            r"(?:(?!\s{0,4}Private-)(?:\s|\\[rn]){0,4}[A-Za-z0-9+/=]){0,20000}"
        ),
    ),
    # What AWS hands out as a table has the secret in the next line or column.
    Form(_AWS, _IDS, re.compile(rf"{_ID}[\s\S]{{0,20}}?{_FORTY}")),
    Form(_AWS, _IDS, re.compile(_ID)),
    Form(
        _AWS,
        ("aws",),
        re.compile(rf"(?i:aws[\s\S]{{0,20}}?(?:key|pwd|pw|password|pass|token))[\s\S]{{0,24}}?{_FORTY}"),
    ),
    Form(
        _AWS, ("secret", "key"), re.compile(rf"(?i:secret[ _-]?(?:access[ _-]?)?key)[\s\S]{{0,60}}?{_FORTY}")
    ),
    Form(
        _AWS,
        ("b3jpz2lu", "gzxivyxdz"),
        re.compile(r"(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)[A-Za-z0-9/+%]{80,}={0,2}"),
    ),
    Form(_AWS, ("absk",), re.compile(r"(?<![A-Za-z0-9/+])ABSK[A-Za-z0-9+/]{100,}={0,2}")),
    Form(_AWS, ("bedrock-api-key-",), re.compile(r"bedrock-api-key-[A-Za-z0-9+/_-]{60,}={0,2}")),
    # With an App's number and a JSON web token since 2026: two dots, and some 520 characters.
    Form(
        _GITHUB,
        tuple(f"gh{letter}_" for letter in "pousr"),
        re.compile(
            r"gh[pousr]_(?:[A-Za-z0-9]{1,24}_)?eyJ[A-Za-z0-9_-]{10,400}+(?:\.[A-Za-z0-9_-]{10,}+){1,2}"
            r"|gh[pousr]_[A-Za-z0-9_]{36,}(?:\.[A-Za-z0-9_-]{10,}){0,2}"
        ),
    ),
    Form(_GITHUB, ("github_pat_",), re.compile(r"github_pat_[A-Za-z0-9_]{36,}")),
    Form(_ANTHROPIC, ("sk-ant-",), re.compile(r"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{24,}")),
    Form(
        _SLACK,
        ("xox",),
        re.compile(
            r"(?i:xox[a-z](?:\.xox[a-z])?-(?:(?:\d+-)+[a-z0-9]+(?:-[a-z0-9]+)*"
            r"|(?=[a-z]{0,40}\d)[a-z0-9]{10,}|[a-z0-9%/+_-]{60,}))"
        ),
    ),
    Form(_SLACK, ("xapp-",), re.compile(r"(?i:xapp-\d-[a-z0-9]+-\d+-[a-z0-9]+)")),
    Form(
        _SLACK,
        ("hooks.slack",),
        re.compile(
            r"(?i:(?:https?://)?hooks\.slack(?:-gov)?\.com/"
            r"(?:services/T\w+/B\w+/\w+|(?:workflows|triggers)/[a-z0-9/_-]{20,}))"
        ),
    ),
    Form(_STRIPE, ("k_live_", "k_prod_"), re.compile(r"[rs]k_(?:live|prod)_[0-9a-zA-Z]{16,}")),
    *(Form(kind, hints, re.compile(pattern)) for kind, hints, pattern in tokens.PREFIXED),
)
# Whole values that AWS's own documentation shows; other keys that end in EXAMPLE may be somebody's.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
EXAMPLES = frozenset(
    {
        "AKIAIOSFODNN7EXAMPLE",
        "AKIAI44QH8DHBEXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "AKIA111111111EXAMPLE",
        "AKIA222222222EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
    }
)


def matches(text: str) -> Iterator[tuple[str, re.Match[str], str]]:
    """Find the secrets in a text.

    Yields:
        The kind, where it stands, and the value.
    """
    small = text.lower()
    for form in FORMS:
        if not any(hint in small for hint in form.hints):
            continue
        for found in form.pattern.finditer(text):
            value = value_of(found)
            if value not in EXAMPLES:
                yield form.kind, found, value


def value_of(found: re.Match[str]) -> str:
    """Return the secret in a match of its pattern, without spaces and line ends."""
    return "".join((found.groupdict().get("only") or found[0]).split())


def redact(text: str) -> str:
    """Put the kind in the place of every secret."""
    small = text.lower()
    for form in FORMS:
        if any(hint in small for hint in form.hints):
            text = form.pattern.sub(partial(_placeholder, form.kind), text)
    return text


def redact_line(line: bytes) -> bytes:
    """Redact one line of JSON, whose strings are looked at unescaped; or of anything else."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return redact(line.decode("latin-1")).encode("latin-1")
    try:
        clean = _redact_values(event)
    except RecursionError:
        return b"{}\n"
    # What holds none stays as it came, to the byte.
    return line if clean == event else json.dumps(clean).encode() + b"\n"


def _redact_values(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redact_values(each) for each in value]
    if isinstance(value, dict):
        return {redact(key): _redact_values(each) for key, each in value.items()}
    return value


def _placeholder(kind: str, found: re.Match[str]) -> str:
    if value_of(found) in EXAMPLES:
        return found[0]
    return found[0].replace(found.groupdict().get("only") or found[0], f"[{kind}]")

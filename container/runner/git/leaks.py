"""Secrets in what would be pushed or kept: few kinds, which are hardly ever anything else.

The patterns are detect-secrets', without its guesses by entropy or keyword and without its questions to the
services. A private key's first line alone, which code and documents may well hold, is none.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector

from pullwright.errors import PushRefused
from runner.git.tree import ABSENT, GITLINK, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.git.store import Store
    from runner.git.tree import Change

_AWS = "an AWS access key"
# detect-secrets knows a key by its first line. Numbers of lines, quotes or headers may stand before its body.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----)[\s\S]){0,400}?(?P<value>[A-Za-z0-9+/]{40})"
    r"(?:[\s\S]{0,20000}?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|[\s\S]{0,20000})"
)
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", _PRIVATE_KEY),
    *((_AWS, pattern) for pattern in AWSKeyDetector().denylist),
    # Both are longer than detect-secrets has them, or unknown to it: the whole value has to go.
    *(("a GitHub token", re.compile(p.pattern + r"[A-Za-z0-9_]*")) for p in GitHubTokenDetector.denylist),
    ("a GitHub token", re.compile(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
    ("an Anthropic key", re.compile(r"sk-ant-[a-z]+\d{2}-[A-Za-z0-9_-]{24,}")),
    *(("a Slack token", pattern) for pattern in SlackDetector.denylist),
    *(("a Stripe key", pattern) for pattern in StripeDetector.denylist),
)
# What AWS's documentation uses ends so: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
_EXAMPLE = re.compile(r"EXAMPLE(?:KEY)?['\"]?$")


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret in a file, without its value.

    Attributes:
        path: the file, as git has it.
        line: counted from 1.
        kind: with its article.
    """

    path: str
    line: int
    kind: str

    def failure(self) -> PushRefused:
        """The failure that a person is told."""
        return PushRefused(
            f"The file {shown(redact(self.path))} holds what looks like {self.kind} in line {self.line}.",
            remedy="Revoke it if it is real, and ask for a change that reads it from elsewhere.",
        )


class Scanner:
    """Looks for secrets that a change adds.

    Args:
        store: where the contents are.
        base: the tree before the change: what it holds already, in whatever file, is no finding.
    """

    def __init__(self, store: Store, base: str) -> None:
        self._store = store
        self._base = base
        # Checkpoints see the same contents again and again.
        self._clean: set[str] = set()

    def find(self, changes: Sequence[Change]) -> list[Leak]:
        """Finds the first new secret of each file; `check_size` has bounded how much is read.

        Args:
            changes: against the base.
        """
        paths: dict[str, list[str]] = {}
        for change in changes:
            if change.mode not in {ABSENT, GITLINK} and change.blob not in self._clean:
                paths.setdefault(change.blob, []).append(change.path)
        leaks = []
        for blob, content in self._store.blobs(list(paths)):
            # Every byte is a character, whatever the encoding: all patterns are ASCII.
            first = self._first(content.decode("latin-1"))
            if first is None:
                self._clean.add(blob)
            else:
                leaks += [Leak(path, *first) for path in paths[blob]]
        return leaks

    def _first(self, text: str) -> tuple[int, str] | None:
        for kind, found in _matches(text):
            value = found.groupdict().get("value") or found[0]
            if not self._store.holds(self._base, value.encode("latin-1")):
                return text.count("\n", 0, found.start()) + 1, kind
        return None


def redact(text: str) -> str:
    """Puts the kind in the place of every secret."""
    for kind, pattern in _KINDS:
        text = pattern.sub(partial(_placeholder, kind), text)
    return text


def redact_line(line: bytes) -> bytes:
    """Redacts one line of JSON, whose strings are looked at unescaped; or of anything else."""
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


def _matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for kind, pattern in _KINDS:
        for found in pattern.finditer(text):
            if not _is_example(found):
                yield kind, found


def _placeholder(kind: str, found: re.Match[str]) -> str:
    return found[0] if _is_example(found) else f"[{kind}]"


def _is_example(found: re.Match[str]) -> bool:
    return _EXAMPLE.search(found[0]) is not None

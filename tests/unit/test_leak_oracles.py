"""What others take for secrets is found.

Oracles: the patterns of the package `detect-secrets`, and the examples that AWS ships with its own CLI.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runner.git.leaks import EXAMPLES, matches, redact
from tests.unit.test_runner_leaks import BODY


def _published() -> list[re.Pattern[str]]:
    detectors = (
        AWSKeyDetector(),
        GitHubTokenDetector(),
        GitLabTokenDetector(),
        MailchimpDetector(),
        OpenAIDetector(),
        PypiTokenDetector(),
        SendGridDetector(),
        SlackDetector(),
        SquareOAuthDetector(),
        StripeDetector(),
    )
    return [pattern for one in detectors for pattern in one.denylist]


@pytest.mark.parametrize("pattern", _published(), ids=lambda pattern: pattern.pattern[:30])
@settings(max_examples=60)
@given(data=st.data())
def test_what_other_scanners_find_is_found(pattern: re.Pattern[str], data: st.DataObject) -> None:
    """Whatever fits a pattern of detect-secrets is found, and nothing of it stays."""
    text = data.draw(
        st.from_regex(re.compile(pattern.pattern, (pattern.flags & ~re.UNICODE) | re.ASCII), fullmatch=True)
    )
    secret = re.search(r"[0-9a-zA-Z/+]{40}(?=['\"]$)", text) if text[:3].lower() == "aws" else None
    if secret is not None:
        # A value in small letters only is more often a hash.
        assume(re.search("[a-z]", secret[0]) and re.search("[A-Z]", secret[0]))
    assert list(matches(text)), text
    assert (secret[0] if secret else text) not in redact(text)


@pytest.mark.parametrize("pattern", PrivateKeyDetector.denylist, ids=lambda pattern: pattern.pattern)
def test_every_kind_of_private_key_is_known(pattern: re.Pattern[str]) -> None:
    """By the first lines that detect-secrets knows, with a body below."""
    first = pattern.pattern
    if first.startswith("PuTTY"):
        text = f"{first}: ssh-rsa\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 2\n{BODY}\nPrivate-MAC: 0a"
    elif "SSH2" in first:
        text = f"---- {first} ----\n{BODY}\n---- {first.replace('BEGIN', 'END')} ----"
    else:
        text = f"-----{first}-----\n{BODY}\n-----{first.replace('BEGIN', 'END')}-----"
    assert [kind for kind, _, _ in matches(text)] == ["a private key"]
    assert BODY[:40] not in redact(text)


@lru_cache
def _aws_documentation() -> str:
    found = find_spec("awscli")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent
    services = (folder / "examples" / name for name in ("chime", "ec2", "gamelift", "iam", "sts"))
    places = (
        *(page for service in services for page in service.glob("*.rst")),
        *folder.glob("botocore/data/iam/*/examples-1.json"),
    )
    return "\n".join(path.read_text(errors="replace") for path in places)


@pytest.mark.parametrize("value", sorted(EXAMPLES))
def test_only_what_aws_documents_is_an_example(value: str) -> None:
    """Each exempt value stands in AWS's own examples, and one that only looks so is a secret."""
    assert value in _aws_documentation()
    assert redact(f"aws_secret_access_key = {value}") == f"aws_secret_access_key = {value}"
    other = ("B" if value[4] != "B" else "C").join((value[:4], value[5:]))
    assert value not in redact(f"aws_secret_access_key = {other}")
    assert redact(f"aws_secret_access_key = {other}") == "aws_secret_access_key = [an AWS access key]"

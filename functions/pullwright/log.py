"""The one logger of the functions: JSON lines with the session as correlation id, and no secret in them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

HIDDEN = "[hidden]"
_SHORTEST_SECRET = 8
_LOOKS_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    # An installation's token may be an App's number and a JSON web token, with its dots.
    r"|\bgh[a-z]_[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]{8,}){0,2}"
    r"|\bgithub_pat_[A-Za-z0-9_]{16,}"
    r"|\bsk-ant-[A-Za-z0-9_-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    # How git sends it: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
    r"|\beC1hY2Nlc3MtdG9rZW46[A-Za-z0-9+/=]{8,}"
    r"|(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)",
    re.DOTALL,
)
# Of a text or of one inside JSON, where git begins each line that the other side wrote with its mark.
_BREAK = re.compile(r"(?:\s|\\[nrt])+(?:remote: ?)?")
_known: set[str] = set()


def hide(*secrets: str) -> None:
    """Remember secrets, and each line of those with several, so that no log line shows them."""
    for secret in secrets:
        for part in (secret, *secret.splitlines()):
            if len(part.strip()) >= _SHORTEST_SECRET:
                _known.add(part.strip())


def scrub(text: str) -> str:
    """Remove the remembered secrets, and whatever looks like one."""
    return _LOOKS_SECRET.sub(HIDDEN, scrub_known(text))


def scrub_known(text: str) -> str:
    """Remove the remembered secrets alone, also where they are broken into lines."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
        # Inside JSON a line break stands as two characters.
        text = text.replace(json.dumps(secret)[1:-1], HIDDEN)
    whole = _BREAK.sub("", text)
    for secret in _known:
        if secret in whole:
            text = re.sub(f"(?:{_BREAK.pattern})*".join(map(re.escape, secret)), HIDDEN, text)
    return text


def _serialize(record: Mapping[str, Any]) -> str:
    return scrub(json.dumps(record, default=str, ensure_ascii=False))


logger = Logger(logger_formatter=LambdaPowertoolsFormatter(json_serializer=_serialize))


def about(session_id: str) -> None:
    """Make the session the correlation id of what is logged from here on."""
    logger.set_correlation_id(session_id)

"""The one logger of the functions: JSON lines with the session as correlation id, and no secret in them."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

HIDDEN = "[hidden]"
_SHORTEST_SECRET = 8
_WRITTEN_LINE_END = re.compile(r"(?:\\r)?\\n")
_LOOKS_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    # An installation's token may be an App's number and a JSON web token, with its dots.
    r"|\bgh[a-z]_[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]{8,}){0,2}"
    r"|\bgithub_pat_[A-Za-z0-9_]{16,}"
    r"|\bsk-ant-[A-Za-z0-9_-]{8,}"
    # A JSON web token, with what stands before it in the same word. Whether its three parts are there is
    # asked once for each word: from each place in one, a long text would take minutes.
    r"|(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]++\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,})"
    r"[A-Za-z0-9_-]*?\beyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]++\.[A-Za-z0-9_-]++"
    # How git sends it: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
    r"|\beC1hY2Nlc3MtdG9rZW46[A-Za-z0-9+/=]{8,}"
    r"|(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)",
    re.DOTALL,
)
# Of a text or of one inside JSON, where git begins each line that the other side wrote with its mark; what
# colours a terminal, as `grep --color` does, stands between letters too.
_BREAKS = r"(?:\s|\\[nrt]|remote:|(?:\x1b|\\u001b)\[[0-9;]*[mK])*"
_BREAK = re.compile(_BREAKS[:-1] + "+")
_known: set[str] = set()


def hide(*secrets: str) -> None:
    """Remember secrets, and each line of those with several, so that no log line shows them.

    Variables often hold a key on one line, with its line ends written as two characters.
    """
    for secret in secrets:
        for part in (secret, *secret.splitlines(), *_WRITTEN_LINE_END.split(secret)):
            if len(part.strip()) >= _SHORTEST_SECRET:
                _known.add(part.strip())


def scrub(text: str) -> str:
    """Remove the remembered secrets, and whatever looks like one."""
    return _LOOKS_SECRET.sub(HIDDEN, scrub_known(text))


def scrub_known(text: str) -> str:
    """Remove the remembered secrets alone, in each form and also where they are broken into lines."""
    for form in _forms(frozenset(_known)):
        text = text.replace(form, HIDDEN)
    whole = _BREAK.sub("", text)
    for secret in _known:
        if secret in whole:
            text = re.sub(_BREAKS.join(map(re.escape, secret)), HIDDEN, text)
    return text


@lru_cache(maxsize=1)
def _forms(secrets: frozenset[str]) -> tuple[str, ...]:
    """Return the secrets as programs print them, the longest first.

    As GitHub's own runner hides them: `src/Runner.Common/HostContext.cs` of github.com/actions/runner.
    """
    forms = {form for secret in secrets for form in _forms_of(secret)}
    return tuple(sorted(forms, key=len, reverse=True))


def _forms_of(secret: str) -> Iterator[str]:
    """Yield one secret as it is, in JSON, in URLs, in HTML, in hexadecimal digits and in Base64."""
    content = secret.encode(errors="surrogatepass")
    # Inside JSON a line break stands as two characters.
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (
        quote(content, safe=""),
        quote(content, safe="/"),
        quote_plus(content),
        quote(content, "!~*'()"),
    )
    yield from (escape(secret), escape(secret).replace("&#x27;", "&#39;"), escape(secret, quote=False))
    yield from (content.hex(), content.hex().upper())
    for first in range(3):
        # Where it begins in a longer text decides which of its bytes share a character with others.
        whole = content[first:][: (len(content) - first) // 3 * 3]
        yield from (base64.b64encode(whole).decode(), base64.urlsafe_b64encode(whole).decode())


def _serialize(record: Mapping[str, Any]) -> str:
    return scrub(json.dumps(record, default=str, ensure_ascii=False))


logger = Logger(logger_formatter=LambdaPowertoolsFormatter(json_serializer=_serialize))


def about(session_id: str) -> None:
    """Make the session the correlation id of what is logged from here on."""
    logger.set_correlation_id(session_id)

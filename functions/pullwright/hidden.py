"""Markdown that people wrote, without what GitHub keeps in the source but does not show.

Beyond what `pullwright.text.visible` removes: titles of links and images, descriptions of pictures,
attributes of HTML, definitions that nothing refers to, and invisible characters written as entities.
"""

import html
import re

from pullwright.text import visible

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_TAG = re.compile(r"<([A-Za-z][A-Za-z0-9-]{0,30})(\s[^<>]{0,4000})>")
_ADDRESS = re.compile(r"\b(?:href|src)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)", re.IGNORECASE)
_TITLE = r"(?:\s+(?:\"[^\"]{0,4000}\"|'[^']{0,4000}'|\([^()]{0,4000}\)))"
_TARGET = r"(?:<[^<>\n]{0,2000}>|[^\s()<>]{0,2000})"
_TITLED = re.compile(rf"\]\([ \t]*({_TARGET}){_TITLE}\s*\)")
_IMAGE = re.compile(r"!\[[^\]]{0,4000}\](?=[(\[])")
# https://spec.commonmark.org/0.31.2/#link-reference-definitions
_DEFINITION = re.compile(
    rf"^ {{0,3}}\[(?P<label>[^\[\]\n]{{1,999}})\]:[ \t]*\n?[ \t]*(?P<target>{_TARGET})(?:{_TITLE})?[ \t]*$",
    re.MULTILINE,
)


def shown(text: str | None) -> str:
    """What a reader of the rendered text can see.

    Nothing is kept for standing in a block of code: telling code from text exactly as GitHub does is not
    worth a hole through which hidden instructions reach the agent.
    """
    seen = visible(_ENTITY.sub(_entity, text or ""))
    seen = _TAG.sub(_tag, seen)
    seen = _TITLED.sub(r"](\1)", seen)
    seen = _IMAGE.sub("![image]", seen)
    return visible(_without_definitions(seen))


def _entity(match: re.Match[str]) -> str:
    # What can be seen stays as it was written.
    decoded = html.unescape(match[0])
    return match[0] if visible(f".{decoded}.") == f".{decoded}." or decoded.isspace() else ""


def _tag(match: re.Match[str]) -> str:
    addresses = "".join(f" {found[0]}" for found in _ADDRESS.finditer(match[2]))
    return f"<{match[1]}{addresses}>"


def _without_definitions(text: str) -> str:
    rest = _DEFINITION.sub("", text).casefold()

    def keep(match: re.Match[str]) -> str:
        is_used = f"[{match['label'].casefold()}]" in rest
        return f"[{match['label']}]: {match['target']}" if is_used else ""

    return _DEFINITION.sub(keep, text)

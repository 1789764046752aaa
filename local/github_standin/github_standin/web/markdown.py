"""Markdown as the pages show it: as GitHub renders it, but nothing is loaded from elsewhere."""

from __future__ import annotations

import html
import re

from markupsafe import Markup

from github_standin.markup import render as rendered

_IMAGE = re.compile(r'<img(?:[^>"]|"[^"]*")*>')
_ATTRIBUTE = re.compile(r'\s(alt|src)="([^"]*)"')
_MEDIA = re.compile(r'</?(?:picture|source|video)(?:[^>"]|"[^"]*")*>')


def render(text: str | None) -> Markup:
    """Return Markdown as safe HTML."""
    made = _MEDIA.sub("", _IMAGE.sub(_as_link, rendered(text)))
    return Markup(made)  # noqa: S704 - the sanitizer lets nothing through that runs


def _as_link(match: re.Match[str]) -> str:
    values = dict(_ATTRIBUTE.findall(match[0]))
    source = html.unescape(values.get("src", ""))
    words = html.unescape(values.get("alt", "")) or "image"
    # An address that the sanitizer let through can be followed.
    return f'<a href="{html.escape(source)}" rel="noreferrer">{html.escape(words)}</a>'

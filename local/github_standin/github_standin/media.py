"""Media types: which form of a text an answer has.

https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types
"""

from __future__ import annotations

import re
from typing import Any

from github_standin.markup import plain, render

_TYPE = re.compile(r"application/vnd\.github(?:\.v3)?\.(raw|text|html|full)\+json")
_FORMS = {
    "raw": ("body",),
    "text": ("body_text",),
    "html": ("body_html",),
    "full": ("body", "body_text", "body_html"),
}


def parameter(accept: str | None) -> str | None:
    """Return the form that a request asks for, if it names one."""
    match = _TYPE.search(accept or "")
    return match[1] if match else None


def with_texts(answer: Any, accept: str | None) -> Any:
    """Return issues, pull requests or comments with their texts in the form that a request asks for."""
    form = parameter(accept)
    if form is None:
        return answer
    if isinstance(answer, list):
        return [with_texts(part, accept) for part in answer]
    if not isinstance(answer, dict) or "body" not in answer:
        return answer
    body = answer["body"]
    rendered = None if body is None else render(body)
    texts = {"body": body, "body_html": rendered, "body_text": None if rendered is None else plain(rendered)}
    rest = {name: value for name, value in answer.items() if name != "body"}
    return rest | {name: texts[name] for name in _FORMS[form]}

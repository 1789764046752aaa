"""Reading a webhook's JSON: only the fields that we need, each checked where it is read.

Real payloads do not match GitHub's published schemas, so unknown, missing and odd fields elsewhere are no
reason to refuse a delivery.
"""

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pullwright.json_object import as_object
from pullwright.webhook.answers import Refused

_T = TypeVar("_T", str, int)
_KINDS = {str: "a text", int: "a whole number"}


def refuse_form(headers: Mapping[str, str]) -> None:
    """Refuse a form: the webhook was set to the wrong content type.

    Before the signature is compared: what stands between GitHub and us may rewrite a form's bytes.

    Args:
        headers: by lower-case name.

    Raises:
        Refused: it is a form.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        raise Refused(
            400, "The webhook's content type must be application/json, not a form.", field="content-type"
        )


def parse(body: bytes) -> dict[str, Any]:
    """Decode a signed body.

    Raises:
        Refused: it is empty, not JSON, nested too deeply, or not an object.
    """
    if not body.strip():
        raise Refused(400, "The body is empty.")
    try:
        payload = json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise Refused(400, "The body is nested too deeply.") from None
    except ValueError:
        raise Refused(400, "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise Refused(400, "The body is not a JSON object.")
    return payload


def field(payload: Mapping[str, Any], path: str, kind: type[_T]) -> _T:
    """Read one field.

    Args:
        path: names joined by dots, for example `issue.number`.

    Raises:
        Refused: it is missing or something else; the answer names it.
    """
    value: Any = payload
    for name in path.split("."):
        value = as_object(value).get(name)
    # Not isinstance: JSON's true is not a number.
    if type(value) is not kind:
        raise wrong(path, f"must be {_KINDS[kind]}")
    return value


def wrong(path: str, what: str) -> Refused:
    """Return the refusal of one field.

    Args:
        what: what it must be, to follow the name in a sentence.
    """
    return Refused(400, f"{path} {what}.", field=path)


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and its like, which Python reads and JSON does not know."""
    raise ValueError(name)

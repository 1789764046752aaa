"""Control requests: those that the service itself does not have. They set up and inspect a stand-in."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from standin.answers import Refusal, Reply
from standin.faults import Fault

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from starlette.requests import Request

    from standin.faults import Faults
    from standin.gate import Entry

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_FAULTS = TypeAdapter(list[Fault])


class _Released(BaseModel):
    """Which calls may go on: the expression that they were ordered to be held by."""

    model_config = ConfigDict(extra="forbid")

    path_regex: str


class FieldError(Exception):
    """A control request that is wrong, and says which field.

    Args:
        field: where, such as `permissions.maintainer`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def is_local(request: Request) -> bool:
    """Tell whether a program on this machine asks, and no page of another site through somebody's browser."""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    return host in _LOOPBACK and "origin" not in request.headers


def answer(respond: Callable[[], Reply]) -> Reply:
    """Return what a control request is answered with; what it asks wrongly gets 422 with the field's name."""
    try:
        return respond()
    except FieldError as refused:
        return _refusal([{"field": refused.field, "message": refused.message}])
    except ValidationError as error:
        return _refusal(
            [
                {"field": ".".join(str(part) for part in detail["loc"]), "message": detail["msg"]}
                for detail in error.errors()
            ]
        )
    except Refusal as refusal:
        return refusal.reply()


def replace_faults(faults: Faults, content: bytes) -> Reply:
    """Put a list of ordered failures in the place of those that are in force."""
    faults.replace(_FAULTS.validate_json(content))
    return Reply(200, faults.describe())


def release(faults: Faults, content: bytes) -> Reply:
    """Let calls go on that are held."""
    wanted = _Released.model_validate_json(content)
    if not faults.release(wanted.path_regex):
        raise FieldError("path_regex", f"nothing is ordered to be held by {wanted.path_regex}")
    return Reply(200, faults.describe())


def list_requests(entries: deque[Entry], text: str) -> Reply:
    """List the requests whose path has a text in it."""
    return Reply(200, [asdict(entry) for entry in list(entries) if text in entry.path])


def _refusal(errors: list[dict[str, str]]) -> Reply:
    first = errors[0]
    where = f"{first['field']}: " if first["field"] else ""
    return Reply(422, {"message": f"{where}{first['message']}", "errors": errors})

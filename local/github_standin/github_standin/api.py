"""From one REST request to one answer, without any network."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from github_standin import media, renames
from github_standin.actors import ANONYMOUS
from github_standin.answers import ApiError, forbidden
from github_standin.auth import authenticate
from github_standin.rest import ROUTER

if TYPE_CHECKING:
    from github_standin.calls import Call
    from standin.answers import Reply

# https://docs.github.com/rest/about-the-rest-api/api-versions
_VERSIONS = ("2022-11-28", "2026-03-10")
_LOG = logging.getLogger(__name__)


def respond(call: Call) -> Reply:
    """Answer a REST request; the caller holds the lock.

    Args:
        call: the request, with nobody as its actor yet.
    """
    head = call.method == "HEAD"
    if head:
        call.method = "GET"
    try:
        reply = _answer(call)
    except ApiError as error:
        reply = error.reply()
    except Exception:  # noqa: BLE001 - the outermost one
        # GitHub's own failures look like this; the log tells whose fault it is.
        _LOG.exception("%s %s failed", call.method, call.path)
        reply = ApiError(500, "Server Error").reply()
    _tag(call, reply)
    reply.headers = {
        "X-GitHub-Media-Type": _media_type(call),
        "X-GitHub-Request-Id": request_id(),
        "X-Content-Type-Options": "nosniff",
        **call.github.meter.headers(call.actor),
        **reply.headers,
    }
    return reply


def _tag(call: Call, reply: Reply) -> None:
    """Give an answer its `ETag`; who has it already gets 304, which costs nothing.

    https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """
    if call.method != "GET" or reply.status != HTTPStatus.OK or isinstance(reply.body, bytes):
        return
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body, sort_keys=True)
    tag = f'W/"{hashlib.sha256(text.encode()).hexdigest()}"'
    reply.headers["ETag"] = tag
    if tag in call.headers.get("if-none-match", ""):
        reply.status, reply.body = HTTPStatus.NOT_MODIFIED, None
        call.github.meter.give_back(call.actor)


def request_id() -> str:
    """Return an id in the form that GitHub gives each request."""
    text = secrets.token_hex(13).upper()
    return f"{text[:4]}:{text[4:10]}:{text[10:16]}:{text[16:21]}:{text[21:]}"


def _answer(call: Call) -> Reply:
    if not call.headers.get("user-agent"):
        raise forbidden(
            "Request forbidden by administrative rules. "
            "Please make sure your request has a User-Agent header "
            "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required)."
        )
    version = call.headers.get("x-github-api-version")
    if version is not None and version not in _VERSIONS:
        raise ApiError(400, f"The API version you requested, {version}, is not supported.")
    call.actor = ANONYMOUS
    call.actor = authenticate(call.github, call.headers.get("authorization"))
    call.github.meter.count(call.actor)
    call.github.lag.check(call.actor)
    if (redirect := renames.resolve(call)) is not None:
        return redirect
    reply = ROUTER.find(call)(call)
    reply.body = media.with_texts(reply.body, call.headers.get("accept"))
    return reply


def _media_type(call: Call) -> str:
    form = media.parameter(call.headers.get("accept"))
    return f"github.v3; param={form}; format=json" if form else "github.v3; format=json"
